import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { hostOf } from '../ip-address.ts';
import { DOCUMENT_LIMIT_BYTES } from '../store/document.ts';
import { SnapshotError } from './errors.ts';

export interface ExchangeRequest {
  readonly method: 'GET' | 'PUT';
  /** Path and query go out as they are. User and password in it are ignored. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** null: no body. */
  readonly body: Buffer | null;
}

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Limit for every body other than the object itself. */
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Sends one request on its own connection and reads the whole response, up to a limit. Redirects are not followed.
 * Apart from the HTTP client for providers, because that one needs pools and streams, and this one neither.
 * @throws SnapshotError `unreachable` if no whole response arrives within `timeoutMs`, `refused` if the body is too large.
 */
export function sendRequest(
  { method, url, headers, body }: ExchangeRequest,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<ExchangeResponse> {
  const { host, port, pathname, search } = url;
  const length = body === null ? {} : { 'content-length': String(body.length) };
  const options = {
    method,
    hostname: hostOf(url),
    port,
    path: `${pathname}${search}`,
    headers: { ...headers, host, ...length, 'accept-encoding': 'identity', connection: 'close' },
    agent: false,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    const sent = url.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
    let hasResponse = false;
    let isLate = false;
    // Not AbortSignal.timeout: Node 20 may collect what AbortSignal.any makes of it before the time is over.
    const timer = setTimeout(() => {
      isLate = true;
      sent.destroy();
    }, timeoutMs);
    sent.on('close', () => clearTimeout(timer));
    const fail = (error: unknown): void => reject(toSnapshotError(error, host, isLate || signal.aborted));
    sent.on('response', (response) => {
      hasResponse = true;
      readResponse(response, host).then(resolve, (error: unknown) => {
        sent.destroy();
        fail(error);
      });
    });
    // A server may refuse and close the connection while the body is still being sent: the response counts.
    sent.on('error', (error) => {
      if (!hasResponse) fail(error);
    });
    sent.end(body);
  });
}

async function readResponse(response: IncomingMessage, host: string): Promise<ExchangeResponse> {
  const status = response.statusCode ?? 0;
  const isObject = status === 200;
  const limitBytes = isObject ? DOCUMENT_LIMIT_BYTES : ERROR_BODY_LIMIT_BYTES;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes && isObject) {
      const limit = `${DOCUMENT_LIMIT_BYTES / 1024 / 1024} MiB`;
      const problem = `What ${host} holds at SNAPSHOT_URL is larger than ${limit} and no snapshot of this program`;
      throw new SnapshotError('refused', `${problem}; choose another address.`);
    }
    if (length > limitBytes) break;
    chunks.push(chunk);
  }
  return { status, headers: response.headers, body: Buffer.concat(chunks) };
}

function toSnapshotError(error: unknown, host: string, isLate: boolean): SnapshotError {
  if (error instanceof SnapshotError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no whole answer';
  const problem = isLate ? 'did not answer in time' : `cannot be reached (${code})`;
  return new SnapshotError('unreachable', `${host} ${problem}`, { cause: error });
}
