import { Cancellation } from '../cancellation.ts';
import { piecesOf } from '../http/body-source.ts';
import { createDestination } from '../providers/upstream/destination.ts';
import type { ResponseHeaders } from '../providers/upstream/response-head.ts';
import { sendOnce } from '../providers/upstream/send-once.ts';
import type { TransferResponse } from '../providers/upstream/transfer.ts';
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
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

/** Limit for every body other than the object itself. */
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Sends one request on its own connection and reads the whole response, up to a limit. Redirects are not followed.
 * @throws SnapshotError `unreachable` if no whole response arrives within `timeoutMs`, `refused` if the body is too large.
 */
export async function sendRequest(
  { method, url, headers, body }: ExchangeRequest,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<ExchangeResponse> {
  const { host, pathname, search } = url;
  const timeouts = { connectTimeoutMs: timeoutMs, headersTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs };
  const destination = createDestination(url, { id: host, timeouts });
  const request = {
    method,
    path: `${pathname}${search}`,
    headers: [...Object.entries(headers).flat(), 'accept-encoding', 'identity'],
    body: body === null ? ({ kind: 'none' } as const) : ({ kind: 'pieces', pieces: [body] } as const),
  };
  // Not AbortSignal.any: Node 20 may collect what it makes of AbortSignal.timeout before the time is over.
  const ending = new Cancellation();
  const end = (): void => ending.abort(signal.reason);
  const timer = setTimeout(() => ending.abort(new Error('too late')), timeoutMs);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    return await readResponse(await sendOnce(request, { destination, signal: ending }), host);
  } catch (error) {
    throw toSnapshotError(error, host, ending.aborted);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function readResponse(
  { status, headers, body }: TransferResponse,
  host: string,
): Promise<ExchangeResponse> {
  const isObject = status === 200;
  const limitBytes = isObject ? DOCUMENT_LIMIT_BYTES : ERROR_BODY_LIMIT_BYTES;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of piecesOf(body)) {
    length += chunk.length;
    if (length > limitBytes && isObject) {
      const limit = `${DOCUMENT_LIMIT_BYTES / 1024 / 1024} MiB`;
      const problem = `What ${host} holds at SNAPSHOT_URL is larger than ${limit} and no snapshot of this program`;
      throw new SnapshotError('refused', `${problem}; choose another address.`);
    }
    if (length > limitBytes) break;
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

function toSnapshotError(error: unknown, host: string, isLate: boolean): SnapshotError {
  if (error instanceof SnapshotError) return error;
  const problem = isLate ? 'did not answer in time' : `cannot be reached (${codeOf(error)})`;
  return new SnapshotError('unreachable', `${host} ${problem}`, { cause: error });
}

/** The code of the innermost error that has one. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no whole answer';
  if (error.cause !== undefined) return codeOf(error.cause);
  return 'code' in error ? String(error.code) : 'no whole answer';
}
