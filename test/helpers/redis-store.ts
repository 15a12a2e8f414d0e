import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { createLogger, type Logger } from '../../src/logger.ts';
import { loadClientFactory } from '../../src/redis/client.ts';
import { Engine, type EngineOptions } from '../../src/redis/engine.ts';
import { RedisStore, type RedisStoreOptions } from '../../src/redis/redis-store.ts';
import { DocumentCodec } from '../../src/store/document.ts';
import { createNewConfig } from '../../src/store/new-config.ts';

export const silent: Logger = createLogger({ level: 'silent', now: Date.now, write: () => {} });

const engines: Engine[] = [];
// A test that fails must not keep the process alive.
after(() => {
  for (const engine of engines) engine.close();
});

/** A connected engine as another process would have it. */
export async function connectEngine(url: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = new Engine({
    createClient: await loadClientFactory(url),
    logger: silent,
    instance: randomBytes(6).toString('hex'),
    ...options,
  });
  engines.push(engine);
  await engine.connect();
  return engine;
}

/** A store on an engine, with connections of its own. */
export async function openRedisStore(
  url: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisStore> {
  const engine = options.engine ?? (await connectEngine(url));
  const opening = RedisStore.open({
    engine,
    codec: new DocumentCodec(null),
    isEncrypted: false,
    sessionLifetimeMs: 3_600_000,
    logger: silent,
    now: Date.now,
    findFirst: async () => createNewConfig({ now: Date.now, randomBytes }),
    ...options,
  });
  opening.catch(() => engine.close());
  return opening;
}

/** Empties an engine. */
export async function flushRedis(url: string): Promise<void> {
  const engine = await connectEngine(url);
  await engine.command(['FLUSHALL']);
  engine.close();
}
