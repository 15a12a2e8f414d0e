import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type RawAnswer, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, expectStatus, jsonRequest, startApp } from '../helpers/start-app.ts';

const ANNA = { username: 'anna', password: 'anna has a password' };
const BODY = JSON.stringify({ model: 'm', messages: [] });

interface World {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly userId: string;
  readonly keyId: string;
  /** Sends a chat with these headers, and between them and its body has `change` made. */
  during(credentials: readonly string[], change: () => Promise<unknown>): Promise<RawAnswer>;
  readonly key: string;
}

async function start(t: TestContext): Promise<World> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
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
    async during(credentials, change) {
      const client = rawClient(t, app.port);
      const head = [
        'POST /v1/chat/completions HTTP/1.1',
        `Host: 127.0.0.1:${app.port}`,
        ...credentials,
        'Content-Type: application/json',
        `Content-Length: ${BODY.length}`,
        'Expect: 100-continue',
      ];
      client.write(`${head.join('\r\n')}\r\n\r\n`);
      await client.until('HTTP/1.1 100 Continue\r\n\r\n');
      await change();
      client.write(BODY);
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

  test('another name changes nothing', async (t) => {
    const world = await start(t);
    const answer = await world.during([`Authorization: Bearer ${world.key}`], () =>
      world.app.admin('PUT', `/api/admin/apikeys/${world.keyId}`, { name: 'renamed' }),
    );
    assert.equal(answer.status, 200);
  });

  test('the user of a session gets a new password: 401', async (t) => {
    const world = await start(t);
    const { origin } = world.app;
    const login = await fetch(`${origin}/api/login`, jsonRequest('POST', null, ANNA));
    const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    const reset = { password: 'another password' };
    const answer = await world.during([`Cookie: ${cookie}`, `Origin: ${origin}`], () =>
      world.app.admin('PUT', `/api/admin/users/${world.userId}`, reset),
    );
    assert.equal(answer.status, 401);
    assert.equal(world.upstream.received.length, 0);
  });
});
