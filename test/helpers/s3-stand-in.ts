import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export const S3_CREDENTIALS = { accessKeyId: 'AKIDSTANDIN', secretAccessKey: 'stand-in/secret+key' } as const;
export const S3_REGION = 'eu-test-1';

export type Conditions = 'honoured' | 'ignored' | 'only-if-none-match' | 'not-implemented';

export interface S3StandIn {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Path as it came (`/bucket/key`, encoded) -> object. */
  readonly objects: Map<string, { readonly body: Buffer; readonly etag: string }>;
  readonly buckets: Set<string>;
  /** `METHOD CONDITION` of every request whose signature was right, oldest first. */
  readonly log: string[];
  conditions: Conditions;
  /** Answers instead of the stand-in where it returns true; asked after the signature was checked. */
  intercept: ((req: IncomingMessage, res: ServerResponse) => boolean) | null;
}

/**
 * A small S3: GetObject and PutObject in path style, with conditional writes and every signature verified (written apart
 * from the signer that it checks). It ends with the test.
 */
export async function startS3(t: TestContext, conditions: Conditions = 'honoured'): Promise<S3StandIn> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => answer(standIn, { req, res, body: Buffer.concat(chunks) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const standIn: S3StandIn = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects: new Map(),
    buckets: new Set(['bucket']),
    log: [],
    conditions,
    intercept: null,
  };
  return standIn;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly body: Buffer;
}

function answer(standIn: S3StandIn, { req, res, body }: Exchange): void {
  const problem = signatureProblem(req, body);
  if (problem === null) standIn.log.push(`${req.method}${conditionOf(req)}`);
  if (problem === null && standIn.intercept?.(req, res) === true) return;
  const path = req.url ?? '';
  const found = standIn.objects.get(path);
  const [status, code] = problem === null ? refusalOf(standIn, req) : [403, problem];
  if (status !== 200) {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>No.</Message></Error>`;
    res.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  } else if (req.method === 'GET') {
    res.writeHead(200, { etag: found?.etag ?? '' }).end(found?.body);
  } else {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    standIn.objects.set(path, { body, etag });
    res.writeHead(200, { etag }).end();
  }
}

function conditionOf(req: IncomingMessage): string {
  if (req.headers['if-match'] !== undefined) return ' if-match';
  return req.headers['if-none-match'] === undefined ? '' : ' if-none-match';
}

/** Status and code as S3 has them. */
function refusalOf({ objects, buckets, conditions }: S3StandIn, req: IncomingMessage): [number, string] {
  const path = req.url ?? '';
  const found = objects.get(path);
  const condition = conditionOf(req);
  const minds =
    conditions === 'honoured' || (conditions === 'only-if-none-match' && condition === ' if-none-match');
  if (!buckets.has(path.split('/')[1] ?? '')) return [404, 'NoSuchBucket'];
  if (req.method === 'GET') return found === undefined ? [404, 'NoSuchKey'] : [200, ''];
  if (condition !== '' && conditions === 'not-implemented') return [501, 'NotImplemented'];
  if (condition === '' || !minds) return [200, ''];
  if (condition === ' if-none-match') return found === undefined ? [200, ''] : [412, 'PreconditionFailed'];
  if (found === undefined) return [404, 'NoSuchKey'];
  return found.etag === req.headers['if-match'] ? [200, ''] : [412, 'PreconditionFailed'];
}

/** Signature Version 4 from the server's side; the name of what is wrong, or null. */
function signatureProblem(req: IncomingMessage, body: Buffer): string | null {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header(req, 'authorization'),
    );
  if (match === null) return 'AccessDenied';
  const [, accessKeyId, day = '', region = '', names = '', signature] = match;
  if (accessKeyId !== S3_CREDENTIALS.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== S3_REGION) return 'AuthorizationHeaderMalformed';
  const mustBeSigned = Object.keys(req.headers).filter(
    (name) => name === 'host' || name.startsWith('x-amz-'),
  );
  if (!mustBeSigned.every((name) => names.split(';').includes(name))) return 'AccessDenied';
  const payloadHash = createHash('sha256').update(body).digest('hex');
  if (header(req, 'x-amz-content-sha256') !== payloadHash) return 'XAmzContentSHA256Mismatch';
  const lines = names.split(';').map((name) => `${name}:${header(req, name)}\n`);
  const canonical = `${req.method}\n${req.url}\n\n${lines.join('')}\n${names}\n${payloadHash}`;
  const hashed = createHash('sha256').update(canonical).digest('hex');
  const time = header(req, 'x-amz-date');
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/s3/aws4_request\n${hashed}`;
  const hmac = (key: string | Buffer, data: string): Buffer =>
    createHmac('sha256', key).update(data).digest();
  const dayKey = hmac(`AWS4${S3_CREDENTIALS.secretAccessKey}`, day);
  const signingKey = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request');
  return hmac(signingKey, text).toString('hex') === signature && time.startsWith(day)
    ? null
    : 'SignatureDoesNotMatch';
}

function header(req: IncomingMessage, name: string): string {
  const value = req.headers[name];
  return typeof value === 'string' ? value : '';
}
