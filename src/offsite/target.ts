import { SnapshotError } from './errors.ts';
import { type ExchangeResponse, sendRequest } from './exchange.ts';

/** The object that the target holds. */
export interface FoundSnapshot {
  readonly bytes: Buffer;
  /** A strong entity tag (RFC 9110 section 8.8.3) with its quotes; null if the target sends none. */
  readonly etag: string | null;
}

/**
 * What must be true for a write to happen (RFC 9110 section 13.1): the target holds the object with this entity tag, or
 * none at all; null: no condition.
 */
export type WriteCondition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' } | null;

/** `refused`: the condition is false, or the target takes none; nothing was written. */
export type WriteResult = { readonly etag: string | null } | 'refused';

/** What a response other than a success means. */
export interface Refusal {
  /** The storage's own name for the problem; empty if there is none. */
  readonly code: string;
  /** True only if the response certainly says that there is no such object. */
  readonly isMissing: boolean;
  /** What a person must do; null if waiting may help. */
  readonly fix: string | null;
}

/** What differs between plain HTTP and S3: where the object is, how a request is authorised, what a refusal means. */
export interface Storage {
  readonly url: URL;
  /** What GET and PUT are called in messages. */
  readonly actions: { readonly GET: string; readonly PUT: string };
  /** Adds what authorises the request to its headers. */
  authorize(
    method: 'GET' | 'PUT',
    headers: Readonly<Record<string, string>>,
    body: Buffer | null,
  ): Readonly<Record<string, string>>;
  refusalOf(response: ExchangeResponse): Refusal;
}

const TIMEOUT_MS = 120_000;

/** One object off this machine, read by GET and written by PUT (RFC 9110 section 9.3), with conditional writes. */
export class SnapshotTarget {
  /** For log and panel: the host alone, because the rest of an address may hold secrets. */
  readonly host: string;
  readonly #storage: Storage;
  readonly #timeoutMs: number;

  /** @param timeoutMs for each request as a whole */
  constructor(storage: Storage, timeoutMs = TIMEOUT_MS) {
    this.host = storage.url.host;
    this.#storage = storage;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Reads the object. `absent` only if the target certainly holds none.
   * @throws SnapshotError `unreachable` or `refused`.
   */
  async get(signal: AbortSignal): Promise<FoundSnapshot | 'absent'> {
    const response = await this.#send('GET', { headers: {}, body: null, signal });
    if (response.status === 200) return { bytes: response.body, etag: strongEtag(response.headers['etag']) };
    const refusal = this.#storage.refusalOf(response);
    if (refusal.isMissing) return 'absent';
    throw this.#problem('GET', response.status, refusal);
  }

  /**
   * Writes the object.
   * @throws SnapshotError `unreachable`, after which the object may have been written all the same, or `refused`.
   */
  async put(bytes: Buffer, condition: WriteCondition, signal: AbortSignal): Promise<WriteResult> {
    const headers = { ...conditionHeaders(condition), 'content-type': 'text/plain' };
    const response = await this.#send('PUT', { headers, body: bytes, signal });
    const { status } = response;
    if (status >= 200 && status <= 299) return { etag: strongEtag(response.headers['etag']) };
    const refusal = this.#storage.refusalOf(response);
    if (condition !== null && [409, 412, 501].includes(status)) return 'refused';
    // If-Match on an object that is gone: some targets answer that it is missing, others that it does not match.
    if (condition !== null && 'ifMatch' in condition && refusal.isMissing) return 'refused';
    throw this.#problem('PUT', status, refusal);
  }

  #send(
    method: 'GET' | 'PUT',
    { headers, body, signal }: { headers: Record<string, string>; body: Buffer | null; signal: AbortSignal },
  ): Promise<ExchangeResponse> {
    const authorized = this.#storage.authorize(method, headers, body);
    const request = { method, url: this.#storage.url, headers: authorized, body };
    return sendRequest(request, { signal, timeoutMs: this.#timeoutMs });
  }

  #problem(method: 'GET' | 'PUT', status: number, { code, fix }: Refusal): SnapshotError {
    const action = this.#storage.actions[method];
    const message = `${this.host} answers ${action} with ${status}${code && ` ${code}`}`;
    const mayPass = [408, 425, 429].includes(status) || (status >= 500 && status !== 501);
    if (mayPass || fix === null) return new SnapshotError('unreachable', message);
    return new SnapshotError('refused', `${message}: ${fix}`);
  }
}

function conditionHeaders(condition: WriteCondition): Record<string, string> {
  if (condition === null) return {};
  return 'ifMatch' in condition ? { 'if-match': condition.ifMatch } : { 'if-none-match': '*' };
}

/**
 * The entity tag if `If-Match` may name it, else null: weak tags never match there (RFC 9110 section 13.1.1).
 */
export function strongEtag(value: string | undefined): string | null {
  return value !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(value) ? value : null;
}
