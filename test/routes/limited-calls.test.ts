import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { addUser } from '../auth/quick-users.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { beginCall, makeCall, makeLimits, recordOf } from '../helpers/limited-keys.ts';
import { type AppUnderTest, jsonRequest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const NOW = Date.parse('2026-11-30T12:00:00Z');

interface World {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  /** Moves the clock, which stands else. */
  wait(ms: number): void;
}

async function start(t: TestContext): Promise<World> {
  let nowMs = NOW;
  const upstream = await startUpstream(t, json(CHAT_ANSWER, 200, { 'x-ratelimit-limit-requests': '9999' }));
  const app = await startApp(t, { now: () => nowMs });
  const price = { ...UNKNOWN_PRICE, inputPerMTok: 1, outputPerMTok: 10 };
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'm' },
    { id: 'short', options: { maxOutputTokens: 100 } },
    { id: 'priced', price },
  ]);
  return {
    app,
    upstream,
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

function rates({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-ratelimit-')));
}

async function codeOf(answer: Response): Promise<unknown> {
  const { error } = (await answer.json()) as { error: { code: string } };
  return error.code;
}

describe('calls of limited keys', { timeout: 60_000 }, () => {
  test('at a limit of 7 exactly 7 of 100 parallel callers begin, and the headers count down', async (t) => {
    const { app, upstream, wait } = await start(t);
    const key = await app.addKey({ limits: { rpm: 7 } });
    for (let minute = 1; minute <= 2; minute += 1) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => app.v1('chat/completions', CHAT, key)),
      );
      const begun = answers.filter(({ status }) => status === 200);
      const refused = answers.filter(({ status }) => status === 429);
      assert.deepEqual([begun.length, refused.length, upstream.received.length], [7, 93, 7 * minute]);
      const left = begun.map((answer) => Number(answer.headers.get('x-ratelimit-remaining-requests')));
      assert.deepEqual(left.sort(), [0, 1, 2, 3, 4, 5, 6]);
      for (const answer of refused) assert.equal(answer.headers.get('retry-after'), '60');
      await Promise.all(answers.map((answer) => answer.text()));
      wait(59_999);
      assert.equal((await app.v1('chat/completions', CHAT, key)).status, 429);
      wait(1);
    }
  });

  test('as many run at the same time as the limit allows', async (t) => {
    const { app, upstream } = await start(t);
    const key = await app.addKey({ limits: { concurrency: 2 } });
    const held: (() => void)[] = [];
    const answer = upstream.answer;
    upstream.answer = (...exchange) => void held.push(() => answer(...exchange));
    const gone = new AbortController();
    const first = fetch(`${app.origin}/v1/chat/completions`, {
      ...jsonRequest('POST', `Bearer ${key}`, CHAT),
      signal: gone.signal,
    });
    const second = app.v1('chat/completions', CHAT, key);
    await until(() => held.length === 2, 'both calls reach the provider');
    const third = await app.v1('chat/completions', CHAT, key);
    assert.deepEqual([third.status, third.headers.get('retry-after')], [429, '1']);
    gone.abort();
    await assert.rejects(first);
    await until(() => app.services.budgets.running === 1, 'the call of the client that left is settled');
    upstream.answer = answer;
    assert.equal((await app.v1('chat/completions', CHAT, key)).status, 200);
    for (const go of held) go();
    assert.equal((await second).status, 200);
  });

  test('the headers are on every answer to a call that was let through, and on no other', async (t) => {
    const { app, upstream } = await start(t);
    const key = await app.addKey({ models: ['m'], limits: { rpm: 10, tpm: 100_000 } });
    const first = rates(await app.v1('chat/completions', { ...CHAT, max_tokens: 20 }, key));
    assert.deepEqual(first, {
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '1m0s',
      'x-ratelimit-limit-tokens': '100000',
      'x-ratelimit-remaining-tokens': String(
        100_000 - 20 - Math.ceil(JSON.stringify({ ...CHAT, max_tokens: 20 }).length / 4),
      ),
      'x-ratelimit-reset-tokens': '1m0s',
    });
    const remaining = async (body: object, status: number): Promise<string | undefined> => {
      const answer = await app.v1('chat/completions', body, key);
      assert.equal(answer.status, status, await answer.text());
      return rates(answer)['x-ratelimit-remaining-requests'];
    };
    assert.equal(await remaining({ ...CHAT, stream: 'yes' }, 400), '8');
    assert.equal(await remaining({ ...CHAT, model: 'nope' }, 404), undefined);
    assert.equal(await remaining({ ...CHAT, model: 'short' }, 403), undefined);
    upstream.answer = json({ error: { message: 'no' } }, 418, { 'x-ratelimit-remaining-requests': '9999' });
    assert.equal(await remaining(CHAT, 418), '7');
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'x-ratelimit-remaining-requests': '9999' });
      res.end('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n');
    };
    assert.equal(await remaining({ ...CHAT, stream: true }, 200), '6');
  });

  test('those of the provider pass for keys without limits alone', async (t) => {
    const { app } = await start(t);
    const passed = { 'x-ratelimit-limit-requests': '9999' };
    assert.deepEqual(rates(await app.v1('chat/completions', CHAT)), passed);
    assert.deepEqual(rates(await app.v1('chat/completions', CHAT, await app.addKey({}))), passed);
    const budget = await app.addKey({ limits: { budgetUsd: 1 } });
    assert.deepEqual(rates(await app.v1('chat/completions', CHAT, budget)), {});
    await addUser(app, { id: 'anna', limits: makeLimits({ budgetUsd: 1 }) });
    const hers = await app.addKey({ userId: 'anna' });
    assert.deepEqual(rates(await app.v1('chat/completions', CHAT, hers)), {});
  });

  test('limits come after the model, and before the fields', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({ models: ['m'], limits: { rpm: 1 } });
    makeCall(app, key, { tokens: 1, costNanoUsd: 0 });
    const status = async (body: object): Promise<number> =>
      (await app.v1('chat/completions', body, key)).status;
    assert.equal(await status({ messages: [] }), 400);
    assert.equal(await status({ ...CHAT, model: 'nope' }), 404);
    assert.equal(await status({ ...CHAT, model: 'short' }), 403);
    assert.equal(await status({ ...CHAT, stream: 'yes' }), 429);
    assert.equal(await status({ ...CHAT, models: ['x'] }), 429);
  });

  const RESERVES: readonly (readonly [string, string, Record<string, unknown>, number])[] = [
    ['the longest answer of most models', 'chat/completions', {}, 4096],
    ['that of the model', 'chat/completions', { model: 'short' }, 100],
    ['what is asked for', 'chat/completions', { max_tokens: 30 }, 30],
    ['at most that of the model', 'chat/completions', { model: 'short', max_completion_tokens: 9000 }, 100],
    ['for each answer', 'chat/completions', { max_tokens: 30, n: 3 }, 90],
    ['the largest of several', 'chat/completions', { max_tokens: 1, max_completion_tokens: 30 }, 30],
    ['the name of Responses', 'responses', { messages: undefined, input: 'Hi', max_output_tokens: 12 }, 12],
    ['nothing for vectors', 'embeddings', { messages: undefined, input: 'Hi', max_tokens: 50 }, 0],
    ['nothing for ranks', 'rerank', { messages: undefined, query: 'Hi' }, 0],
  ];
  for (const [name, path, fields, answerTokens] of RESERVES) {
    test(`an answer reserves ${name}`, async (t) => {
      const { app } = await start(t);
      const key = await app.addKey({ limits: { tpm: 1_000_000 } });
      const body = { ...CHAT, ...fields };
      const answer = await app.v1(path, body, key);
      const promptTokens = Math.ceil(JSON.stringify(body).length / 4);
      const left = Number(answer.headers.get('x-ratelimit-remaining-tokens'));
      assert.equal(1_000_000 - left, promptTokens + answerTokens);
    });
  }

  test('a picture reserves a thousand tokens instead of its bytes, speech its text', async (t) => {
    const { app } = await start(t);
    const reserved = async (path: string, body: object): Promise<number> => {
      // A key of its own: what the calls before have used does not count for it.
      const key = await app.addKey({ limits: { tpm: 1_000_000 } });
      const answer = await app.v1(path, body, key);
      return 1_000_000 - Number(answer.headers.get('x-ratelimit-remaining-tokens'));
    };
    const url = `data:image/png;base64,${Buffer.alloc(9000, 'x').toString('base64')}`;
    const content = [{ type: 'image_url', image_url: { url } }];
    const body = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content }] };
    // The URL goes with its quotes.
    const rest = JSON.stringify(body).length - JSON.stringify(url).length;
    assert.equal(await reserved('chat/completions', body), Math.ceil(rest / 4) + 1000 + 1);
    const before = await reserved('audio/speech', { model: 'm', voice: 'alloy', input: 'x'.repeat(40) });
    assert.equal(before, 10);
    assert.equal(await reserved('images/generations', { model: 'm', prompt: 'a cat', n: 4 }), 0);
  });

  test('money is reserved by the price of the model', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({ limits: { budgetUsd: 1 } });
    const seen: number[] = [];
    const { admit } = app.services.limits;
    app.services.limits.admit = (request) => {
      seen.push(request.costNanoUsd);
      return admit.call(app.services.limits, request);
    };
    const body = { ...CHAT, model: 'priced', max_tokens: 100 };
    await app.v1('chat/completions', body, key);
    await app.v1('chat/completions', CHAT, key);
    assert.deepEqual(seen, [Math.ceil(JSON.stringify(body).length / 4) * 1000 + 100 * 10_000, 0]);
  });

  test('a budget that is used up opens with a grant, a reset and the next period', async (t) => {
    const { app, wait } = await start(t);
    const key = await app.addKey({ limits: { budgetUsd: 1, budgetPeriod: 'day' } });
    const { id } = recordOf(app, key);
    const call = async (): Promise<number> => (await app.v1('chat/completions', CHAT, key)).status;
    makeCall(app, key, { tokens: 1, costNanoUsd: 1e9 });
    assert.equal(await call(), 429);
    assert.equal((await app.admin('POST', `/api/admin/apikeys/${id}/grant`, { usd: 1 })).status, 200);
    assert.equal(await call(), 200);
    makeCall(app, key, { tokens: 1, costNanoUsd: 1e9 });
    assert.equal(await call(), 429);
    assert.equal((await app.admin('POST', `/api/admin/apikeys/${id}/usage-reset`)).status, 200);
    assert.equal(await call(), 200);
    makeCall(app, key, { tokens: 1, costNanoUsd: 1e9 });
    assert.equal(await call(), 429);
    wait(12 * 60 * 60 * 1000);
    assert.equal(await call(), 200);
  });

  test('all keys and sessions of a user share the user’s limits', async (t) => {
    const { app } = await start(t);
    const token = await addUser(app, { id: 'anna', limits: makeLimits({ rpm: 3 }) });
    const keys = [await app.addKey({ userId: 'anna' }), await app.addKey({ userId: 'anna' })];
    for (const caller of [...keys, token]) {
      const isKey = keys.includes(caller);
      const answer = isKey
        ? await app.v1('chat/completions', CHAT, caller)
        : await fetch(`${app.origin}/v1/chat/completions`, {
            ...jsonRequest('POST', null, CHAT),
            headers: { 'content-type': 'application/json', cookie: cookieOf(app, token) },
          });
      assert.equal(answer.status, 200, await answer.text());
    }
    const refused = await app.v1('chat/completions', CHAT, keys[0]);
    assert.match(await refused.text(), /Too many requests for your account: 3 of 3 per minute/);
  });

  test('a limit holds from the moment when it is set, and counts what runs already', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({});
    const running = beginCall(app, key);
    const { id } = recordOf(app, key);
    await app.admin('PUT', `/api/admin/apikeys/${id}`, { limits: { concurrency: 1 } });
    const answer = await app.v1('chat/completions', CHAT, key);
    assert.equal(await codeOf(answer), 'rate_limit_exceeded');
    app.services.limits.settle(running, null);
    assert.equal((await app.v1('chat/completions', CHAT, key)).status, 200);
  });

  test('the master key has no limits, and its calls are counted', async (t) => {
    const { app } = await start(t);
    for (let call = 0; call < 3; call += 1) await app.v1('chat/completions', CHAT);
    const answer = await fetch(`${app.origin}/v1/key`, jsonRequest('GET', `Bearer ${MASTER_KEY}`));
    assert.match(await answer.text(), /"requests":3/);
  });
});

/** The cookie of a session over plain HTTP. */
function cookieOf({ services }: AppUnderTest, token: string): string {
  return `${sessionCookieName(services.store.config.view().instanceId, false)}=${token}`;
}
