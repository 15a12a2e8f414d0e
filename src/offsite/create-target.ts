import type { Environment, SnapshotConfig } from '../config.ts';
import type { ExchangeResponse } from './exchange.ts';
import { readS3Settings } from './s3-settings.ts';
import { S3Storage } from './s3-storage.ts';
import { type Refusal, SnapshotTarget, type Storage } from './target.ts';

export interface CreateTargetOptions {
  /** Holds the `AWS_*` variables. */
  readonly env: Environment;
  /** The current time in milliseconds. */
  readonly now: () => number;
  /** For each request as a whole; two minutes if it is not given. */
  readonly timeoutMs?: number;
}

/**
 * Makes the target that SNAPSHOT_URL names. Opens no connection.
 * @throws ConfigError that names every variable that is missing or wrong.
 */
export function createSnapshotTarget(
  { url, token }: Omit<SnapshotConfig, 'key'>,
  { env, now, timeoutMs }: CreateTargetOptions,
): SnapshotTarget {
  const isS3 = /^s3:/i.test(url);
  const storage = isS3 ? new S3Storage(readS3Settings(url, env), now) : new HttpStorage(new URL(url), token);
  return new SnapshotTarget(storage, timeoutMs);
}

/** An address that takes PUT and gives the bytes back by GET, such as a WebDAV server's. */
class HttpStorage implements Storage {
  readonly url: URL;
  readonly actions = { GET: 'GET', PUT: 'PUT' };
  readonly #headers: Readonly<Record<string, string>>;

  /** @param token sent as a bearer token (RFC 6750); null: user and password of the address (RFC 7617), if any */
  constructor(url: URL, token: string | null) {
    this.url = url;
    const pair = `${decode(url.username)}:${decode(url.password)}`;
    const basic = url.username === '' ? null : `Basic ${Buffer.from(pair).toString('base64')}`;
    const authorization = token === null ? basic : `Bearer ${token}`;
    this.#headers = { ...(authorization === null ? {} : { authorization }), 'cache-control': 'no-cache' };
  }

  authorize(_method: string, headers: Readonly<Record<string, string>>): Record<string, string> {
    return { ...headers, ...this.#headers };
  }

  refusalOf({ status, headers }: ExchangeResponse): Refusal {
    return { code: '', isMissing: status === 404, fix: fixFor(status, headers['location']) };
  }
}

/** A percent sign that encodes nothing stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fixFor(status: number, location: string | undefined): string {
  if (status === 401 || status === 403) {
    return 'set SNAPSHOT_TOKEN to a token that may read (GET) and write (PUT) the address in SNAPSHOT_URL.';
  }
  if (status >= 300 && status <= 399) {
    const isAddress = location !== undefined && URL.canParse(location);
    const host = isAddress ? ` (it leads to ${new URL(location).host})` : '';
    return `redirects are not followed${host}; set SNAPSHOT_URL to the address that it leads to.`;
  }
  if (status === 404 || status === 409) {
    return 'the folder of the address in SNAPSHOT_URL does not exist there; make it, or set another address.';
  }
  if (status === 413) return 'it takes no object of this size; raise its limit, or set another SNAPSHOT_URL.';
  return 'SNAPSHOT_URL must be an address that takes PUT and gives the same bytes back by GET.';
}
