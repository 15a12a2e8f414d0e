import { BoundedMap } from '../bounded-map.ts';
import { parseJson } from '../json/value.ts';
import { DocumentError } from '../store/document-error.ts';
import type { Session } from '../store/entities.ts';
import { readRecord, SESSION } from '../store/records.ts';
import type { SessionStore } from '../store/store.ts';
import { unavailable } from './config-store.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine } from './engine.ts';
import { PREFIX, type Script } from './scripts.ts';
import {
  CHANGE_SESSION,
  DELETE_SESSIONS,
  END_SESSIONS,
  LIST_SESSIONS,
  PUT_SESSION,
} from './session-scripts.ts';

/** How many sessions are kept; over it the one used longest ago ends. */
const SESSIONS_LIMIT = 10_000;
/** While the engine is away, a session that was seen before counts for so long. */
const SEEN_LIMIT_MS = 60_000;
const SEEN_SESSIONS = 1_000;

export interface RedisSessionOptions {
  readonly engine: Engine;
  /** How long a session is kept after its last use, in milliseconds; it may end earlier. */
  readonly lifetimeMs: number;
  /** Called after a durable change by this instance. */
  readonly onChange: () => void;
}

interface SeenSession {
  readonly session: Session;
  readonly atMs: number;
}

/** Sessions in the engine. Every look-up asks it, so that a session that ended elsewhere ends here at once. */
export class RedisSessionStore implements SessionStore {
  readonly #options: RedisSessionOptions;
  readonly #seen = new BoundedMap<SeenSession>(SEEN_SESSIONS);

  constructor(options: RedisSessionOptions) {
    this.#options = options;
  }

  async get(digest: string): Promise<Session | undefined> {
    try {
      const session = readSession(await this.#options.engine.command(['GET', `${PREFIX}session:${digest}`]));
      if (session === undefined) this.#seen.delete(digest);
      else this.#seen.set(digest, { session, atMs: performance.now() });
      return session;
    } catch (error) {
      const seen = this.#seen.get(digest);
      const isRecent = seen !== undefined && performance.now() - seen.atMs < SEEN_LIMIT_MS;
      if (error instanceof EngineAwayError && isRecent) return seen.session;
      throw unavailable(error);
    }
  }

  async put(session: Session): Promise<void> {
    const { lifetimeMs } = this.#options;
    const limits = [String(lifetimeMs), String(SESSIONS_LIMIT)];
    await this.#change(PUT_SESSION, [JSON.stringify(session), session.digest, ...limits]);
  }

  async rebind(digest: string, credential: string): Promise<void> {
    await this.#change(CHANGE_SESSION, this.#member(digest, 'credential', credential));
  }

  async touch(digest: string, lastSeenAt: number): Promise<void> {
    const { engine } = this.#options;
    const member = this.#member(digest, 'lastSeenAt', lastSeenAt);
    // A use that cannot be noted ends nobody's work.
    await engine.run(CHANGE_SESSION, [engine.instance, ...member]).catch(ignoreAway);
  }

  async list(): Promise<readonly Session[]> {
    const texts = await this.#options.engine.run(LIST_SESSIONS).catch((error: unknown) => {
      throw unavailable(error);
    });
    return (Array.isArray(texts) ? texts : []).flatMap((text: unknown) => readSession(text) ?? []);
  }

  async listByUser(userId: string | null): Promise<readonly Session[]> {
    return (await this.list()).filter((session) => session.userId === userId);
  }

  async delete(digests: readonly string[]): Promise<void> {
    for (const digest of digests) this.#seen.delete(digest);
    if (digests.length > 0) await this.#change(DELETE_SESSIONS, digests);
  }

  deleteByUser(userId: string | null, exceptDigest = ''): Promise<void> {
    return this.#end(['user', userId ?? '', exceptDigest]);
  }

  deleteAll(exceptDigest = ''): Promise<void> {
    return this.#end(['all', '', exceptDigest]);
  }

  deleteIdle(seenBeforeMs: number): Promise<void> {
    return this.#end(['idle', String(seenBeforeMs), '']);
  }

  async #end(which: readonly string[]): Promise<void> {
    this.#seen.clear();
    await this.#change(END_SESSIONS, which);
  }

  #member(digest: string, name: keyof Session, value: unknown): string[] {
    return [digest, name, JSON.stringify(value), String(this.#options.lifetimeMs)];
  }

  /** Runs a script that tells how much it has changed. @throws HttpError `storage_unavailable`. */
  async #change(script: Script, args: readonly string[]): Promise<void> {
    const { engine, onChange } = this.#options;
    const changed = await engine.run(script, [engine.instance, ...args]).catch((error: unknown) => {
      throw unavailable(error);
    });
    if (Number(changed) > 0) onChange();
  }
}

/** A session that cannot be read has ended: its owner signs in again. */
function readSession(text: unknown): Session | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return readRecord(SESSION, parseJson(text), 'session');
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

function ignoreAway(error: unknown): void {
  if (!(error instanceof EngineAwayError)) throw error;
}
