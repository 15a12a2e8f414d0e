import assert from 'node:assert/strict';
import { before, beforeEach, describe, type TestContext, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type Instance, startInstances } from '../helpers/instances.ts';
import { recordOf } from '../helpers/limited-keys.ts';
import { endsWithSuite, type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { flushRedis } from '../helpers/redis-store.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 20 };

describe('several instances on one Redis', { skip: redisSkipped(), timeout: 120_000 }, () => {
  let redis: RedisServer;
  const suite = endsWithSuite();
  before(async () => {
    redis = await startRedis(suite);
  });
  beforeEach(() => flushRedis(redis.url));

  async function start(t: TestContext, count = 3) {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const instances = await startInstances(t, { url: redis.url, count });
    await instances[0].addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'sk-up' }, [
      { id: 'm', price: { ...UNKNOWN_PRICE, perRequest: 0.1 } },
    ]);
    await until(
      () => instances.every(({ services }) => viewOf(services).models.has('m')),
      'all know the model',
    );
    return { upstream, instances };
  }

  /** Makes a key that every instance knows. */
  async function addKey(instances: readonly Instance[], limits: object): Promise<string> {
    const [first = assert.fail()] = instances;
    const key = await first.addKey({ limits });
    const { id } = recordOf(first, key);
    await until(
      () => instances.every(({ services }) => viewOf(services).apiKeys.has(id)),
      'all know the key',
    );
    return key;
  }

  /** The statuses of 100 callers at once at each instance. */
  async function callAll(instances: readonly Instance[], key: string): Promise<number[]> {
    const calls = Array.from({ length: 100 * instances.length }, async (_, index) => {
      const answer = await (instances[index % instances.length] ?? assert.fail()).v1(
        'chat/completions',
        CHAT,
        key,
      );
      await answer.arrayBuffer();
      return answer.status;
    });
    return Promise.all(calls);
  }

  const count = (statuses: readonly number[], status: number): number =>
    statuses.filter((one) => one === status).length;

  test('rpm and tpm are exact over three instances with 100 callers each', async (t) => {
    const { instances, upstream } = await start(t);
    const byRequests = await callAll(instances, await addKey(instances, { rpm: 41 }));
    assert.deepEqual(
      [count(byRequests, 200), count(byRequests, 429), upstream.received.length],
      [41, 259, 41],
    );
    const key = await addKey(instances, { tpm: 1_000 });
    upstream.answer = holdAll(upstream);
    const reserve = 20 + Math.ceil(JSON.stringify(CHAT).length / 4);
    const byTokens = callAll(instances, key);
    await until(
      () => upstream.received.length === 41 + Math.floor(1_000 / reserve),
      'all that fit are there',
    );
    release(upstream);
    assert.equal(count(await byTokens, 200), Math.floor(1_000 / reserve));
  });

  test('concurrency is exact over three instances, and free again when the calls end', async (t) => {
    const { instances, upstream } = await start(t);
    const key = await addKey(instances, { concurrency: 13 });
    for (let round = 1; round <= 2; round += 1) {
      upstream.answer = holdAll(upstream);
      const statuses = callAll(instances, key);
      await until(
        () => instances.reduce((sum, one) => sum + refusedBy(one), 0) === 287 * round,
        'the others are refused',
      );
      release(upstream);
      assert.equal(count(await statuses, 200), 13);
      await until(
        () => instances.every(({ services }) => services.budgets.running === 0),
        'all calls are settled',
      );
      for (const { engine } of instances) await engine.flush();
    }
  });

  test('a budget is passed by no more than what was running when it was reached', async (t) => {
    const { instances } = await start(t);
    const key = await addKey(instances, { budgetUsd: 1 });
    const statuses = await callAll(instances, key);
    const answered = count(statuses, 200);
    assert.equal(count(statuses, 429), 300 - answered);
    for (const instance of instances)
      assert.equal((await instance.v1('chat/completions', CHAT, key)).status, 429);
    // Each call reserves what it costs, so at most one call's price is used beyond the budget.
    assert.equal(answered, 10);
    for (const instance of instances) {
      await instance.engine.flush();
      const { id } = recordOf(instance, key);
      const usage = instance.services.budgets.usageOf('key', { id, limits: null });
      assert.deepEqual([Math.round(usage.costUsd * 10), usage.requests], [10, 10]);
    }
  });

  test('a key that is disabled on one instance is refused by all within a second, 100 times of 100', async (t) => {
    const { instances } = await start(t);
    const key = await addKey(instances, {});
    const { id } = recordOf(instances[0], key);
    const status = async (instance: Instance): Promise<number> => {
      const answer = await fetch(`${instance.origin}/v1/models`, jsonRequest('GET', `Bearer ${key}`));
      await answer.arrayBuffer();
      return answer.status;
    };
    const set = async (instance: Instance, enabled: boolean): Promise<unknown> =>
      expectStatus(200, await instance.admin('PUT', `/api/admin/apikeys/${id}`, { enabled }));
    let longestMs = 0;
    for (let round = 0; round < 100; round += 1) {
      const from = instances[round % 3] ?? assert.fail();
      await set(instances[(round + 1) % 3] ?? assert.fail(), true);
      await until(
        () => instances.every(({ services }) => viewOf(services).apiKeys.get(id)?.enabled === true),
        'all let it in',
      );
      const atMs = performance.now();
      await set(from, false);
      assert.equal(await status(from), 401);
      for (const instance of instances) while ((await status(instance)) !== 401);
      longestMs = Math.max(longestMs, performance.now() - atMs);
      if (round > 0) continue;
      assert.equal((await instances[1].v1('chat/completions', CHAT, key)).status, 401);
    }
    t.diagnostic(`at most ${Math.round(longestMs)} ms until all refuse it`);
    // Beside a whole suite, this process may not run for so long.
    if (process.env['IPIN_LONG'] === '1') assert.ok(longestMs < 1_000, `${longestMs} ms`);
  });

  test('of two admins who make the same provider at once, one wins and the other is told', async (t) => {
    const { instances } = await start(t);
    const provider = { id: 'twice', name: 'Twice', baseUrl: 'http://127.0.0.1:9' };
    const answers = await Promise.all(
      instances.slice(0, 2).map((instance) => instance.admin('POST', '/api/admin/providers', provider)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
    const different = await Promise.all(
      instances.map((instance, index) =>
        instance.admin('POST', '/api/admin/users', { username: `user-${index}`, password: 'long enough' }),
      ),
    );
    assert.deepEqual(
      different.map(({ status }) => status),
      [201, 201, 201],
    );
    await until(
      () => instances.every(({ services }) => viewOf(services).users.size === 3),
      'nothing is lost',
    );
  });

  test('a session of one instance is one of all, and ends on all', async (t) => {
    const { instances } = await start(t);
    const token = await signIn(instances[0].origin);
    const me = ({ origin }: Instance) =>
      fetch(`${origin}/api/admin/me`, jsonRequest('GET', `Bearer ${token}`));
    for (const instance of instances) assert.equal((await me(instance)).status, 200);
    await expectStatus(
      204,
      await fetch(`${instances[1].origin}/api/admin/logout`, jsonRequest('POST', `Bearer ${token}`, {})),
    );
    for (const instance of instances) assert.equal((await me(instance)).status, 401);
  });

  test('guesses of passwords count over all instances', async (t) => {
    const { instances } = await start(t);
    const guess = async ({ origin }: Instance): Promise<number> => {
      const body = { username: 'boss', password: 'wrong password' };
      return (await fetch(`${origin}/api/login`, jsonRequest('POST', null, body))).status;
    };
    const statuses: number[] = [];
    for (let index = 0; index < 15; index += 1)
      statuses.push(await guess(instances[index % 3] ?? assert.fail()));
    assert.deepEqual([count(statuses, 401), count(statuses, 429)], [10, 5]);
  });

  test('usage, request log and live feed tell of the calls of all instances, each once', async (t) => {
    const { instances } = await start(t);
    const key = await addKey(instances, {});
    const [, , third = assert.fail()] = instances;
    const token = await signIn(third.origin);
    const gone = new AbortController();
    const feed = await fetch(`${third.origin}/api/admin/requests/live`, {
      ...jsonRequest('GET', `Bearer ${token}`),
      signal: gone.signal,
    });
    let live = '';
    const reading = (async () => {
      for await (const chunk of feed.body ?? []) live += Buffer.from(chunk).toString();
    })().catch(() => {});
    const statuses = await callAll(instances, key);
    assert.equal(count(statuses, 200), 300);
    await until(() => live.split('event: request').length === 301, 'the feed has told all');
    gone.abort();
    await reading;
    for (const instance of instances) {
      const usage = await expectStatus(200, await instance.admin('GET', '/api/admin/usage'));
      const { totals } = usage as { totals: Record<string, unknown> };
      assert.deepEqual([totals['requests'], totals['ok'], totals['costUsd']], [300, 300, 30]);
      const page = await expectStatus(200, await instance.admin('GET', '/api/admin/requests?limit=200'));
      const { data, next } = page as { data: { id: string }[]; next: string };
      const rest = await expectStatus(
        200,
        await instance.admin('GET', `/api/admin/requests?limit=200&before=${next}`),
      );
      const all = [...data, ...(rest as { data: { id: string }[]; next: null }).data];
      assert.equal(new Set(all.map(({ id }) => id)).size, 300);
      assert.equal((rest as { next: null }).next, null);
      assert.equal((await instance.admin('GET', '/api/admin/requests?before=req_none')).status, 400);
    }
  });

  test('a key that is refused at one instance rests at all, at those that start later, and is woken at all', async (t) => {
    const { instances, upstream } = await start(t, 2);
    upstream.answer = json({ error: { message: 'no such key', type: 'x', code: 'invalid_api_key' } }, 401);
    const statuses = async (instance: Instance): Promise<unknown> => {
      const answer = await instance.v1('chat/completions', CHAT);
      await answer.arrayBuffer();
      return answer.headers.get('x-ipin-attempts');
    };
    assert.equal(await statuses(instances[0]), '1');
    const restsAt = (instance: Instance): boolean => stateOf(instance).keys.includes('refused');
    await until(() => instances.every(restsAt), 'the key rests at both');
    assert.equal(await statuses(instances[1]), '0');
    const [, third = assert.fail()] = await startInstances(t, { url: redis.url, count: 2 });
    await until(() => restsAt(third), 'it rests at the new one');
    await expectStatus(200, await third.admin('POST', '/api/admin/providers/up/wake'));
    await until(() => [...instances, third].every((instance) => !restsAt(instance)), 'it is awake at all');
    upstream.answer = json(CHAT_ANSWER);
    assert.equal(await statuses(instances[1]), '1');
    await until(
      () => instances.every((instance) => stateOf(instance).requests5m === 2),
      'both know both attempts',
    );
  });

  test('deployments with databases of their own on one engine hear nothing of each other', async (t) => {
    const { instances } = await start(t, 2);
    const others = await startInstances(t, { url: `${redis.url}/1`, count: 2 });
    assert.equal(viewOf(others[0].services).models.size, 0);
    let heard = 0;
    others[0].services.store.onChange(() => {
      heard += 1;
    });
    await signIn(instances[0].origin);
    await addKey(instances, {});
    await others[1].addKey({});
    await until(() => viewOf(others[0].services).apiKeys.size === 1, 'its own change is heard');
    assert.equal(heard, 1);
    assert.equal(viewOf(instances[0].services).apiKeys.size, 1);
  });

  test('what rests because it is busy is asked again by all once one has succeeded', async (t) => {
    const { instances, upstream } = await start(t, 2);
    upstream.answer = json({ error: { message: 'busy', type: 'rate_limit_error', code: null } }, 429, {
      'retry-after': '1',
    });
    await (await instances[0].v1('chat/completions', CHAT)).arrayBuffer();
    const isResting = (instance: Instance): boolean => stateOf(instance).state === 'resting';
    await until(() => instances.every(isResting), 'it rests at both');
    upstream.answer = json(CHAT_ANSWER);
    await until(() => !isResting(instances[0]), 'the rest is over');
    await (await instances[0].v1('chat/completions', CHAT)).arrayBuffer();
    await until(() => !isResting(instances[1]), 'the other is told');
    assert.equal((await instances[1].v1('chat/completions', CHAT)).status, 200);
  });

  test('a grant on one instance lets calls through on all; a call is counted on all', async (t) => {
    const { instances } = await start(t);
    const key = await addKey(instances, { budgetUsd: 0.1 });
    const { id } = recordOf(instances[0], key);
    assert.equal((await instances[0].v1('chat/completions', CHAT, key)).status, 200);
    await instances[0].engine.flush();
    assert.equal((await instances[1].v1('chat/completions', CHAT, key)).status, 429);
    const granted = await instances[1].admin('POST', `/api/admin/apikeys/${id}/grant`, { usd: 0.1 });
    const { usage } = (await expectStatus(200, granted)) as {
      usage: { costUsd: number; grantedUsd: number };
    };
    assert.deepEqual([usage.costUsd, usage.grantedUsd], [0.1, 0.1]);
    assert.equal((await (instances[2] ?? assert.fail()).v1('chat/completions', CHAT, key)).status, 200);
  });
});

/** What the panel of an instance says of the provider `up` and its keys. */
function stateOf({ services }: Instance) {
  const provider = viewOf(services).providers.get('up');
  assert.ok(provider !== undefined);
  const { state, requests5m } = services.health.ofProvider(provider);
  return { state, requests5m, keys: provider.keys.map((key) => services.health.ofKey('up', key).state) };
}

function viewOf(services: Instance['services']) {
  return services.store.config.view();
}

function refusedBy({ services }: Instance): number {
  const text = services.metrics.registry.expose();
  return [...text.matchAll(/^ipin_requests_total\{[^}]*status="429"[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

const held = new WeakMap<FakeUpstream, (() => void)[]>();

/** An answer that waits for `release`. */
function holdAll(upstream: FakeUpstream): FakeUpstream['answer'] {
  const waiting: (() => void)[] = [];
  held.set(upstream, waiting);
  return (...exchange) => void waiting.push(() => json(CHAT_ANSWER)(...exchange));
}

/** Answers what waits, and from now on everything at once. */
function release(upstream: FakeUpstream): void {
  upstream.answer = json(CHAT_ANSWER);
  for (const go of held.get(upstream) ?? []) go();
}
