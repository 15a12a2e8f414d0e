import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { DOCUMENT_LIMIT_BYTES } from '../store/document.ts';
import { SnapshotRefusedError, SnapshotUnreachableError } from './errors.ts';

/** Where a request goes. */
export interface ExchangeAddress {
  readonly isTls: boolean;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** As the Host header says it. */
  readonly host: string;
  /** Path and query as they go out; nothing is normalised. */
  readonly path: string;
}

export interface ExchangeRequest {
  readonly method: 'GET' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** How long a request may take. */
export interface ExchangeLimits {
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export const DEFAULT_EXCHANGE_LIMITS: ExchangeLimits = { idleMs: 20_000, totalMs: 120_000 };

/** What an answer that is not the object itself may say. */
const REMARK_LIMIT_BYTES = 64 * 1024;

/** An http or https address split into what a request needs. */
export function toAddress(url: URL): ExchangeAddress {
  const isTls = url.protocol === 'https:';
  return {
    isTls,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    host: url.host,
    path: `${url.pathname}${url.search}`,
  };
}

/**
 * Makes one request on a connection of its own and reads the answer whole, up to a bound. Follows no redirect.
 * @throws SnapshotUnreachableError where no whole answer came in time, SnapshotRefusedError where it is too large.
 */
export function exchange(
  address: ExchangeAddress,
  request: ExchangeRequest,
  { signal, limits = DEFAULT_EXCHANGE_LIMITS }: { signal: AbortSignal; limits?: ExchangeLimits },
): Promise<ExchangeAnswer> {
  const { hostname, port, host, path, isTls } = address;
  const { method, body = null } = request;
  const length = body === null ? {} : { 'content-length': String(body.length) };
  const headers = { ...request.headers, host, ...length, 'accept-encoding': 'identity', connection: 'close' };
  return new Promise((resolve, reject) => {
    const ended = AbortSignal.any([signal, AbortSignal.timeout(limits.totalMs)]);
    const make = isTls ? httpsRequest : httpRequest;
    const options = { method, hostname, port, path, headers, agent: false, timeout: limits.idleMs } as const;
    const sent = make({ ...options, signal: ended });
    let isAnswered = false;
    let isLate = false;
    const fail = (error: unknown): void => reject(toUnreachable(error, host, isLate || ended.aborted));
    sent.on('timeout', () => {
      isLate = true;
      sent.destroy();
    });
    sent.on('response', (response) => {
      isAnswered = true;
      readAnswer(response, host).then(resolve, (error: unknown) => {
        sent.destroy();
        fail(error);
      });
    });
    // A refusal may come, and the connection end, while the body is still being sent.
    sent.on('error', (error) => {
      if (!isAnswered) fail(error);
    });
    sent.end(body);
  });
}

async function readAnswer(response: IncomingMessage, host: string): Promise<ExchangeAnswer> {
  const status = response.statusCode ?? 0;
  const isObject = status === 200;
  const limitBytes = isObject ? DOCUMENT_LIMIT_BYTES : REMARK_LIMIT_BYTES;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes && isObject) throw new SnapshotRefusedError(tooLarge(host));
    if (length > limitBytes) break;
    chunks.push(chunk);
  }
  return { status, headers: response.headers, body: Buffer.concat(chunks) };
}

function tooLarge(host: string): string {
  const limit = `${DOCUMENT_LIMIT_BYTES / 1024 / 1024} MiB`;
  return `What ${host} holds at SNAPSHOT_URL is larger than ${limit} and no snapshot of this program; choose another address.`;
}

function toUnreachable(error: unknown, host: string, isLate: boolean): Error {
  if (error instanceof SnapshotRefusedError) return error;
  if (isLate) return new SnapshotUnreachableError(`${host} did not answer in time`, { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no whole answer';
  return new SnapshotUnreachableError(`${host} cannot be reached (${code})`, { cause: error });
}
