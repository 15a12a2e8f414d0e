import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { curlForm, pictureOf } from '../helpers/pictures.ts';
import { type RawAnswer, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, expectStatus, jsonRequest, startApp } from '../helpers/start-app.ts';

const ANNA = { username: 'anna', password: 'anna has a password' };
const BODY = JSON.stringify({ model: 'm', messages: [] });

interface World {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly userId: string;
  readonly keyId: string;
  /** Sends a request (a chat, if none is given) with these headers, and between them and its body has `change` made. */
  during(
    credentials: readonly string[],
    change: () => Promise<unknown>,
    request?: readonly [line: string, body: string],
  ): Promise<RawAnswer>;
  readonly key: string;
}

async function start(t: TestContext, now: () => number = Date.now): Promise<World> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t, { now });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }, { id: 'n' }]);
  const made = await expectStatus(201, await app.admin('POST', '/api/admin/users', ANNA));
  const { id: userId } = made as { id: string };
  const fields = { name: 'hers', userId };
  const { key, id: keyId } = (await expectStatus(
    201,
    await app.admin('POST', '/api/admin/apikeys', fields),
  )) as {
    key: string;
    id: string;
  };
  return {
    app,
    upstream,
    userId,
    keyId,
    key,
    async during(credentials, change, [line, body] = ['POST /v1/chat/completions', BODY]) {
      const client = rawClient(t, app.port);
      const head = [
        `${line} HTTP/1.1`,
        `Host: 127.0.0.1:${app.port}`,
        ...credentials,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        'Expect: 100-continue',
      ];
      client.write(`${head.join('\r\n')}\r\n\r\n`);
      await client.until('HTTP/1.1 100 Continue\r\n\r\n');
      await change();
      client.write(body);
      const [answer] = await client.answers(1);
      assert.ok(answer !== undefined);
      return answer;
    },
  };
}

describe('what is withdrawn while a body arrives counts for its request', { timeout: 30_000 }, () => {
  const rows: readonly [string, (world: World) => Promise<unknown>, number, string][] = [
    [
      'the key is switched off',
      ({ app, keyId }) => app.admin('PUT', `/api/admin/apikeys/${keyId}`, { enabled: false }),
      401,
      'invalid_api_key',
    ],
    [
      'the key is deleted',
      ({ app, keyId }) => app.admin('DELETE', `/api/admin/apikeys/${keyId}`),
      401,
      'invalid_api_key',
    ],
    [
      'its owner is disabled',
      ({ app, userId }) => app.admin('PUT', `/api/admin/users/${userId}`, { enabled: false }),
      401,
      'invalid_api_key',
    ],
    [
      'its owner is deleted',
      ({ app, userId }) => app.admin('DELETE', `/api/admin/users/${userId}`),
      401,
      'invalid_api_key',
    ],
    [
      'its models are restricted',
      ({ app, keyId }) => app.admin('PUT', `/api/admin/apikeys/${keyId}`, { models: ['n'] }),
      403,
      'model_not_allowed',
    ],
    [
      'its owner’s models are',
      ({ app, userId }) => app.admin('PUT', `/api/admin/users/${userId}`, { models: ['n'] }),
      403,
      'model_not_allowed',
    ],
  ];
  for (const [what, change, status, code] of rows) {
    test(`${what}: ${status}`, async (t) => {
      const world = await start(t);
      const answer = await world.during([`Authorization: Bearer ${world.key}`], () => change(world));
      assert.equal(answer.status, status);
      assert.match(String(answer.body), new RegExp(`"code":"${code}"`));
      assert.equal(world.upstream.received.length, 0);
    });
  }

  for (const [request, body] of [
    ['POST /v1/chat/completions', BODY],
    ['POST /v1/ocr', '{"model":"m","image_url":"https://x.example/a.png"}'],
  ] as const)
    test(`A13: ${request}, the key expires: 401`, async (t) => {
      let nowMs = Date.parse('2030-01-01T00:00:00Z');
      const world = await start(t, () => nowMs);
      const expiresAt = new Date(nowMs + 60_000).toISOString();
      await world.app.admin('PUT', `/api/admin/apikeys/${world.keyId}`, { expiresAt });
      const credentials = [`Authorization: Bearer ${world.key}`];
      const late = async () => {
        nowMs += 60_000;
      };
      const answer = await world.during(credentials, late, [request, body]);
      assert.equal(answer.status, 401);
      assert.match(String(answer.body), /"code":"invalid_api_key"/);
      assert.equal(world.upstream.received.length, 0);
    });

  test('B13: a key that is restricted meanwhile may not pick other models: 400', async (t) => {
    const world = await start(t);
    const answer = await world.during(
      [`Authorization: Bearer ${world.key}`],
      () => world.app.admin('PUT', `/api/admin/apikeys/${world.keyId}`, { models: ['m'] }),
      ['POST /v1/chat/completions', JSON.stringify({ model: 'm', models: ['n'], messages: [] })],
    );
    assert.equal(answer.status, 400);
    assert.equal(world.upstream.received.length, 0);
  });

  test('B13: a key that is switched off while the image of an OCR form arrives: 401', async (t) => {
    const { app, upstream, key, keyId } = await start(t);
    const image = pictureOf('image/png', 60_000);
    const form = curlForm([
      ['model', 'm'],
      ['file', image, { name: 'a.png', type: 'image/png' }],
    ]);
    const client = rawClient(t, app.port);
    client.write(
      `POST /v1/ocr HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
        `Content-Type: ${form.contentType}\r\nContent-Length: ${form.body.length}\r\n` +
        'Expect: 100-continue\r\n\r\n',
    );
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.write(form.body.subarray(0, 30_000));
    // The model has been read, and the right to use it was there, once some of the image is held.
    while (app.services.budget.usedBytes < 20_000) await new Promise((resolve) => setImmediate(resolve));
    await app.admin('PUT', `/api/admin/apikeys/${keyId}`, { enabled: false });
    client.write(form.body.subarray(30_000));
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 401);
    assert.equal(upstream.received.length, 0);
  });

  test('another name changes nothing', async (t) => {
    const world = await start(t);
    const answer = await world.during([`Authorization: Bearer ${world.key}`], () =>
      world.app.admin('PUT', `/api/admin/apikeys/${world.keyId}`, { name: 'renamed' }),
    );
    assert.equal(answer.status, 200);
  });

  for (const [what, change] of [
    ['gets a new password', { password: 'another password' }],
    ['is disabled', { enabled: false }],
  ] as const)
    for (const request of [
      'POST /v1/chat/completions',
      'POST /api/user/apikeys',
      'PUT /api/user/apikeys/own',
    ])
      test(`${request}, the user of a session ${what}: 401`, async (t) => {
        const world = await start(t);
        const { origin } = world.app;
        const login = await fetch(`${origin}/api/login`, jsonRequest('POST', null, ANNA));
        const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
        const line = request.replace('own', world.keyId);
        const body = line.includes('/v1/') ? BODY : JSON.stringify({ name: 'taken', enabled: true });
        const answer = await world.during(
          [`Cookie: ${cookie}`, `Origin: ${origin}`],
          () => world.app.admin('PUT', `/api/admin/users/${world.userId}`, change),
          [line, body],
        );
        assert.equal(answer.status, 401);
        assert.match(String(answer.body), /"code":"not_signed_in"/);
        assert.equal(world.upstream.received.length, 0);
        const names = [...world.app.services.store.config.view().apiKeys.values()].map(({ name }) => name);
        assert.deepEqual(names, ['hers']);
      });
});
