import type { Logger } from '../logger.ts';
import type { Session } from '../store/entities.ts';
import type { ConfigState } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { PREFIX } from './scripts.ts';
import { RedisSessionStore } from './session-store.ts';
import { takeOverUsage } from './take-over-usage.ts';

/** What an engine takes over from a database file, once. */
export interface FirstContent {
  readonly config: ConfigState;
  readonly sessions: readonly Session[];
  /** Times of last use by name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The folder with what was counted; null: there is none. */
  readonly usageFolder: string | null;
}

export interface TakeOverOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  /** See `RedisSessionOptions`. */
  readonly sessionLifetimeMs: number;
}

/**
 * Puts everything beside the configuration into an engine that holds nothing yet. The configuration follows as the last, so that
 * nobody serves before, and an interrupted take-over begins anew.
 * @throws EngineAwayError; the system's error.
 */
export async function takeOver(first: FirstContent, options: TakeOverOptions): Promise<void> {
  const { engine, logger, sessionLifetimeMs: lifetimeMs } = options;
  const store = new RedisSessionStore({ engine, lifetimeMs, onChange: () => {} });
  for (const session of first.sessions) await store.put(session);
  const uses = [...first.numbers].flatMap(([name, atMs]) => [String(atMs), name]);
  if (uses.length > 0) await engine.command(['ZADD', `${PREFIX}uses`, ...uses]);
  if (first.usageFolder !== null) {
    await takeOverUsage(first.usageFolder, { engine, logger, now: Date.now });
  }
  const message =
    'Redis is empty: it takes over the database at DB_PATH, which stays as it is and is not used any more.';
  logger.info('redis.taken_over', { message });
}
