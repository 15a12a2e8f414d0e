import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Environment, loadConfig } from '../../src/config.ts';
import type { Engine } from '../../src/redis/engine.ts';
import { openRedis } from '../../src/redis/open-redis.ts';
import { createNewConfig } from '../../src/store/new-config.ts';
import { silent } from './redis-store.ts';
import { type AppUnderTest, startApp } from './start-app.ts';

/** One of several instances: a whole server in this process, on an engine that it shares. */
export interface Instance extends AppUnderTest {
  readonly engine: Engine;
}

/** Starts instances on one engine; they end with the test. */
export async function startInstances(
  t: TestContext,
  { url, count = 3, env = {} }: { readonly url: string; readonly count?: number; readonly env?: Environment },
): Promise<readonly [Instance, Instance, ...Instance[]]> {
  const instances: Instance[] = [];
  for (let index = 0; index < count; index += 1) {
    const { engine, store, books } = await openRedis({
      url,
      config: loadConfig(env),
      logger: silent,
      sessionLifetimeMs: 3_600_000,
      findFirst: async () => ({
        config: {
          ...createNewConfig({ now: Date.now, randomBytes }),
          providers: new Map(),
          models: new Map(),
        },
        sessions: [],
        numbers: new Map(),
        usageFolder: null,
      }),
    });
    instances.push(Object.assign(await startApp(t, { store, books, env }), { engine }));
  }
  const [first, second, ...others] = instances;
  if (first === undefined || second === undefined) throw new Error('At least two instances are needed.');
  return [first, second, ...others];
}
