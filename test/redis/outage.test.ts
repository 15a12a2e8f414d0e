import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type Instance, startInstances } from '../helpers/instances.ts';
import { recordOf } from '../helpers/limited-keys.ts';
import { type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { expectStatus } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 20 };
const OUTAGE_MS = process.env['IPIN_LONG'] === '1' ? 30_000 : 1_000;

interface World {
  readonly redis: RedisServer;
  readonly instances: readonly [Instance, Instance, ...Instance[]];
}

async function start(t: TestContext, options: Parameters<typeof startRedis>[1]): Promise<World> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const redis = await startRedis(t, options);
  const instances = await startInstances(t, { url: redis.url });
  await instances[0].addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'm', price: { ...UNKNOWN_PRICE, perRequest: 0.001 } },
  ]);
  return { redis, instances };
}

async function addKey(instances: World['instances'], limits: object | null): Promise<string> {
  const key = await instances[0].addKey({ limits });
  const { id } = recordOf(instances[0], key);
  const isKnown = ({ services }: Instance): boolean => services.store.config.view().apiKeys.has(id);
  await until(() => instances.every(isKnown), 'all know the key');
  return key;
}

/** Callers of keys at every instance, one request after the other, until they are stopped. */
function startLoad(instances: World['instances'], keys: readonly string[]) {
  const answers = new Map(keys.map((key) => [key, [] as number[]]));
  let isStopped = false;
  const callers = instances.flatMap((instance) =>
    keys.map(async (key) => {
      while (!isStopped) {
        const answer = await instance.v1('chat/completions', CHAT, key);
        await answer.arrayBuffer();
        answers.get(key)?.push(answer.status);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }),
  );
  return {
    answers,
    async stop() {
      isStopped = true;
      await Promise.all(callers);
    },
  };
}

const isBack = (instances: World['instances']): boolean => instances.every(({ engine }) => engine.isReady);

/** Compares what all instances show with what clients have seen. */
async function expectTruth(
  { instances }: World,
  answers: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  for (const { engine } of instances) await engine.flush();
  for (const instance of instances) {
    await instance.engine.flush();
    for (const [key, statuses] of answers) {
      const { id } = recordOf(instance, key);
      const usage = instance.services.budgets.usageOf('key', { id, limits: null });
      assert.equal(usage.requests, statuses.length, 'the budget has counted each call once');
      const report = await expectStatus(200, await instance.admin('GET', `/api/admin/usage?key=${id}`));
      const { totals } = report as { totals: { requests: number; ok: number; costUsd: number } };
      assert.deepEqual([totals.requests, totals.ok], [statuses.length, statuses.length]);
      assert.equal(Math.round(totals.costUsd * 1000), Math.round(usage.costUsd * 1000));
    }
  }
}

describe('while Redis is away', { skip: redisSkipped(), timeout: 200_000 }, () => {
  test('calls go on, changes answer 503, and afterwards all counts are the truth', async (t) => {
    const world = await start(t, { appendOnly: true });
    const { redis, instances } = world;
    const [first] = instances;
    const limited = await addKey(instances, { rpm: 1_000_000, concurrency: 100, budgetUsd: 1_000 });
    const free = await addKey(instances, null);
    await expectStatus(200, await first.admin('GET', '/api/admin/me'));
    const load = startLoad(instances, [limited, free]);
    await until(() => [...load.answers.values()].every((statuses) => statuses.length > 30), 'the load runs');
    await redis.kill();
    await until(() => instances.every(({ engine }) => !engine.isReady), 'all have noticed');
    const health = (await (await fetch(`${first.origin}/health`)).json()) as { storage: string };
    assert.equal(health.storage, 'failing');
    const change = await first.admin('PUT', '/api/admin/settings', { unpricedModels: 'refuse' });
    const { error } = (await expectStatus(503, change)) as { error: { code: string } };
    assert.equal(error.code, 'storage_unavailable');
    const { id } = recordOf(first, limited);
    assert.equal((await first.admin('POST', `/api/admin/apikeys/${id}/grant`, { usd: 1 })).status, 503);
    assert.equal((await first.admin('GET', '/api/admin/usage')).status, 503);
    assert.equal((await first.admin('GET', '/api/admin/requests')).status, 503);
    assert.equal((await first.admin('GET', '/api/admin/apikeys')).status, 200);
    await expectStatus(200, await first.admin('GET', '/api/admin/me'));
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    await redis.start();
    await until(() => isBack(instances), 'all are back');
    await load.stop();
    for (const statuses of load.answers.values()) assert.deepEqual(new Set(statuses), new Set([200]));
    await expectTruth(world, load.answers);
    await expectStatus(200, await first.admin('PUT', '/api/admin/settings', { unpricedModels: 'refuse' }));
  });

  test('an engine that hangs is noticed, and nothing is counted twice', async (t) => {
    const world = await start(t, {});
    const { redis, instances } = world;
    const limited = await addKey(instances, { rpm: 1_000_000, concurrency: 100 });
    const load = startLoad(instances, [limited]);
    await until(() => (load.answers.get(limited)?.length ?? 0) > 30, 'the load runs');
    redis.freeze();
    await until(() => instances.every(({ engine }) => !engine.isReady), 'all have noticed');
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS / 3));
    redis.thaw();
    await until(() => isBack(instances), 'all are back');
    await load.stop();
    assert.deepEqual(new Set(load.answers.get(limited)), new Set([200]));
    await expectTruth(world, load.answers);
  });

  test('each of three instances lets a third of a limit through, of a budget a third of what was left', async (t) => {
    const { redis, instances } = await start(t, { appendOnly: true });
    const [first] = instances;
    const rpm = await addKey(instances, { rpm: 31 });
    const budget = await addKey(instances, { budgetUsd: 0.02 });
    for (let index = 0; index < 5; index += 1) {
      assert.equal((await first.v1('chat/completions', CHAT, budget)).status, 200);
    }
    await until(() => first.services.budgets.running === 0, 'all calls are settled');
    for (const { engine } of instances) await engine.flush();
    await redis.kill();
    await until(() => instances.every(({ engine }) => !engine.isReady), 'all have noticed');
    for (const instance of instances) {
      for (const [key, expected] of [
        [rpm, 10],
        [budget, 5],
      ] as const) {
        let count = 0;
        while ((await instance.v1('chat/completions', CHAT, key)).status === 200) count += 1;
        assert.equal(count, expected);
      }
    }
    await redis.start();
    await until(() => isBack(instances), 'all are back');
    // What began meanwhile counts in the window: 30 of 31.
    const statuses = [];
    for (const instance of instances)
      statuses.push((await instance.v1('chat/completions', CHAT, rpm)).status);
    assert.deepEqual(statuses, [200, 429, 429]);
    for (const instance of instances)
      assert.equal((await instance.v1('chat/completions', CHAT, budget)).status, 429);
  });

  test('an engine that comes back empty gets the configuration and the last calls from memory', async (t) => {
    const world = await start(t, {});
    const { redis, instances } = world;
    const keys = [await addKey(instances, { budgetUsd: 1 }), await addKey(instances, null)];
    const answers = new Map(keys.map((key) => [key, [] as number[]]));
    const callAll = async (): Promise<void> => {
      for (const instance of instances) {
        for (const [key, statuses] of answers) {
          const answer = await instance.v1('chat/completions', CHAT, key);
          await answer.arrayBuffer();
          statuses.push(answer.status);
        }
      }
    };
    await callAll();
    await until(() => instances.every(({ services }) => services.budgets.running === 0), 'all are settled');
    // All of it is acknowledged, and lost with the engine, which writes nothing.
    for (const { engine } of instances) await engine.flush();
    await redis.kill();
    await until(() => instances.every(({ engine }) => !engine.isReady), 'all have noticed');
    await redis.start();
    await until(() => isBack(instances), 'all are back');
    await callAll();
    await expectTruth(world, answers);
    for (const instance of instances) {
      const page = await expectStatus(200, await instance.admin('GET', '/api/admin/requests?limit=200'));
      assert.equal((page as { data: unknown[] }).data.length, 12);
    }
    await expectStatus(
      200,
      await instances[1].admin('PUT', '/api/admin/settings', { unpricedModels: 'refuse' }),
    );
  });
});
