import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { hasOpenssl, signedCertificate } from '../helpers/certificate.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { ownPort } from '../helpers/own-port.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, runServer, type ServerRun, startServer } from '../helpers/start-server.ts';

const ADMIN = { username: 'admin', password: 'correct horse battery' };
const ENV = {
  UI_PASSWORD: ADMIN.password,
  MASTER_API_KEY: 'sk-master-0123456789abcdef0123456789abcdef',
  LOG_LEVEL: 'info',
};
const SHOWN_LIMIT_MS = 10_000;
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

function asAdmin(origin: string, token: string) {
  return (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${origin}${path}`, jsonRequest(method, `Bearer ${token}`, body));
}

async function call(origin: string, key: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/chat/completions`, jsonRequest('POST', `Bearer ${key}`, CHAT));
  await answer.arrayBuffer();
  return answer.status;
}

/** A server with a file, after some calls of a key with a budget. */
async function startWithFile(t: TestContext, folder: string) {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const server = await startServer(t, { folder, env: { ...ENV, ENCRYPTION_KEY: 'sixteen characters' } });
  const token = await signIn(server.origin, ADMIN);
  const admin = asAdmin(server.origin, token);
  await expectStatus(
    201,
    await admin('POST', '/api/admin/providers', {
      id: 'up',
      name: 'Up',
      baseUrl: upstream.origin,
      apiKey: 'sk-canary-provider-key',
    }),
  );
  await expectStatus(201, await admin('POST', '/api/admin/models', { id: 'm', name: 'M', providerId: 'up' }));
  const limits = { budgetTokens: 1_000_000, budgetPeriod: 'total' };
  const made = await expectStatus(201, await admin('POST', '/api/admin/apikeys', { name: 'K', limits }));
  const { id, key } = made as { id: string; key: string };
  for (let index = 0; index < 3; index += 1) assert.equal(await call(server.origin, key), 200);
  return { server, token, id, key, upstream };
}

/** The requests that a report shows by key, as soon as they are so many; then as they are. */
async function requestsShown(origin: string, token: string, expected: number): Promise<number[]> {
  const limitMs = performance.now() + SHOWN_LIMIT_MS;
  for (;;) {
    const answer = await asAdmin(origin, token)('GET', '/api/admin/usage?groupBy=key');
    const { data } = (await expectStatus(200, answer)) as { data: { requests: number }[] };
    const shown = data.map(({ requests }) => requests);
    if ((shown[0] ?? 0) >= expected || performance.now() > limitMs) return shown;
  }
}

describe('a start with REDIS_URL', { skip: redisSkipped(), timeout: 120_000 }, () => {
  test('an empty engine takes over the file once: keys, sessions, budgets, usage', async (t) => {
    const folder = makeTestFolder(t);
    const redis = await startRedis(t);
    const { server, token, id, key } = await startWithFile(t, folder);
    assert.equal(await server.stop(), 0);
    const env = { ...ENV, ENCRYPTION_KEY: 'sixteen characters', REDIS_URL: redis.url };
    const shared = await startServer(t, { folder, env });
    const elsewhere = await startServer(t, { folder: makeTestFolder(t), env });
    for (const { origin } of [shared, elsewhere]) {
      const admin = asAdmin(origin, token);
      assert.equal(await call(origin, key), 200);
      const { usage } = (await expectStatus(200, await admin('GET', `/api/admin/apikeys/${id}`))) as {
        usage: { requests: number };
      };
      assert.ok(usage.requests >= 3);
    }
    // The instance that is asked tells what it has counted before it answers; the other one within its beat.
    assert.deepEqual(await requestsShown(shared.origin, token, 5), [5]);
    assert.deepEqual(await requestsShown(elsewhere.origin, token, 5), [5]);
    const dump = JSON.stringify(await redis.dump());
    assert.doesNotMatch(dump, /sk-canary-provider-key/);
    assert.ok(!dump.includes(key) && !dump.includes(token) && !dump.includes(ADMIN.password));
    // The file is not read again.
    await expectStatus(
      200,
      await asAdmin(elsewhere.origin, token)('PUT', `/api/admin/apikeys/${id}`, { enabled: false }),
    );
    await shared.stop();
    const again = await startServer(t, { folder, env });
    assert.equal(await call(again.origin, key), 401);
  });

  test('without a file nothing is written to the disk', async (t) => {
    const redis = await startRedis(t);
    const folder = makeTestFolder(t);
    const server = await startServer(t, { folder, env: { ...ENV, REDIS_URL: redis.url } });
    assert.match(server.stdout(), /"event":"redis.loses_data","message":"Redis keeps no append-only file/);
    assert.equal(await call(server.origin, 'sk-unknown-0123456789abcdef01234567'), 401);
    assert.equal(await server.stop(), 0);
    assert.equal(existsSync(join(folder, 'ipin-proxy.db')), false);
  });

  test('instances that start together have one generated master key, shown once', async (t) => {
    const redis = await startRedis(t);
    const env = { UI_PASSWORD: ADMIN.password, LOG_LEVEL: 'info', REDIS_URL: redis.url };
    const servers = await Promise.all(
      [1, 2, 3].map(() => startServer(t, { folder: makeTestFolder(t), env })),
    );
    const shown = servers.flatMap(({ stdout }) => /Master API key .*: (sk-\S+)/.exec(stdout())?.[1] ?? []);
    assert.equal(shown.length, 1);
    for (const { origin } of servers) {
      const answer = await fetch(`${origin}/v1/models`, jsonRequest('GET', `Bearer ${shown[0]}`));
      assert.equal(answer.status, 200);
    }
  });

  test('without the engine it waits, answers 503 starting, and serves as soon as the engine is there', async (t) => {
    const redis = await startRedis(t);
    await redis.kill();
    const port = await ownPort(t);
    const env = { ...ENV, PORT: String(port), REDIS_URL: redis.url };
    const server: ServerRun = runServer(t, { folder: makeTestFolder(t), env });
    const origin = `http://127.0.0.1:${port}`;
    await server.hasShown('"event":"redis.away"');
    const health = await fetch(`${origin}/health`);
    assert.deepEqual(
      [health.status, ((await health.json()) as { status: string }).status],
      [503, 'starting'],
    );
    const answer = await fetch(`${origin}/v1/models`);
    const { error } = (await expectStatus(503, answer)) as { error: { code: string } };
    assert.equal(error.code, 'starting');
    await redis.start();
    await server.listening;
    assert.equal((await fetch(`${origin}/health`)).status, 200);
  });

  test('a signal ends a server that waits for the engine', async (t) => {
    const port = await ownPort(t);
    const env = { ...ENV, REDIS_URL: `redis://127.0.0.1:${port}` };
    const server = runServer(t, { folder: makeTestFolder(t), env });
    await server.hasShown('"event":"redis.away"');
    assert.deepEqual(await server.kill('SIGTERM'), [0, null]);
  });

  test('user and password of the address are used, and never logged', async (t) => {
    const args = [
      '--user',
      'default',
      'off',
      '--user',
      'proxy',
      'on',
      '>p@ss-canary',
      '~{ipin}:*',
      '&{ipin}:*',
      '+@all',
    ];
    const redis = await startRedis(t, { args });
    const url = redis.url.replace('redis://', 'redis://proxy:p%40ss-canary@');
    const server = await startServer(t, { folder: makeTestFolder(t), env: { ...ENV, REDIS_URL: url } });
    assert.equal((await fetch(`${server.origin}/health`)).status, 200);
    const refused = runServer(t, {
      folder: makeTestFolder(t),
      env: { ...ENV, REDIS_URL: url.replace('p%40ss', 'wr%40ng') },
    });
    await refused.hasShown('"event":"redis.away"');
    assert.doesNotMatch(server.stdout() + refused.stdout() + refused.stderr(), /canary/);
  });

  test('rediss:// encrypts, and takes no certificate that nobody vouches for', {
    skip: !hasOpenssl(),
  }, async (t) => {
    const files = makeTestFolder(t);
    const { key, cert, ca } = signedCertificate(t, 'IP:127.0.0.1');
    const [keyPath, certPath, caPath] = ['key.pem', 'cert.pem', 'ca.pem'].map((name) =>
      join(files, name),
    ) as [string, string, string];
    writeFileSync(keyPath, key);
    writeFileSync(certPath, cert);
    writeFileSync(caPath, ca);
    const port = await ownPort(t);
    const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no'];
    const paths = ['--tls-key-file', keyPath, '--tls-cert-file', certPath, '--tls-ca-cert-file', caPath];
    await startRedis(t, { args: [...tls, ...paths] });
    const env = { ...ENV, REDIS_URL: `rediss://127.0.0.1:${port}` };
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: caPath };
    const server = await startServer(t, { folder: makeTestFolder(t), env: trusting });
    assert.equal((await fetch(`${server.origin}/health`)).status, 200);
    const refused = runServer(t, { folder: makeTestFolder(t), env });
    await refused.hasShown('"event":"redis.away"');
    assert.match(refused.stdout(), /certificate/);
  });
});

describe('without redis-server', () => {
  test('a wrong REDIS_URL, and one beside SNAPSHOT_URL, are refused with one line each', async (t) => {
    const env = {
      ...ENV,
      REDIS_URL: 'http://user:canary@host',
      SNAPSHOT_URL: 'https://host/x',
      SNAPSHOT_KEY: 'sixteen characters',
    };
    const server = runServer(t, { folder: makeTestFolder(t), env });
    assert.deepEqual(await server.ended, [1, null]);
    assert.match(
      server.stderr(),
      /^REDIS_URL must be redis:.*\nSNAPSHOT_URL does not work together with REDIS_URL.*\n$/,
    );
  });
});
