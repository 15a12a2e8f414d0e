import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { BoundedMap } from '../bounded-map.ts';
import { HttpError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { COLLECTIONS } from '../store/changes.ts';
import { isSameConfig, viewConfig } from '../store/config-view.ts';
import {
  type DecodedDocument,
  DOCUMENT_LIMIT_BYTES,
  type DocumentCodec,
  parseRawDocument,
} from '../store/document.ts';
import { DocumentError, StoreStartError } from '../store/document-error.ts';
import {
  type ConfigReplacement,
  type ConfigState,
  type ConfigStore,
  type ConfigView,
  VersionConflictError,
} from '../store/store.ts';
import { REPLACE_CONFIG, RESEAL_CONFIG } from './config-scripts.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine, EngineMessage, EnginePart } from './engine.ts';
import { PREFIX } from './scripts.ts';

export interface RedisConfigOptions {
  readonly engine: Engine;
  readonly codec: DocumentCodec;
  readonly logger: Logger;
  readonly now: () => number;
  /** Finds the configuration for an engine that holds none yet. */
  readonly findFirst: () => Promise<ConfigState>;
  /** Called when the view shows another configuration. */
  readonly onChange: () => void;
}

const KEY = `${PREFIX}config`;
const PREVIOUS_KEY = `${PREFIX}config:previous`;
/** By how many changes an engine can fall behind without being believed to hold another history. */
const SEEN_LIMIT = 100;

interface StoredDocument {
  readonly version: number;
  readonly text: string;
}

/** The configuration as one document with a version in the engine, and the view of it in memory. */
export class RedisConfigStore implements ConfigStore, EnginePart {
  readonly #options: RedisConfigOptions;
  #view: ConfigView | null = null;
  /** Why the engine's present document cannot be used; null: it is used. */
  #problem: string | null = null;
  #loading: Promise<void> | null = null;
  /** Digests of the documents that the engine has held, by their versions. */
  readonly #seen = new BoundedMap<string>(SEEN_LIMIT);

  constructor(options: RedisConfigOptions) {
    this.#options = options;
  }

  // Callers keep the function alone.
  view: ConfigStore['view'] = () => {
    if (this.#view === null) throw new Error('The configuration is not loaded yet.');
    return this.#view;
  };

  /** See `#problem`. */
  get problem(): string | null {
    return this.#problem;
  }

  async replace({ expectedVersion, state }: ConfigReplacement): Promise<void> {
    const before = this.view();
    if (expectedVersion !== before.version) throw this.#conflict();
    if (isSameConfig(state, before)) return;
    const isStored = await this.#store(state, expectedVersion, expectedVersion + 1).catch(
      (error: unknown) => {
        throw unavailable(error);
      },
    );
    if (!isStored) {
      // The caller tries again on the newest view.
      await this.#load().catch((error: unknown) => {
        throw unavailable(error);
      });
      throw this.#conflict();
    }
    // Somebody else's next change may show already.
    if (this.view().version <= expectedVersion) this.#show(state, expectedVersion + 1);
  }

  /** Loads the configuration, or stores the first one. @throws EngineAwayError; StoreStartError for an unusable document. */
  async resume(): Promise<void> {
    if (this.#view === null) await this.#start();
    else await this.#load();
  }

  /** Looks whether the version has changed: messages may be lost. */
  async beat(): Promise<void> {
    const version = Number(await this.#options.engine.command(['HGET', KEY, 'version']));
    if (version !== this.view().version) await this.#load();
  }

  onMessage({ kind, text }: EngineMessage): void {
    if (kind !== 'config' || this.#view === null || Number(text) <= this.#view.version) return;
    // Without it, the next beat would do it.
    this.#load().catch(() => {});
  }

  async #start(): Promise<void> {
    const { logger, findFirst } = this.#options;
    let stored = await this.#read();
    if (stored === null) {
      const state = await findFirst();
      if (await this.#store(state, 0, 1)) {
        this.#view = viewConfig(state, 1);
        return;
      }
      stored = await this.#read();
    }
    if (stored === null) throw new EngineAwayError();
    try {
      const document = this.#decode(stored.text);
      this.#view = viewConfig(document.config, stored.version);
      this.#note(stored);
      if (document.hasStaleSecrets) await this.#reseal(stored.version, document);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      const problem = `The configuration in Redis cannot be used: ${error.message}.`;
      logger.error('redis.unusable_config', { message: problem });
      throw new StoreStartError(`${problem} Restore one of the values of the list ${PREVIOUS_KEY}.`, {
        cause: error,
      });
    }
  }

  /** Shows the engine's configuration; one reading at a time, and one that was asked for meanwhile reads again. */
  #load(): Promise<void> {
    const before = this.#loading ?? Promise.resolve();
    const loading = before.catch(() => {}).then(() => this.#loadNow());
    this.#loading = loading;
    return loading;
  }

  async #loadNow(): Promise<void> {
    const { logger } = this.#options;
    const stored = await this.#read();
    const view = this.view();
    if (stored === null || (stored.version < view.version && this.#hasSeen(stored))) {
      // What every instance knows is better than what is left: it may be a key that was disabled.
      const message = 'Redis has lost the last configuration; it is stored again from memory.';
      logger.warn('redis.fell_behind', { message });
      const version = view.version + 1;
      if (await this.#store(view, stored?.version ?? 0, version)) this.#show(view, version);
      return;
    }
    if (stored.version === view.version && this.#hasSeen(stored)) return;
    try {
      const state = reuseRecords(view, this.#decode(stored.text).config);
      this.#note(stored);
      this.#problem = null;
      if (stored.version !== view.version || !isSameConfig(state, view)) this.#show(state, stored.version);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      if (this.#problem === null) logger.error('redis.unusable_config', { message: error.message });
      this.#problem = `The configuration in Redis cannot be used: ${error.message}`;
    }
  }

  async #read(): Promise<StoredDocument | null> {
    const reply = await this.#options.engine.command(['HMGET', KEY, 'version', 'document']);
    const [version, text]: readonly unknown[] = Array.isArray(reply) ? reply : [];
    return typeof version === 'string' && typeof text === 'string'
      ? { version: Number(version), text }
      : null;
  }

  #decode(text: string): DecodedDocument {
    return this.#options.codec.decode(parseRawDocument(Buffer.from(text)).object);
  }

  #encode(config: ConfigState, generation: number): string {
    const { codec, now } = this.#options;
    const savedAt = new Date(now()).toISOString();
    return codec.encode({ config, generation, savedAt, sessions: [], numbers: [] }).bytes.toString();
  }

  #note({ version, text }: StoredDocument): void {
    this.#seen.set(String(version), digestOf(text));
  }

  #hasSeen({ version, text }: StoredDocument): boolean {
    return this.#seen.get(String(version)) === digestOf(text);
  }

  /** False if another instance was faster. */
  async #store(state: ConfigState, expectedVersion: number, version: number): Promise<boolean> {
    const { engine } = this.#options;
    const text = this.#encode(state, version);
    if (Buffer.byteLength(text) > DOCUMENT_LIMIT_BYTES) {
      throw new HttpError(
        'storage_unavailable',
        'The change was not saved: the configuration would be larger than 64 MB.',
      );
    }
    const args = [engine.instance, String(expectedVersion), text, String(version)];
    if ((await engine.run(REPLACE_CONFIG, args)) !== 1) return false;
    this.#note({ version, text });
    return true;
  }

  /** Seals the secrets of the configuration and its previous versions with the current key. */
  async #reseal(version: number, document: DecodedDocument): Promise<void> {
    const { engine, codec } = this.#options;
    const previous = await engine.command(['LRANGE', PREVIOUS_KEY, '0', '-1']);
    const texts = (Array.isArray(previous) ? previous : []).map((text: unknown) => {
      try {
        return codec.encode(this.#decode(String(text))).bytes.toString();
      } catch (error) {
        if (error instanceof DocumentError) return String(text);
        throw error;
      }
    });
    await engine.run(RESEAL_CONFIG, [String(version), this.#encode(document.config, version), ...texts]);
  }

  #show(state: ConfigState, version: number): void {
    this.#view = viewConfig(state, version, this.view());
    this.#options.onChange();
  }

  #conflict(): VersionConflictError {
    return new VersionConflictError(`The version is ${this.view().version} by now.`);
  }
}

/** The error for a change that was not stored. */
export function unavailable(cause: unknown): unknown {
  if (!(cause instanceof EngineAwayError)) return cause;
  const message = 'Redis does not answer, so nothing can be changed at present. Try again in a moment.';
  return new HttpError('storage_unavailable', message, { headers: { 'retry-after': '5' }, cause });
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** The new state with the objects of the old one wherever they are equal: indexes and compiled providers are kept. */
function reuseRecords(before: ConfigState, after: ConfigState): ConfigState {
  const reused: Record<string, unknown> = { ...after };
  for (const name of COLLECTIONS) {
    const old: ReadonlyMap<string, unknown> = before[name];
    const records = new Map<string, unknown>();
    for (const [id, record] of after[name]) {
      const known = old.get(id);
      records.set(id, known !== undefined && isDeepStrictEqual(known, record) ? known : record);
    }
    const isSame =
      records.size === old.size &&
      isDeepStrictEqual([...records.keys()], [...old.keys()]) &&
      [...records].every(([id, record]) => old.get(id) === record);
    reused[name] = isSame ? old : records;
  }
  for (const name of ['settings', 'masterKey'] as const) {
    if (isDeepStrictEqual(before[name], after[name])) reused[name] = before[name];
  }
  return reused as unknown as ConfigState;
}
