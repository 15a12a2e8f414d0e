import { randomBytes } from 'node:crypto';
import type { Books } from '../books.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { DocumentCodec } from '../store/document.ts';
import { createNewConfig } from '../store/new-config.ts';
import { createSealer } from '../store/secrets.ts';
import { loadClientFactory } from './client.ts';
import { Engine } from './engine.ts';
import { RedisStore } from './redis-store.ts';
import { SharedBudgets } from './shared-budgets.ts';
import { SharedGate } from './shared-gate.ts';
import { SharedHealth } from './shared-health.ts';
import { SharedLedger } from './shared-ledger.ts';
import { SharedLog } from './shared-log.ts';
import { type FirstContent, takeOver } from './take-over.ts';

export interface OpenRedisOptions {
  readonly url: string;
  readonly config: Config;
  readonly logger: Logger;
  /** See `RedisSessionOptions`. */
  readonly sessionLifetimeMs: number;
  /** What a file at DB_PATH holds, for an engine that holds nothing yet; null: there is none. */
  readonly findFirst: () => Promise<FirstContent | null>;
}

/** What a start serves. */
export interface OpenedRedis {
  readonly engine: Engine;
  readonly store: RedisStore;
  readonly books: Books;
}

/**
 * Connects to the engine, waits as long as it is not there, and opens store and books in it.
 * @throws ConfigError if the package `redis` is not installed; StoreStartError.
 */
export async function openRedis(options: OpenRedisOptions): Promise<OpenedRedis> {
  const { url, config, logger, sessionLifetimeMs } = options;
  const { encryptionKey: key, previousEncryptionKey: previousKey } = config;
  const sealer = key === null ? null : createSealer({ key, previousKey, randomBytes });
  const engine = new Engine({
    createClient: await loadClientFactory(url),
    logger,
    // Deployments that share an engine have databases of their own, as the address says.
    instance: `${new URL(url).pathname.slice(1) || '0'}-${randomBytes(6).toString('hex')}`,
  });
  await engine.connect();
  const store = await RedisStore.open({
    engine,
    codec: new DocumentCodec(sealer),
    isEncrypted: sealer !== null,
    sessionLifetimeMs,
    logger,
    now: Date.now,
    async findFirst() {
      const first = await options.findFirst();
      if (first === null) return createNewConfig({ now: Date.now, randomBytes });
      await takeOver(first, { engine, logger, sessionLifetimeMs });
      return first.config;
    },
  });
  const budgets = new SharedBudgets(engine, Date.now);
  const ledger = new SharedLedger(engine, Date.now);
  const requestLog = new SharedLog(engine, config.requestLogBytes);
  const health = new SharedHealth(engine);
  for (const part of [budgets, ledger, requestLog, health]) await engine.add(part);
  const gate = new SharedGate(engine, budgets, Date.now);
  const shared = { gate, health, isFirst: () => budgets.isFirst };
  return { engine, store, books: { ledger, requestLog, budgets, shared } };
}
