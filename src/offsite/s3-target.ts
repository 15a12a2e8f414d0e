import { SnapshotRefusedError, SnapshotUnreachableError } from './errors.ts';
import {
  DEFAULT_EXCHANGE_LIMITS,
  type ExchangeAddress,
  type ExchangeAnswer,
  type ExchangeLimits,
  exchange,
  toAddress,
} from './exchange.ts';
import { isPassing } from './http-target.ts';
import type { S3Settings } from './s3-settings.ts';
import { encodePath, sha256Hex, signRequest, toAmzDate } from './sigv4.ts';
import {
  conditionHeaders,
  type FoundSnapshot,
  type SnapshotTarget,
  strongEtag,
  type WriteAnswer,
  type WriteCondition,
} from './target.ts';

export interface S3TargetOptions {
  readonly settings: S3Settings;
  /** The current time in milliseconds: signatures hold it. */
  readonly now: () => number;
  readonly limits?: ExchangeLimits;
}

/** What an error answer of S3 says of itself. */
interface S3Remark {
  readonly status: number;
  /** Empty where the answer is none of S3's. */
  readonly code: string;
  /** The region that the bucket is in, where it says so. */
  readonly region: string | null;
}

/**
 * One object in a bucket of S3 or of what speaks its protocol: GetObject and PutObject with conditional writes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3Target implements SnapshotTarget {
  readonly host: string;
  readonly #settings: S3Settings;
  readonly #address: ExchangeAddress;
  readonly #now: () => number;
  readonly #limits: ExchangeLimits;

  constructor({ settings, now, limits = DEFAULT_EXCHANGE_LIMITS }: S3TargetOptions) {
    this.#settings = settings;
    this.#address = addressOf(settings);
    this.host = this.#address.host;
    this.#now = now;
    this.#limits = limits;
  }

  async get(signal: AbortSignal): Promise<FoundSnapshot | 'absent'> {
    const answer = await this.#exchange('GET', { signal, headers: {}, body: null });
    if (answer.status === 200) return { bytes: answer.body, etag: strongEtag(answer.headers.etag) };
    const remark = readRemark(answer);
    if (remark.code === 'NoSuchKey') return 'absent';
    throw this.#problem('GetObject', remark);
  }

  async put(bytes: Buffer, condition: WriteCondition, signal: AbortSignal): Promise<WriteAnswer> {
    const headers = { ...conditionHeaders(condition), 'content-type': 'text/plain' };
    const answer = await this.#exchange('PUT', { signal, headers, body: bytes });
    if (answer.status === 200) return { kind: 'written', etag: strongEtag(answer.headers.etag) };
    const remark = readRemark(answer);
    if (answer.status === 412) return { kind: 'conflict' };
    // If-Match on an object that went away meanwhile.
    if (remark.code === 'NoSuchKey') return { kind: 'conflict' };
    if (condition !== null && (answer.status === 501 || remark.code === 'NotImplemented')) {
      return { kind: 'unsupported' };
    }
    throw this.#problem('PutObject', remark);
  }

  async #exchange(
    method: 'GET' | 'PUT',
    { signal, headers, body }: { signal: AbortSignal; headers: Record<string, string>; body: Buffer | null },
  ): Promise<ExchangeAnswer> {
    const { credentials, region } = this.#settings;
    const { sessionToken } = credentials;
    const payloadHash = sha256Hex(body ?? '');
    const signed = {
      ...headers,
      host: this.#address.host,
      'x-amz-content-sha256': payloadHash,
      'x-amz-date': toAmzDate(this.#now()),
      ...(sessionToken === null ? {} : { 'x-amz-security-token': sessionToken }),
    };
    const { path } = this.#address;
    const authorization = signRequest(
      { method, path, headers: signed, payloadHash },
      { credentials, region, service: 's3' },
    );
    const request = { method, headers: { ...signed, authorization }, ...(body === null ? {} : { body }) };
    return await exchange(this.#address, request, { signal, limits: this.#limits });
  }

  #problem(action: string, remark: S3Remark): Error {
    const said = `${this.host} answers ${action} with ${remark.status}${remark.code && ` ${remark.code}`}`;
    const fix = adviceFor(remark, this.#settings);
    return fix === null ? new SnapshotUnreachableError(said) : new SnapshotRefusedError(`${said}: ${fix}`);
  }
}

/** Path style where an endpoint is given, or where dots in the bucket's name would not fit AWS's certificate. */
function addressOf({ bucket, key, region, endpoint }: S3Settings): ExchangeAddress {
  if (endpoint !== null) {
    const base = endpoint.pathname.replace(/\/+$/, '');
    return { ...toAddress(endpoint), path: `${base}/${encodePath(`${bucket}/${key}`)}` };
  }
  const domain = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const isHostName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket);
  const hostname = isHostName ? `${bucket}.${domain}` : domain;
  const path = `/${encodePath(isHostName ? key : `${bucket}/${key}`)}`;
  return { isTls: true, hostname, port: 443, host: hostname, path };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function readRemark({ status, headers, body }: ExchangeAnswer): S3Remark {
  const text = body.toString('utf8');
  const member = (name: string): string =>
    new RegExp(`<${name}>([A-Za-z0-9.-]{1,100})</${name}>`).exec(text)?.[1] ?? '';
  const region = headers['x-amz-bucket-region'] ?? member('Region');
  return {
    status,
    code: member('Code'),
    region: typeof region === 'string' && region !== '' ? region : null,
  };
}

/** What a person must do, or null where waiting may mend it. */
function adviceFor({ status, code, region }: S3Remark, { bucket, key }: S3Settings): string | null {
  if (code === 'NoSuchBucket') return `make the bucket ${bucket}, or set SNAPSHOT_URL to another one.`;
  if (code === 'RequestTimeTooSkewed') return "this machine's clock is wrong; set it.";
  if (code === 'ExpiredToken' || code === 'InvalidToken')
    return 'set a fresh AWS_SESSION_TOKEN with its keys.';
  if (code === 'InvalidAccessKeyId' || code === 'SignatureDoesNotMatch') {
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a pair that is valid there.';
  }
  if (code === 'AuthorizationHeaderMalformed' || (status >= 300 && status <= 399)) {
    return `the bucket is elsewhere; set AWS_REGION${region === null ? '' : ` to ${region}`} or AWS_ENDPOINT_URL_S3.`;
  }
  if (status === 401 || status === 403) {
    const object = `s3:GetObject and s3:PutObject on arn:aws:s3:::${bucket}/${key}`;
    return `grant ${object}, and s3:ListBucket on arn:aws:s3:::${bucket} (without it a missing object cannot be told from a forbidden one).`;
  }
  // Somebody else's 404 (a gateway's, say) does not say that there is no snapshot; 409 is another write going on.
  if (isPassing(status) || status === 404 || status === 409) return null;
  return 'see that SNAPSHOT_URL and AWS_ENDPOINT_URL_S3 lead to S3-compatible storage.';
}
