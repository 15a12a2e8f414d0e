import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, runServer, type ServerRun } from '../helpers/start-server.ts';

const MASTER = 'sk-master-0123456789abcdef0123456789abcdef';
const ADMIN = { username: 'admin', password: 'correct horse battery' };
const FREE_LIMIT_MS = 10_000;

interface Process extends ServerRun {
  readonly origin: string;
}

/** Servers as processes of their own, which share an engine and know the model `m` and a key. */
async function start(t: TestContext, limits: object) {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const redis = await startRedis(t, { appendOnly: true });
  const env = {
    UI_PASSWORD: ADMIN.password,
    MASTER_API_KEY: MASTER,
    REDIS_URL: redis.url,
    LOG_LEVEL: 'info',
  };
  const runs = [1, 2, 3].map(() => runServer(t, { folder: makeTestFolder(t), env }));
  const servers = await Promise.all(runs.map(async (run) => ({ ...run, origin: await run.listening })));
  const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = servers;
  const token = await signIn(first.origin, ADMIN);
  const admin = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${first.origin}/api/admin/${path}`, jsonRequest(method, `Bearer ${token}`, body));
  await expectStatus(
    201,
    await admin('POST', 'providers', { id: 'up', name: 'Up', baseUrl: upstream.origin }),
  );
  await expectStatus(201, await admin('POST', 'models', { id: 'm', name: 'M', providerId: 'up' }));
  /** Makes a key that every server knows. */
  const addKey = async (its: object): Promise<{ key: string; id: string }> => {
    const made = await expectStatus(201, await admin('POST', 'apikeys', { name: 'K', limits: its }));
    const { key, id } = made as { key: string; id: string };
    for (const { origin } of servers) {
      while (!(await fetch(`${origin}/v1/models`, jsonRequest('GET', `Bearer ${key}`))).ok);
    }
    return { key, id };
  };
  const { key, id } = await addKey(limits);
  return { upstream, redis, servers: [first, second, third] as const, admin, key, id, addKey };
}

function call(server: Process, key: string, stream: boolean): Promise<Response> {
  const body = { model: 'm', stream, messages: [{ role: 'user', content: 'Hi' }] };
  return fetch(`${server.origin}/v1/chat/completions`, jsonRequest('POST', `Bearer ${key}`, body));
}

describe('real processes on one Redis', { skip: redisSkipped(), timeout: 120_000 }, () => {
  test('the streams of a process that is killed are free within ten seconds, with the money that they reserved', async (t) => {
    const { upstream, servers, key, admin, addKey } = await start(t, { concurrency: 4 });
    await expectStatus(200, await admin('PUT', 'models/m', { price: { ...UNKNOWN_PRICE, perRequest: 0.1 } }));
    const { key: paying } = await addKey({ budgetUsd: 0.3 });
    const open: ServerResponse[] = [];
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a' } }] })}\n\n`);
      open.push(res);
    };
    const [first, second, third] = servers;
    const answers: Response[] = [];
    const callAll = async (calls: readonly (readonly [Process, string])[]): Promise<number[]> => {
      const made = await Promise.all(calls.map(([server, as]) => call(server, as, true)));
      answers.push(...made);
      return made.map(({ status }) => status).sort();
    };
    const streams = [first, first, first, second].map((server) => [server, key] as const);
    assert.deepEqual(await callAll(streams), [200, 200, 200, 200]);
    const paid = [first, first, first].map((server) => [server, paying] as const);
    assert.deepEqual(await callAll(paid), [200, 200, 200]);
    assert.deepEqual(
      await callAll([
        [third, key],
        [third, paying],
      ]),
      [429, 429],
    );
    await first.kill('SIGKILL');
    const killedAt = performance.now();
    for (const as of [key, paying]) {
      while ((await callAll([[third, as]]))[0] !== 200) {
        assert.ok(performance.now() - killedAt < FREE_LIMIT_MS, 'free in time');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const others = [third, second, third];
    assert.deepEqual(await callAll(others.map((server) => [server, key] as const)), [200, 200, 429]);
    assert.deepEqual(await callAll(others.map((server) => [server, paying] as const)), [200, 200, 429]);
    for (const res of open) res.destroy();
    for (const answer of answers) await answer.body?.cancel().catch(() => {});
  });

  test('a kill of the engine loses nothing that was acknowledged', async (t) => {
    const { redis, servers, admin, key, id } = await start(t, { rpm: 100_000 });
    const [, second, third] = servers;
    for (let round = 1; round <= 3; round += 1) {
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const answer = await call(servers[index % 3] ?? third, key, false);
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      assert.deepEqual(new Set(statuses), new Set([200]));
      await expectStatus(
        201,
        await admin('POST', 'users', { username: `user-${round}`, password: 'long enough' }),
      );
      await redis.kill();
      for (const server of servers) assert.equal((await call(server, key, false)).status, 200);
      await redis.start();
      for (const { origin } of servers) {
        let isOk = false;
        while (!isOk) {
          const { storage } = (await (await fetch(`${origin}/health`)).json()) as { storage: string };
          isOk = storage === 'ok';
        }
      }
      const { data } = (await expectStatus(200, await admin('GET', 'users'))) as { data: unknown[] };
      assert.equal(data.length, round);
    }
    let requests = 0;
    const countAgain = async (): Promise<void> => {
      const shown = await expectStatus(200, await admin('GET', `apikeys/${id}`));
      requests = (shown as { usage: { requests: number } }).usage.requests;
    };
    for (let again = 0; again < 100 && requests < 129; again += 1) {
      await countAgain();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const usage = await expectStatus(200, await admin('GET', `usage?key=${id}`));
    assert.deepEqual([requests, (usage as { totals: { requests: number } }).totals.requests], [129, 129]);
    assert.equal(await second.kill('SIGTERM').then(([code]) => code), 0);
  });
});
