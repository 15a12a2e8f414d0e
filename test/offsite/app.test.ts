import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createApp } from '../../src/app.ts';
import { describeKey } from '../../src/auth/api-keys.ts';
import { loadConfig } from '../../src/config.ts';
import { StaticFolder } from '../../src/http/static.ts';
import type { Lifecycle } from '../../src/lifecycle.ts';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { DEBOUNCE_MS } from '../../src/offsite/schedule.ts';
import { Snapshotter } from '../../src/offsite/snapshotter.ts';
import { openStore } from '../../src/open-store.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';
import { FakeTimers } from './fake-timers.ts';
import { captureLog, databasePath, KEY, type Line } from './fixture.ts';
import { startInstance } from './instance.ts';
import { startPutGet } from './put-get-server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Serving {
  readonly origin: string;
  readonly timers: FakeTimers;
  readonly lines: Line[];
  readonly snapshotter: Snapshotter;
  /** Resolves once requests are served. */
  readonly opened: Promise<void>;
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  metrics(): Promise<string[]>;
  warnings(): Promise<[string, string][]>;
}

/** Starts as the server does: it listens first, and opens its store when the snapshot's state is known. */
async function serve(t: TestContext, url: string): Promise<Serving> {
  const env = {
    MASTER_API_KEY: MASTER_KEY,
    UI_USERNAME: ADMIN.username,
    UI_PASSWORD: ADMIN.password,
    ENCRYPTION_KEY: 'a key for provider keys',
    DB_PATH: await databasePath(t),
    SNAPSHOT_URL: url,
    SNAPSHOT_KEY: KEY,
  };
  const config = loadConfig(env);
  assert.ok(config.snapshot !== null);
  const timers = new FakeTimers();
  const { lines, logger } = captureLog();
  const target = createSnapshotTarget(config.snapshot, { env, now: Date.now });
  const snapshotter = new Snapshotter({ target, key: KEY, logger, now: timers.now, randomBytes, timers });
  const lifecycle: Lifecycle = { phase: 'starting', startedAtMs: Date.now() };
  const app = createApp({
    config,
    logger,
    lifecycle,
    staticFolder: new StaticFolder(fileURLToPath(new URL('../../public', import.meta.url))),
    version: 'test',
    now: Date.now,
    randomBytes,
    snapshotStatus: () => snapshotter.status(),
  });
  await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
  const open = async (): Promise<void> => {
    const store = await openStore({ config, logger, root: ROOT, snapshotter });
    t.after(() => store.close());
    await snapshotter.start(store);
    app.open(store, () => describeKey(MASTER_KEY));
  };
  const opened = open();
  t.after(async () => {
    app.server.closeAllConnections();
    await new Promise((resolve) => app.server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  let token: string | null = null;
  const request = async (method: string, path: string, body?: unknown): Promise<Response> => {
    token ??= await signIn(origin);
    return fetch(`${origin}${path}`, jsonRequest(method, `Bearer ${token}`, body));
  };
  return {
    origin,
    timers,
    lines,
    snapshotter,
    opened,
    admin: async (method, path, body) =>
      expectStatus(method === 'POST' ? 201 : 200, await request(method, path, body)),
    metrics: async () => {
      const text = await (await request('GET', '/metrics')).text();
      return text.split('\n').filter((line) => line.startsWith('ipin_snapshot'));
    },
    async warnings() {
      const status = await expectStatus(200, await request('GET', '/api/admin/status'));
      const { warnings } = status as { warnings: { code: string; message: string }[] };
      return warnings
        .filter(({ code }) => code.startsWith('snapshot'))
        .map(({ code, message }) => [code, message]);
    },
  };
}

const PROVIDER = { name: 'Acme', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-provider-secret-0123456789' };

test('until the snapshot is known everything is answered with 503 and Retry-After; then what it holds is served', async (t) => {
  const served = await startPutGet(t);
  const before = await startInstance(t, { url: served.url });
  await before.started;
  await before.addModel('from-the-snapshot');
  await before.close();
  await before.snapshotter.flush();

  await served.close();
  const app = await serve(t, served.url);
  await until(() => app.timers.delaysMs.length === 1, 'it waits for the snapshot');
  const rows = [
    'GET /',
    'GET /v1/models',
    'POST /api/login',
    'GET /api/admin/status',
    'GET /metrics',
    'GET /x',
  ];
  for (const row of rows) {
    const [method = '', path] = row.split(' ');
    const headers = { authorization: `Bearer ${MASTER_KEY}` };
    const answer = await fetch(`${app.origin}${path}`, { method, headers });
    assert.equal(answer.status, 503, row);
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/, row);
    assert.match(await answer.text(), /"code":"starting"/, row);
  }
  for (const method of ['GET', 'HEAD']) {
    const answer = await fetch(`${app.origin}/health`, { method });
    assert.equal(answer.status, 503);
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    if (method === 'GET') assert.match(await answer.text(), /"status":"starting"/);
  }

  await served.open();
  app.timers.advance(1_000);
  await app.opened;
  const health = await fetch(`${app.origin}/health`);
  assert.equal(health.status, 200);
  const models = await app.admin('GET', '/api/admin/models');
  assert.match(JSON.stringify(models), /"from-the-snapshot"/);
});

test('a change made over the API is in the snapshot, and nothing of it can be read there', async (t) => {
  const served = await startPutGet(t);
  const app = await serve(t, served.url);
  await app.opened;
  await app.admin('POST', '/api/admin/providers', PROVIDER);
  const user = { username: 'alice', name: 'Alice Liddell', password: 'down the rabbit hole' };
  await app.admin('POST', '/api/admin/users', user);
  const made = await app.admin('POST', '/api/admin/apikeys', { name: 'for the white rabbit' });
  const { key } = made as { key: string };
  const puts = served.log.length;
  app.timers.advance(DEBOUNCE_MS);
  await until(() => served.log.length > puts, 'it was written');
  const text = served.body?.toString('latin1') ?? '';
  assert.match(text, /^{"format":"ipin-proxy-snapshot"/);
  const plain = ['alice', 'Alice', 'Acme', 'rabbit', PROVIDER.apiKey, PROVIDER.baseUrl, key, MASTER_KEY, KEY];
  for (const word of plain) assert.ok(!text.includes(word), word);
});

test('status, metrics and warnings say how the snapshot stands', async (t) => {
  const served = await startPutGet(t);
  const app = await serve(t, served.url);
  await app.opened;
  const { snapshot } = (await app.admin('GET', '/api/admin/status')) as { snapshot: Record<string, unknown> };
  assert.deepEqual(snapshot, {
    enabled: true,
    target: new URL(served.url).host,
    lastAt: new Date(app.timers.nowMs).toISOString(),
    lastResult: 'written',
    lastWrittenAt: new Date(app.timers.nowMs).toISOString(),
    protected: true,
    message: 'The newest state is in the snapshot.',
  });
  const seconds = app.timers.nowMs / 1000;
  assert.deepEqual(await app.metrics(), [
    `ipin_snapshot_last_written_seconds ${seconds}`,
    'ipin_snapshot_ok 1',
  ]);
  assert.deepEqual(await app.warnings(), []);

  const faults = [
    ['snapshot_unreachable', 503, /answers PUT with 503/],
    ['snapshot_refused', 403, /set SNAPSHOT_TOKEN/],
  ] as const;
  for (const [code, status, message] of faults) {
    served.intercept = (_req, res) => {
      res.writeHead(status).end();
      return true;
    };
    await app.admin('POST', '/api/admin/providers', { ...PROVIDER, id: code.replace('_', '-') });
    app.timers.advance(60_000);
    await until(() => app.snapshotter.status().lastResult === code.slice(9), code);
    const [[found, said] = [], ...others] = await app.warnings();
    assert.deepEqual([found, others], [code, []]);
    assert.match(said ?? '', message);
    const ok = (await app.metrics()).at(-1);
    assert.equal(ok, 'ipin_snapshot_ok 0');
    assert.equal((await app.metrics())[0], `ipin_snapshot_last_written_seconds ${seconds}`);
  }

  served.intercept = null;
  served.body = Buffer.from('of somebody else');
  app.timers.advance(10 * 60_000);
  await until(() => app.snapshotter.status().lastResult === 'conflict', 'it has seen it');
  const [[code, said] = []] = await app.warnings();
  assert.equal(code, 'snapshot_conflict');
  assert.match(said ?? '', /holds something else\. Snapshots are stopped until a restart/);
  const health = await fetch(`${app.origin}/health`);
  assert.equal(health.status, 200, 'requests go on');
});

test('a place that takes no notice of conditions is a warning', async (t) => {
  const app = await serve(t, (await startPutGet(t, 'ignores-conditions')).url);
  await app.opened;
  const [[code, message] = [], ...others] = await app.warnings();
  assert.deepEqual([code, others], ['snapshot_unprotected', []]);
  assert.match(message ?? '', /takes no notice of If-Match/);
  assert.equal((await app.metrics()).at(-1), 'ipin_snapshot_ok 1');
});
