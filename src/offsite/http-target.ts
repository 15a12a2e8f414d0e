import { SnapshotRefusedError, SnapshotUnreachableError } from './errors.ts';
import {
  DEFAULT_EXCHANGE_LIMITS,
  type ExchangeAddress,
  type ExchangeAnswer,
  type ExchangeLimits,
  type ExchangeRequest,
  exchange,
  toAddress,
} from './exchange.ts';
import {
  conditionHeaders,
  type FoundSnapshot,
  type SnapshotTarget,
  strongEtag,
  type WriteAnswer,
  type WriteCondition,
} from './target.ts';

export interface HttpTargetOptions {
  readonly url: URL;
  /** Sent as a bearer token (RFC 6750); null: a user and password in the address are sent instead (RFC 7617). */
  readonly token: string | null;
  readonly limits?: ExchangeLimits;
}

/** Any address that takes PUT and gives it back by GET (RFC 9110 section 9.3), WebDAV servers included. */
export class HttpTarget implements SnapshotTarget {
  readonly host: string;
  readonly #address: ExchangeAddress;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limits: ExchangeLimits;

  constructor({ url, token, limits = DEFAULT_EXCHANGE_LIMITS }: HttpTargetOptions) {
    this.host = url.host;
    this.#address = toAddress(url);
    this.#headers = { ...authorization(url, token), 'cache-control': 'no-cache' };
    this.#limits = limits;
  }

  async get(signal: AbortSignal): Promise<FoundSnapshot | 'absent'> {
    const answer = await this.#exchange({ method: 'GET', headers: this.#headers }, signal);
    if (answer.status === 200) return { bytes: answer.body, etag: strongEtag(answer.headers.etag) };
    if (answer.status === 404) return 'absent';
    throw this.#problem('GET', answer);
  }

  async put(bytes: Buffer, condition: WriteCondition, signal: AbortSignal): Promise<WriteAnswer> {
    const headers = { ...this.#headers, ...conditionHeaders(condition), 'content-type': 'text/plain' };
    const answer = await this.#exchange({ method: 'PUT', headers, body: bytes }, signal);
    const { status } = answer;
    if (status >= 200 && status <= 299) return { kind: 'written', etag: strongEtag(answer.headers.etag) };
    if (status === 412) return { kind: 'conflict' };
    // Some say of an object that went away meanwhile that it is not there, rather than that it does not match.
    if (status === 404 && condition !== null && 'ifMatch' in condition) return { kind: 'conflict' };
    if (status === 501 && condition !== null) return { kind: 'unsupported' };
    throw this.#problem('PUT', answer);
  }

  #exchange(request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
    return exchange(this.#address, request, { signal, limits: this.#limits });
  }

  #problem(method: string, { status, headers }: ExchangeAnswer): Error {
    const { host } = this;
    if (isPassing(status)) return new SnapshotUnreachableError(`${host} answers ${method} with ${status}`);
    return new SnapshotRefusedError(
      `${host} answers ${method} with ${status}: ${advice(status, headers.location)}`,
    );
  }
}

/** True for statuses that waiting may mend. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

function authorization(url: URL, token: string | null): Record<string, string> {
  if (token !== null) return { authorization: `Bearer ${token}` };
  if (url.username === '') return {};
  const pair = `${decode(url.username)}:${decode(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function advice(status: number, location: string | undefined): string {
  if (status === 401 || status === 403) {
    return 'set SNAPSHOT_TOKEN to a token that may read (GET) and write (PUT) the address in SNAPSHOT_URL.';
  }
  if (status >= 300 && status <= 399) return redirectAdvice(location);
  if (status === 404 || status === 409) {
    return 'the folder of the address in SNAPSHOT_URL does not exist there; make it, or set another address.';
  }
  if (status === 413) return 'it takes no object of this size; raise its limit, or set another SNAPSHOT_URL.';
  return 'SNAPSHOT_URL must be an address that takes PUT and gives the same bytes back by GET.';
}

function redirectAdvice(location: string | undefined): string {
  const host =
    location !== undefined && URL.canParse(location) ? ` (it leads to ${new URL(location).host})` : '';
  return `redirects are not followed${host}; set SNAPSHOT_URL to the address that it leads to.`;
}
