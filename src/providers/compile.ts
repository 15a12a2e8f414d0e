import { isDeepStrictEqual } from 'node:util';
import type { HeaderList } from '../http/headers.ts';
import { keyHint, secretForms } from '../redaction.ts';
import type { Provider } from '../store/entities.ts';
import type { CompiledKey, CompiledProvider, Quirk } from './adapter.ts';
import { requireBaseUrl } from './base-url.ts';
import { chutesAdapter, isChutes } from './chutes.ts';
import { type ConnectionOptions, createConnection } from './connection.ts';
import { joinUrl } from './join-url.ts';
import { openaiAdapter } from './openai.ts';
import { ANTHROPIC_HOST, spokenAt } from './protocol-way.ts';

/**
 * Derives everything that a provider's requests share from its record.
 * @throws HttpError `upstream_unreachable` for a base URL that is not valid or not allowed.
 */
export function compileProvider(record: Provider, options: ConnectionOptions): CompiledProvider {
  const baseUrl = requireBaseUrl(record);
  const isAnthropic = baseUrl.hostname === ANTHROPIC_HOST;
  const paths = new Map<string, string>();
  return {
    id: record.id,
    record,
    adapter: isChutes(record) ? chutesAdapter : openaiAdapter,
    keys: compileKeys(record, isAnthropic),
    ownHeaders: isAnthropic ? ANTHROPIC_HEADERS : [],
    hasKeys: record.keys.length > 0,
    headers: HEADERS,
    connection: createConnection(record, baseUrl, options),
    pathOf(upstreamPath) {
      const known = paths.get(upstreamPath);
      if (known !== undefined) return known;
      const url = joinUrl(baseUrl, upstreamPath, record.options.pathMode);
      const path = `${url.pathname}${url.search}`;
      // Paths without a row are endless.
      if (paths.size < PATHS_LIMIT) paths.set(upstreamPath, path);
      return path;
    },
    spoken: spokenAt(baseUrl),
    quirks: new Set<Quirk>(),
    secrets: record.keys.flatMap(({ secret }) => (secret === null ? [] : secretForms(secret))),
  };
}

/** Caches each compiled provider for as long as its record stays the same. */
export class Providers {
  readonly #known = new Map<string, { record: Provider; readonly compiled: CompiledProvider }>();
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The compiled provider for a record. An equal record keeps the same compiled provider, with its open connections and its
   * quirks. @throws HttpError as `compileProvider`.
   */
  of(record: Provider): CompiledProvider {
    const known = this.#known.get(record.id);
    if (known !== undefined) {
      if (known.record === record) return known.compiled;
      if (isDeepStrictEqual(known.record, record)) {
        known.record = record;
        return known.compiled;
      }
    }
    const compiled = compileProvider(record, this.#options);
    this.#known.set(record.id, { record, compiled });
    return compiled;
  }

  /** Forgets deleted providers. Their running requests finish; their idle connections time out. */
  keepOnly(records: ReadonlyMap<string, Provider>): void {
    for (const id of this.#known.keys()) {
      if (!records.has(id)) this.#known.delete(id);
    }
  }
}

const PATHS_LIMIT = 64;
/** The first version of Anthropic's API, which every request must name one of. */
const ANTHROPIC_HEADERS: HeaderList = ['anthropic-version', '2023-06-01'];
const HEADERS: HeaderList = ['accept-encoding', 'identity', 'user-agent', 'ipin-proxy'];
/** Visible ASCII and spaces (RFC 9110 section 5.5). The panel accepts no other keys, but imported files may hold them. */
const HEADER_TEXT = /^[\x20-\x7e]+$/;

function compileKeys({ keys }: Provider, isAnthropic: boolean): CompiledKey[] {
  return keys.flatMap(({ id, secret, enabled }) => {
    if (!enabled || secret === null || !HEADER_TEXT.test(secret)) return [];
    const headers = ['authorization', `Bearer ${secret}`];
    const ownHeaders = isAnthropic ? ['x-api-key', secret] : headers;
    return [{ id, hint: keyHint(secret), headers, ownHeaders }];
  });
}
