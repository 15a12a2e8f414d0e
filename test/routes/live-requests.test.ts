import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeEntry } from '../helpers/entries.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, expectStatus, jsonRequest, signIn, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const PATH = '/api/admin/requests/live';

interface Live {
  readonly client: RawClient;
  /** Ids of the events that came, in their order. */
  readonly ids: () => string[];
  /** Resolves once the stream has ended in order. */
  readonly ended: () => Promise<void>;
}

/** Reads the live requests. Resolves when the stream has begun. */
async function read(t: TestContext, app: AppUnderTest, token: string, query = ''): Promise<Live> {
  const client = rawClient(t, app.port);
  client.write(`GET ${PATH}${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await client.until(': keep-alive\n\n');
  return {
    client,
    ids: () => eventsOf(client).map(({ id }) => String(id)),
    ended: async () => void (await client.until('\r\n0\r\n\r\n')),
  };
}

function eventsOf(client: RawClient): Record<string, unknown>[] {
  const text = client.received().toString();
  return [...text.matchAll(/event: request\ndata: (\{.*\})\n\n/g)].map(([, json]) => JSON.parse(json ?? ''));
}

function add(app: AppUnderTest, id: string, fields: Partial<Parameters<typeof makeEntry>[0]> = {}): void {
  app.services.requestLog.add(makeEntry({ id, ...fields }));
}

test('each reader gets each request that its filters let pass, once, as in the list, and none from before', async (t) => {
  const app = await startApp(t);
  const token = await signIn(app.origin);
  add(app, 'req_before');
  const all = await read(t, app, token);
  const some = await read(t, app, token, '?model=gpt&outcome=limited');
  const found = await read(t, app, token, '?search=GP');
  add(app, 'req_1', { modelId: 'gpt' });
  add(app, 'req_2', { modelId: 'gpt', outcome: 'limited' });
  add(app, 'req_3');
  await until(() => all.ids().length >= 3, 'three events');
  add(app, 'req_4', { modelId: 'gpt', outcome: 'limited' });
  await until(() => some.ids().length >= 2, 'two events');
  await until(() => found.ids().length >= 3, 'three events');
  assert.deepEqual(all.ids(), ['req_1', 'req_2', 'req_3', 'req_4']);
  assert.deepEqual(some.ids(), ['req_2', 'req_4']);
  assert.deepEqual(found.ids(), ['req_1', 'req_2', 'req_4']);
  const list = (await expectStatus(200, await app.admin('GET', '/api/admin/requests?limit=4'))) as {
    data: object[];
  };
  assert.deepEqual(eventsOf(all.client), [...list.data].reverse());
  const head = all.client.received().toString().toLowerCase();
  for (const header of [
    'content-type: text/event-stream',
    'cache-control: no-store',
    'x-accel-buffering: no',
  ])
    assert.ok(head.includes(`\r\n${header}\r\n`), head);
});

test('a reader with a span of time gets only what ends in it', async (t) => {
  const app = await startApp(t);
  const token = await signIn(app.origin);
  const noon = '2026-11-30T12:00:00.000Z';
  const later = await read(t, app, token, `?from=${noon}`);
  const earlier = await read(t, app, token, `?to=${noon}`);
  const noonMs = Date.parse(noon);
  add(app, 'req_1', { endedAtMs: noonMs - 1 });
  add(app, 'req_2', { endedAtMs: noonMs });
  add(app, 'req_3', { endedAtMs: noonMs + 1 });
  add(app, 'req_4', { endedAtMs: noonMs - 1 });
  await until(() => later.ids().length >= 2 && earlier.ids().length >= 2, 'two events each');
  assert.deepEqual(later.ids(), ['req_2', 'req_3']);
  assert.deepEqual(earlier.ids(), ['req_1', 'req_4']);
});

test('many requests at once come all', async (t) => {
  const app = await startApp(t);
  const live = await read(t, app, await signIn(app.origin));
  const ids = Array.from({ length: 2_500 }, (_, number) => `req_${number}`);
  for (const id of ids) add(app, id);
  await until(() => live.ids().length >= ids.length, 'all events');
  assert.deepEqual(live.ids(), ids);
});

test('wrong filters are refused, and HEAD gets no stream', async (t) => {
  const app = await startApp(t);
  for (const query of ['outcome=fine', 'from=yesterday', 'to=2026-02-30'])
    assert.equal((await app.admin('GET', `${PATH}?${query}`)).status, 400, query);
  const head = await app.admin('HEAD', PATH);
  assert.equal(head.headers.get('content-type'), 'text/event-stream');
});

test('the stream of a session ends with it, and shows nothing that comes after', async (t) => {
  const app = await startApp(t);
  const [token, other] = [await signIn(app.origin), await signIn(app.origin)];
  const live = await read(t, app, token);
  const kept = await read(t, app, other);
  add(app, 'req_1');
  await until(() => live.ids().length + kept.ids().length === 2, 'both events');
  const logout = await fetch(`${app.origin}/api/admin/logout`, jsonRequest('POST', `Bearer ${token}`));
  assert.equal(logout.status, 204);
  add(app, 'req_2');
  await live.ended();
  await until(() => kept.ids().length === 2, 'the other stream goes on');
  assert.deepEqual(live.ids(), ['req_1']);
});

test('a session that expires ends its stream, and the stream does not keep it alive', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  mockTimers(t, 'Interval');
  const app = await startApp(t, { now: () => nowMs });
  const live = await read(t, app, await signIn(app.origin));
  t.mock.timers.tick(20_000);
  await live.client.until(': keep-alive\n\n\r\n');
  nowMs += 61 * 60 * 1000;
  t.mock.timers.tick(20_000);
  await live.ended();
});

test('a drain ends the streams at once', async (t) => {
  const app = await startApp(t);
  const live = await read(t, app, await signIn(app.origin));
  add(app, 'req_1');
  const stopped = app.shutDown(60_000);
  await live.ended();
  assert.deepEqual(live.ids(), ['req_1']);
  await stopped;
});

test('a reader that is 1 MB behind is cut, and the others go on', async (t) => {
  const app = await startApp(t);
  const token = await signIn(app.origin);
  const slow = await read(t, app, token);
  const fast = await read(t, app, token);
  slow.client.socket.pause();
  let sent = 0;
  const isCut = (): boolean => slow.client.socket.destroyed || openReaders() === 1;
  const openReaders = (): number =>
    Number(/^ipin_running_requests (\d+)$/m.exec(app.services.metrics.registry.expose())?.[1]);
  while (!isCut()) {
    assert.ok(sent < 40_000, 'never cut');
    for (let count = 0; count < 1_000; count++) add(app, `req_${sent + count}`);
    sent += 1_000;
    await new Promise((resolve) => setImmediate(resolve));
    await until(() => fast.client.received().includes(`req_${sent - 1}"`), 'the fast reader');
  }
  const bytes = fast.client.received().length;
  assert.ok(bytes > 1024 * 1024, `${bytes} bytes were sent before the cut`);
});

test('there are only so many readers, and one that leaves makes room', async (t) => {
  const app = await startApp(t);
  const token = await signIn(app.origin);
  const readers: Live[] = [];
  for (let count = 0; count < 16; count++) readers.push(await read(t, app, token));
  const refused = await app.admin('GET', PATH);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '10');
  readers[0]?.client.socket.destroy();
  for (let tries = 0; ; tries++) {
    const answer = await app.admin('GET', PATH);
    if (answer.status === 200) break;
    assert.ok(tries < 100, 'no room');
    await answer.text();
  }
});
