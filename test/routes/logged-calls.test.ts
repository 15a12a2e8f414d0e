import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { openRequestLog, type RequestLog } from '../../src/usage/request-log.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';
import { readScrape, sampleValue } from '../metrics/text-format.ts';

const PROMPT = 'canary-prompt-7f3a';
const ANSWER = 'canary-answer-51cc';
const FAULT = 'canary-fault-09be';
const PROVIDER_KEY = 'sk-canary-provider-4711-8d2f';
const WRONG_KEY = 'sk-canary-unknown-99-4b1d';

interface World {
  readonly app: AppUnderTest;
  readonly userId: string;
  readonly key: string;
  readonly folder: string;
  readonly requestLog: RequestLog;
}

/** A provider that is down, one that answers, a model that is at the first and falls back to the second, and a user's key. */
async function start(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const logger = createLogger({ level: 'silent', now: Date.now, write: () => {} });
  const requestLog = await openRequestLog({ folder, limitBytes: 1024 * 1024, logger });
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url?.startsWith('/down') === true) {
      res.writeHead(503, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: { message: FAULT, code: 'busy_now' } }));
      return;
    }
    const usage = { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } };
    const choices = [{ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }];
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ id: 'c', object: 'chat.completion', model: 'secret-m', choices, usage }));
  });
  const app = await startApp(t, { books: { requestLog }, env: { UPSTREAM_RETRIES: '1' } });
  const provider = { name: 'P', apiKey: PROVIDER_KEY };
  const price = { inputPerMTok: 1, outputPerMTok: 10, cachedInputPerMTok: null, cacheWritePerMTok: null };
  const whole = { ...price, perAudioMinute: null, perImage: null, perRequest: null, above: null };
  await app.addProvider({ id: 'up', baseUrl: `${upstream.origin}/up/v1`, ...provider }, []);
  await app.addProvider({ id: 'down', baseUrl: `${upstream.origin}/down/v1`, ...provider }, [
    {
      id: 'm',
      upstreamModel: 'secret-m',
      fallbacks: [{ providerId: 'up', upstreamModel: 'secret-m', weight: null, price: whole }],
    },
  ]);
  const user = { username: 'anna', password: 'anna has a password' };
  const made = await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
  const { id: userId } = made as { id: string };
  return { app, userId, key: await app.addKey({ name: 'anna’s', userId }), folder, requestLog };
}

async function call(app: AppUnderTest, model: string, key: string): Promise<string> {
  const answer = await app.v1(
    'chat/completions',
    { model, messages: [{ role: 'user', content: PROMPT }] },
    key,
  );
  await answer.text();
  return answer.headers.get('x-request-id') ?? '';
}

test('real calls stand in the log, the feed and the metrics once, with nothing of what was said', async (t) => {
  const { app, userId, key, folder, requestLog } = await start(t);
  const live = rawClient(t, app.port);
  const token = await signIn(app.origin);
  live.write(`GET /api/admin/requests/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await live.until(': keep-alive\n\n');
  const good = await call(app, 'm', key);
  const unknown = await call(app, 'no-such-model', MASTER_KEY);
  const stranger = await call(app, 'm', WRONG_KEY);
  await expectStatus(
    200,
    await fetch(`${app.origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } }),
  );
  await live.until(`"id":"${stranger}"`);
  const list = await (await app.admin('GET', '/api/admin/requests')).text();
  const { data } = JSON.parse(list) as { data: Record<string, unknown>[] };
  const brief = data.map((row) => [row['id'], row['status'], row['outcome'], row['code'], row['keyName']]);
  assert.deepEqual(brief, [
    [stranger, 401, 'clientErrors', 'invalid_api_key', null],
    [unknown, 404, 'clientErrors', 'model_not_found', 'Master key'],
    [good, 200, 'ok', null, 'anna’s'],
  ]);
  const row = data[2] ?? {};
  const { attempts, price, at, ms, ttftMs, id, keyId, ...rest } = row;
  assert.deepEqual(rest, {
    endpoint: 'chat/completions',
    keyName: 'anna’s',
    userId,
    userName: 'anna',
    model: 'm',
    provider: 'up',
    upstreamModel: 'secret-m',
    stream: false,
    status: 200,
    outcome: 'ok',
    code: null,
    promptTokens: 12,
    cachedTokens: 4,
    cacheWriteTokens: null,
    completionTokens: 3,
    reasoningTokens: null,
    audioSeconds: null,
    images: null,
    estimated: false,
    costUsd: 0.000042,
    clientAddress: '127.0.0.1',
  });
  assert.ok([at, ms, ttftMs, id, keyId].every((value) => value !== null && value !== undefined));
  assert.equal((price as { source: string }).source, 'own');
  const tried = (attempts as Record<string, unknown>[]).map(({ ms: _, ...attempt }) => attempt);
  assert.deepEqual(
    tried.map(({ provider, status }) => [provider, status]),
    [
      ['down', 503],
      ['up', 200],
    ],
  );
  assert.ok(
    tried.every(({ keyHint }) => keyHint === 'sk-ca...8d2f'),
    JSON.stringify(tried),
  );

  const feed = live.received().toString();
  for (const entryId of [good, unknown, stranger]) assert.equal(feed.split(`"id":"${entryId}"`).length, 2);
  const scrape = await (
    await fetch(`${app.origin}/metrics`, { headers: { authorization: `Bearer ${MASTER_KEY}` } })
  ).text();
  const samples = readScrape(scrape);
  const calls = samples.filter(({ name }) => name === 'ipin_calls_total');
  assert.deepEqual(
    calls.map(({ labels, value }) => [labels['model'], labels['provider'], labels['outcome'], value]),
    [['m', 'up', 'ok', 1]],
  );
  assert.equal(sampleValue(samples, 'ipin_tokens_total', { kind: 'prompt', model: 'm' }), 12);
  const csv = await (await app.admin('GET', '/api/admin/requests?format=csv')).text();
  const userToken = await signIn(app.origin, { username: 'anna', password: 'anna has a password' });
  const own = await (
    await fetch(`${app.origin}/api/user/requests`, { headers: { authorization: `Bearer ${userToken}` } })
  ).text();
  assert.ok(own.includes(good) && !own.includes(unknown) && !own.includes('secret-m'));
  await requestLog.close();
  const files = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  assert.ok(files.join('').includes(good));
  for (const text of [list, feed, scrape, csv, own, ...files]) {
    for (const secret of [PROMPT, ANSWER, FAULT, PROVIDER_KEY, WRONG_KEY, MASTER_KEY, key])
      assert.ok(!text.includes(secret), `${secret} is in ${text.slice(0, 300)}`);
  }
});

test('a client that leaves is in the log as soon as it has left', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  const ended: string[] = [];
  app.services.requestLog.onEntry(({ outcome, status, stream, code }) =>
    ended.push(`${outcome} ${status} ${stream} ${code}`),
  );
  const left = new AbortController();
  const body = JSON.stringify({ model: 'm', stream: true, messages: [] });
  const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' };
  const { signal } = left;
  const answer = await fetch(`${app.origin}/v1/chat/completions`, { method: 'POST', body, headers, signal });
  await answer.body?.getReader().read();
  left.abort();
  await until(() => ended.length > 0, 'an entry');
  assert.deepEqual(ended, ['cancelled 499 true client_closed_request']);
});

test('an error in which the provider gives no code has none in the log either', async (t) => {
  const app = await startApp(t, { env: { UPSTREAM_RETRIES: '0' } });
  for (const [id, error] of [
    ['none', { message: FAULT }],
    ['empty', { message: FAULT, type: '', code: '' }],
  ] as const) {
    const upstream = await startUpstream(t, json({ error }, 503));
    await app.addProvider({ id, baseUrl: `${upstream.origin}/v1` }, [{ id }]);
    const requestId = await call(app, id, MASTER_KEY);
    const { data } = (await expectStatus(
      200,
      await app.admin('GET', `/api/admin/requests?search=${requestId}`),
    )) as { data: { status: number; outcome: string; code: unknown; attempts: { code: unknown }[] }[] };
    assert.deepEqual(
      data.map(({ status, outcome, code, attempts }) => [
        status,
        outcome,
        code,
        attempts.map((one) => one.code),
      ]),
      [[503, 'providerErrors', null, [null]]],
      id,
    );
  }
});
