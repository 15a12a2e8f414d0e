import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import {
  type Answer,
  CHAT_ANSWER,
  type FakeUpstream,
  json,
  startUpstream,
} from '../helpers/fake-upstream.ts';
import { makeKey } from '../helpers/records.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
const GOOD = json(CHAT_ANSWER);

/** What an upstream must do next, by turns; then it answers well. */
function byTurns(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (...given) => (answers[turn++] ?? GOOD)(...given);
}

function error(status: number, headers: Record<string, string> = {}, members: object = {}): Answer {
  return json({ error: { message: `no ${status}`, type: 'some_error', ...members } }, status, headers);
}

const cut: Answer = (req) => void req.socket.destroy();

interface Setting {
  readonly app: AppUnderTest;
  readonly upstreams: readonly FakeUpstream[];
}

/** A model `m` whose targets are providers `p0`, `p1` ... with these answers, `keys` keys each. */
async function start(t: TestContext, answers: readonly Answer[], keys = 0): Promise<Setting> {
  const app = await startApp(t, { env: { UPSTREAM_RETRIES: '2' } });
  const upstreams: FakeUpstream[] = [];
  for (const [index, answer] of answers.entries()) {
    const upstream = await startUpstream(t, answer);
    upstreams.push(upstream);
    const own = Array.from({ length: keys }, (_, key) =>
      makeKey({ id: `k${key}`, secret: `secret-${index}-${key}` }),
    );
    await app.addProvider({ id: `p${index}`, baseUrl: upstream.origin, keys: own }, []);
  }
  const fallbacks = answers.slice(1).map((_, index) => {
    return { providerId: `p${index + 1}`, upstreamModel: `m${index + 1}`, weight: null, price: null };
  });
  await app.addProvider({ id: 'p0', baseUrl: upstreams[0]?.origin ?? '', keys: await keysOf(app, 'p0') }, [
    { id: 'm', fallbacks },
  ]);
  return { app, upstreams };
}

async function keysOf(app: AppUnderTest, id: string) {
  return app.services.store.config.view().providers.get(id)?.keys ?? [];
}

interface Seen {
  readonly status: number;
  readonly provider: string | null;
  readonly attempts: string | null;
  readonly code: unknown;
}

async function ask(app: AppUnderTest, body: object = CHAT, path = 'chat/completions'): Promise<Seen> {
  const response = await app.v1(path, body);
  const answer = (await response.json()) as { error?: { code: unknown } };
  return {
    status: response.status,
    provider: response.headers.get('x-ipin-provider'),
    attempts: response.headers.get('x-ipin-attempts'),
    code: answer.error?.code,
  };
}

/** Asks as a client that leaves when the signal is aborted. */
function askUntil({ origin, config }: AppUnderTest, signal: AbortSignal): Promise<unknown> {
  const headers = {
    authorization: `Bearer ${config.masterApiKey}`,
    'content-type': 'application/json',
  };
  const body = JSON.stringify(CHAT);
  return fetch(`${origin}/v1/chat/completions`, { method: 'POST', headers, body, signal });
}

function countsOf({ upstreams }: Setting): number[] {
  return upstreams.map(({ received }) => received.length);
}

function keysAt(upstream: FakeUpstream | undefined): (string | undefined)[] {
  return (upstream?.received ?? []).map(({ headers }) => headers.authorization);
}

describe('what is tried after a failure', { timeout: 30_000 }, () => {
  const toNext: readonly (readonly [what: string, answer: Answer])[] = [
    ['not here', error(404)],
    ['a refused key', error(401)],
    ['no credit, with 400', error(400, {}, { code: 'insufficient_quota' })],
    ['busy', error(429, { 'retry-after': '3' })],
    ['a fault', error(500)],
    ['cut off after the request', cut],
    ['a page', (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['broken JSON', (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"a":')],
    ['a redirect', error(302, { location: 'http://127.0.0.1:9/' })],
    ['an error with status 200', json({ error: { message: 'down', code: 503 } })],
  ];
  for (const [what, answer] of toNext) {
    test(`${what}: the next provider answers`, async (t) => {
      const setting = await start(t, [answer, GOOD]);
      assert.deepEqual(await ask(setting.app), {
        status: 200,
        provider: 'p1',
        attempts: '2',
        code: undefined,
      });
      assert.deepEqual(countsOf(setting), [1, 1]);
      assert.equal(JSON.parse(setting.upstreams[1]?.received[0]?.body.toString() ?? '').model, 'm1');
    });
  }

  test('vectors that cannot be read: the next provider answers', async (t) => {
    const vectors = (embedding: unknown): Answer => json({ object: 'list', data: [{ index: 0, embedding }] });
    const setting = await start(t, [vectors('!'), vectors([0.5, 1])]);
    const seen = await ask(setting.app, { model: 'm', input: 'Hello' }, 'embeddings');
    assert.deepEqual([seen.status, seen.provider, seen.attempts], [200, 'p1', '2']);
  });

  test('a guess that may have run is not asked again', async (t) => {
    const half: Answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 9 });
      res.write('{"da', () => res.destroy());
    };
    const upstream = await startUpstream(t, byTurns(error(500, {}, { message: 'no such model' }), half));
    const app = await startApp(t, { env: { UPSTREAM_RETRIES: '2' } });
    await app.addProvider({ id: 'p', baseUrl: upstream.origin, type: 'chutes' }, [{ id: 'm' }]);
    const seen = await ask(app, { model: 'm', input: 'Hello' }, 'embeddings');
    assert.deepEqual([seen.status, seen.code], [502, 'upstream_invalid_response']);
    assert.equal(upstream.received.length, 2);
  });

  const atOnce: readonly (readonly [what: string, answer: Answer, status: number])[] = [
    ['400', error(400), 400],
    ['422', error(422), 422],
    [
      'an error of the caller with status 200',
      json({ error: { message: 'bad', type: 'invalid_request_error' } }),
      400,
    ],
  ];
  for (const [what, answer, status] of atOnce) {
    test(`${what}: answered at once`, async (t) => {
      const setting = await start(t, [answer, GOOD]);
      const seen = await ask(setting.app);
      assert.deepEqual([seen.status, seen.provider, seen.attempts], [status, 'p0', '1']);
      assert.deepEqual(countsOf(setting), [1, 0]);
    });
  }

  test('the answer names the model that was asked for, whoever gives it', async (t) => {
    const { app } = await start(t, [error(500), GOOD]);
    const response = await app.v1('chat/completions', CHAT);
    assert.equal(((await response.json()) as { model: string }).model, 'm');
  });

  test('the next key of the same provider, then the next provider', async (t) => {
    const setting = await start(t, [byTurns(error(429), error(401)), GOOD], 2);
    assert.deepEqual(await ask(setting.app), { status: 200, provider: 'p1', attempts: '3', code: undefined });
    assert.deepEqual(keysAt(setting.upstreams[0]), ['Bearer secret-0-0', 'Bearer secret-0-1']);
  });

  test('one provider, one key: the same once more after a wait', async (t) => {
    const setting = await start(t, [byTurns(error(500), error(503))]);
    assert.deepEqual(await ask(setting.app), { status: 200, provider: 'p0', attempts: '3', code: undefined });
  });

  test('as long as the provider asks', async (t) => {
    const setting = await start(t, [byTurns(error(429, { 'retry-after-ms': '40' }))]);
    assert.deepEqual(await ask(setting.app), { status: 200, provider: 'p0', attempts: '2', code: undefined });
  });

  test('a longer time than ten seconds ends the call', async (t) => {
    const setting = await start(t, [byTurns(error(429, { 'retry-after': '11' }))]);
    const response = await setting.app.v1('chat/completions', CHAT);
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '11');
    await response.text();
  });

  test('what may have run is never asked again', async (t) => {
    const setting = await start(t, [cut]);
    const seen = await ask(setting.app);
    assert.deepEqual([seen.status, seen.attempts], [502, '1']);
    assert.deepEqual(countsOf(setting), [1]);
  });

  test('the client gets the last error', async (t) => {
    const setting = await start(t, [error(500), error(401), error(404)]);
    const seen = await ask(setting.app);
    assert.deepEqual([seen.status, seen.provider, seen.attempts], [404, 'p2', '3']);
  });

  test('no more than the allowed attempts', async (t) => {
    const setting = await start(t, [error(500), error(500), error(500), GOOD]);
    const seen = await ask(setting.app);
    assert.deepEqual([seen.status, seen.provider, seen.attempts], [500, 'p2', '3']);
    assert.deepEqual(countsOf(setting), [1, 1, 1, 0]);
  });

  test('a client that leaves during a wait ends it', async (t) => {
    const setting = await start(t, [error(503, { 'retry-after': '8' })]);
    const leaving = new AbortController();
    const asked = askUntil(setting.app, leaving.signal);
    while (countsOf(setting)[0] === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort();
    await assert.rejects(asked);
    while (!setting.app.logs.some((line) => line.includes('"status":499')))
      await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(countsOf(setting), [1]);
  });

  test('clients that leave in the middle of an answer are no faults of the provider', async (t) => {
    const started = '{"choices":[{"message":{"content":"'.padEnd(100_000, 'x');
    const half: Answer = (_req, res) =>
      void res.writeHead(200, { 'content-type': 'application/json' }).write(started);
    const setting = await start(t, [byTurns(half, half, half)]);
    const { app } = setting;
    const isHolding = (): boolean => app.services.budget.usedBytes >= started.length;
    for (let count = 0; count < 3; count++) {
      const leaving = new AbortController();
      const asked = askUntil(app, leaving.signal);
      while (!isHolding()) await new Promise((resolve) => setImmediate(resolve));
      leaving.abort();
      await assert.rejects(asked);
      while (isHolding()) await new Promise((resolve) => setImmediate(resolve));
    }
    const aim = { providerId: 'p0', upstreamModel: 'm', keyId: null };
    assert.deepEqual(app.services.health.stateOf(aim), { kind: 'free' });
    assert.equal((await ask(app)).status, 200);
  });

  for (const [size, length] of [
    ['10 B', 10],
    ['5 KiB', 5_120],
    ['100 KiB', 102_400],
    ['5 MB', 5_000_000],
  ] as const) {
    test(`a body of ${size} arrives whole at the second provider`, async (t) => {
      const setting = await start(t, [error(500), GOOD]);
      const body = { ...CHAT, messages: [{ role: 'user', content: 'é'.repeat(length / 2) }] };
      assert.equal((await ask(setting.app, body)).status, 200);
      const [first, second] = setting.upstreams.map(({ received }) =>
        JSON.parse(received[0]?.body.toString() ?? ''),
      );
      assert.deepEqual(second, { ...first, model: 'm1' });
    });
  }
});

describe('who rests', { timeout: 30_000 }, () => {
  test('a provider that asks for time is passed over by the next call', async (t) => {
    const setting = await start(t, [error(429, { 'retry-after': '60' }), GOOD]);
    await ask(setting.app);
    assert.deepEqual(await ask(setting.app), { status: 200, provider: 'p1', attempts: '1', code: undefined });
    assert.deepEqual(countsOf(setting), [1, 2]);
  });

  test('a dead provider is passed over after three faults', async (t) => {
    const setting = await start(t, [error(500), GOOD]);
    for (let count = 0; count < 6; count++) assert.equal((await ask(setting.app)).status, 200);
    assert.deepEqual(countsOf(setting), [3, 6]);
  });

  test('if all rest because they asked for it, the call is answered at once', async (t) => {
    const setting = await start(t, [
      error(429, { 'retry-after': '60' }),
      error(503, { 'retry-after': '30' }),
    ]);
    await ask(setting.app);
    const response = await setting.app.v1('chat/completions', CHAT);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '30');
    assert.equal(response.headers.get('x-ipin-attempts'), '0');
    assert.equal(response.headers.get('x-ipin-provider'), null);
    assert.equal(((await response.json()) as { error: { message: string } }).error.message, 'no 503');
    assert.deepEqual(countsOf(setting), [1, 1]);
  });

  test('the next caller gets the error of a rest with the hint of the provider, without what it says of the request', async (t) => {
    const headers = { 'retry-after': '60', 'x-should-retry': 'true' };
    const { app } = await start(t, [error(429, headers, { metadata: { flagged_input: 'private' } })]);
    const [first, second] = [await app.v1('chat/completions', CHAT), await app.v1('chat/completions', CHAT)];
    assert.ok((await first.text()).includes('private'));
    assert.equal(second.status, 429);
    assert.equal(second.headers.get('x-should-retry'), 'true');
    assert.deepEqual(await second.json(), {
      error: { message: 'no 429', type: 'some_error', param: null, code: null },
    });
  });

  test('a refused key blocks until it is woken', async (t) => {
    const setting = await start(t, [byTurns(error(401))], 1);
    assert.deepEqual(await ask(setting.app), {
      status: 502,
      provider: 'p0',
      attempts: '1',
      code: 'upstream_auth_failed',
    });
    assert.deepEqual(await ask(setting.app), {
      status: 502,
      provider: null,
      attempts: '0',
      code: 'upstream_auth_failed',
    });
    setting.app.services.health.wakeKey('p0', 'k0');
    assert.equal((await ask(setting.app)).status, 200);
  });

  test('keys take turns', async (t) => {
    const setting = await start(t, [GOOD], 3);
    for (let count = 0; count < 6; count++) {
      const messages = [{ role: 'user', content: `question ${count}` }];
      assert.equal((await ask(setting.app, { ...CHAT, messages })).status, 200);
    }
    assert.deepEqual(
      keysAt(setting.upstreams[0]),
      [0, 1, 2, 0, 1, 2].map((key) => `Bearer secret-0-${key}`),
    );
  });

  test('a conversation stays with its key', async (t) => {
    const setting = await start(t, [GOOD], 3);
    for (let count = 0; count < 3; count++) {
      const more = Array.from({ length: count }, () => ({ role: 'assistant', content: 'Hi' }));
      await ask(setting.app, { ...CHAT, messages: [...CHAT.messages, ...more] });
    }
    assert.deepEqual(new Set(keysAt(setting.upstreams[0])), new Set(['Bearer secret-0-0']));
  });

  test('a conversation of very many messages is sent as any other', async (t) => {
    const setting = await start(t, [GOOD], 2);
    const messages = Array.from({ length: 40_000 }, () => ({ role: 'user', content: 'Hi' }));
    assert.equal((await ask(setting.app, { ...CHAT, messages })).status, 200);
  });

  test('no key that is off or refused by the file is sent, and none goes without', async (t) => {
    const upstream = await startUpstream(t, GOOD);
    const app = await startApp(t);
    const keys = [
      makeKey({ id: 'a', secret: 'off', enabled: false }),
      makeKey({ id: 'b', unreadable: 'v2.x' }),
    ];
    await app.addProvider({ id: 'p', baseUrl: upstream.origin, keys }, [{ id: 'm' }]);
    const seen = await ask(app);
    assert.deepEqual(seen, { status: 503, provider: null, attempts: null, code: 'provider_not_configured' });
    assert.equal(upstream.received.length, 0);
  });
});
