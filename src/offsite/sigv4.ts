import { createHmac } from 'node:crypto';
import { sha256Hex } from '../sha256.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only temporary credentials have one; else null. */
  readonly sessionToken: string | null;
}

export interface SigningScope {
  readonly credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'>;
  readonly region: string;
  readonly service: string;
}

/** The signed parts of a request; they must be sent exactly as they are here. */
export interface SignableRequest {
  readonly method: string;
  /** Percent-encoded as it is sent; without a query. */
  readonly path: string;
  /** Names in lower case, including `host` and `x-amz-date`. */
  readonly headers: Readonly<Record<string, string>> & { readonly 'x-amz-date': string };
  /** SHA-256 of the body in lower-case hex. */
  readonly payloadHash: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * Returns the Authorization header of a request: AWS Signature Version 4.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, for S3
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (its paths are encoded once).
 */
export function signRequest(request: SignableRequest, scope: SigningScope): string {
  const { credentials, region, service } = scope;
  const time = request.headers['x-amz-date'];
  const date = time.slice(0, 8);
  const headers = Object.entries(request.headers)
    .map(([name, value]) => [name, value.trim().replace(/ +/g, ' ')] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const signedHeaders = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.path,
    '',
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedHeaders,
    request.payloadHash,
  ].join('\n');
  const credentialScope = [date, region, service, 'aws4_request'].join('/');
  const toSign = [ALGORITHM, time, credentialScope, sha256Hex(canonical)].join('\n');
  let key: Buffer | string = `AWS4${credentials.secretAccessKey}`;
  for (const part of [date, region, service, 'aws4_request', toSign]) {
    key = createHmac('sha256', key).update(part).digest();
  }
  const credential = `${credentials.accessKeyId}/${credentialScope}`;
  const signature = Buffer.from(key).toString('hex');
  return `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** Formats a time in milliseconds for signatures: `20130524T000000Z`. */
export function toAmzDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Percent-encodes an S3 path: everything except `/` and the unreserved characters of RFC 3986. */
export function encodePath(path: string): string {
  const encoded = encodeURIComponent(path).replaceAll('%2F', '/');
  return encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
