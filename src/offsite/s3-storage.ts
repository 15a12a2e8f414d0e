import { sha256Hex } from '../sha256.ts';
import type { ExchangeResponse } from './exchange.ts';
import type { S3Settings } from './s3-settings.ts';
import { encodePath, signRequest, toAmzDate } from './sigv4.ts';
import type { Refusal, Storage } from './target.ts';

/**
 * One object in a bucket of S3 or of compatible storage: GetObject and PutObject with conditional writes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3Storage implements Storage {
  readonly url: URL;
  readonly actions = { GET: 'GetObject', PUT: 'PutObject' };
  readonly #settings: S3Settings;
  readonly #now: () => number;

  /** @param now the current time in milliseconds, which each signature holds */
  constructor(settings: S3Settings, now: () => number) {
    this.url = urlOf(settings);
    this.#settings = settings;
    this.#now = now;
  }

  authorize(
    method: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer | null,
  ): Record<string, string> {
    const { credentials, region } = this.#settings;
    const { sessionToken } = credentials;
    const payloadHash = sha256Hex(body ?? '');
    const signed = {
      ...headers,
      host: this.url.host,
      'x-amz-content-sha256': payloadHash,
      'x-amz-date': toAmzDate(this.#now()),
      ...(sessionToken === null ? {} : { 'x-amz-security-token': sessionToken }),
    };
    const request = { method, path: this.url.pathname, headers: signed, payloadHash };
    return { ...signed, authorization: signRequest(request, { credentials, region, service: 's3' }) };
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
  refusalOf({ status, headers, body }: ExchangeResponse): Refusal {
    const text = body.toString('utf8');
    const member = (name: string): string =>
      new RegExp(`<${name}>([A-Za-z0-9.-]{1,100})</${name}>`).exec(text)?.[1] ?? '';
    const code = member('Code');
    const region = String(headers['x-amz-bucket-region'] ?? member('Region'));
    return { code, isMissing: code === 'NoSuchKey', fix: fixFor({ status, code, region }, this.#settings) };
  }
}

/** Path style with an endpoint, and for a bucket whose name does not fit AWS's certificate because of its dots. */
function urlOf({ bucket, key, region, endpoint }: S3Settings): URL {
  const path = encodePath(`${bucket}/${key}`);
  if (endpoint !== null) return new URL(`${endpoint.origin}${endpoint.pathname.replace(/\/+$/, '')}/${path}`);
  const domain = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const isHostName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket);
  return new URL(isHostName ? `https://${bucket}.${domain}/${encodePath(key)}` : `https://${domain}/${path}`);
}

interface S3Error {
  readonly status: number;
  /** Empty if the response is not one of S3's. */
  readonly code: string;
  /** The region of the bucket; empty if S3 does not name it. */
  readonly region: string;
}

function fixFor({ status, code, region }: S3Error, { bucket, key }: S3Settings): string | null {
  if (code === 'NoSuchBucket') return `make the bucket ${bucket}, or set SNAPSHOT_URL to another one.`;
  if (code === 'RequestTimeTooSkewed') return "this machine's clock is wrong; set it.";
  if (code === 'ExpiredToken' || code === 'InvalidToken') {
    return 'set a fresh AWS_SESSION_TOKEN with its keys.';
  }
  if (code === 'InvalidAccessKeyId' || code === 'SignatureDoesNotMatch') {
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a pair that is valid there.';
  }
  if (code === 'AuthorizationHeaderMalformed' || (status >= 300 && status <= 399)) {
    return `the bucket is elsewhere; set AWS_REGION${region && ` to ${region}`} or AWS_ENDPOINT_URL_S3.`;
  }
  if (status === 401 || status === 403) {
    const object = `s3:GetObject and s3:PutObject on arn:aws:s3:::${bucket}/${key}`;
    return `grant ${object}, and s3:ListBucket on arn:aws:s3:::${bucket} (without it a missing object cannot be told from a forbidden one).`;
  }
  // A 404 that is not S3's (a gateway's, for example) does not say that there is no snapshot. 409: another write runs.
  if (status === 404 || status === 409) return null;
  return 'see that SNAPSHOT_URL and AWS_ENDPOINT_URL_S3 lead to S3-compatible storage.';
}
