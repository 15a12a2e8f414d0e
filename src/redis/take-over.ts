import type { Logger } from '../logger.ts';
import type { Session } from '../store/entities.ts';
import type { ConfigState, Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { PREFIX } from './scripts.ts';

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
  readonly store: Store;
  readonly logger: Logger;
}

/** Puts what belongs to a configuration that was just taken over into the engine. @throws EngineAwayError. */
export async function takeOver(
  { config, sessions, numbers }: FirstContent,
  { engine, store, logger }: TakeOverOptions,
): Promise<void> {
  // Another instance may have been faster; then its configuration counts, and what it took over with it.
  if (store.config.view().instanceId !== config.instanceId) return;
  for (const session of sessions) await store.sessions.put(session);
  const uses = [...numbers].flatMap(([name, atMs]) => [String(atMs), name]);
  if (uses.length > 0) await engine.command(['ZADD', `${PREFIX}uses`, ...uses]);
  logger.info('redis.taken_over', { message: 'Redis was empty: it has taken over the database at DB_PATH.' });
}
