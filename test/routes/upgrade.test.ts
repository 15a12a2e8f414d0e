import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { closeAfter } from '../helpers/teardown.ts';

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly code: unknown;
}

async function start(t: TestContext): Promise<(path: string, headers: object) => Promise<Reply>> {
  const { port } = await startApp(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closeAfter(t, async () => agent.destroy());
  return async (path, headers) => {
    const sent = request({ port, path, agent, headers: { ...headers } });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, headers: response.headers, code: JSON.parse(text).error?.code };
  };
}

const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'openai-beta': 'responses_websockets=2026-02-06',
};

describe('a WebSocket on /v1/responses', { timeout: 20_000 }, () => {
  for (const [who, headers] of [
    ['without a key', {}],
    ['with a wrong key', { authorization: 'Bearer sk-wrong' }],
    ['with a key', { authorization: `Bearer ${MASTER_KEY}` }],
  ] as const) {
    test(`is refused at once ${who}`, async (t) => {
      const ask = await start(t);
      const { status, headers: answered, code } = await ask('/v1/responses', { ...WEBSOCKET, ...headers });
      assert.deepEqual([status, code, answered.upgrade], [426, 'upgrade_required', 'HTTP/1.1']);
      assert.match(String(answered['x-request-id']), /^req_/);
    });
  }

  test('leaves the connection usable', async (t) => {
    const ask = await start(t);
    await ask('/v1/responses', WEBSOCKET);
    const { status } = await ask('/v1/models', { authorization: `Bearer ${MASTER_KEY}` });
    assert.equal(status, 200);
  });

  test('ends the connection of a client that asks for that', async (t) => {
    const ask = await start(t);
    const { headers } = await ask('/v1/responses', { ...WEBSOCKET, connection: 'Upgrade, close' });
    assert.equal(headers.connection, 'upgrade, close');
  });

  test('changes nothing for other requests', async (t) => {
    const ask = await start(t);
    assert.equal((await ask('/v1/responses', {})).status, 405);
    const models = await ask('/v1/models', { ...WEBSOCKET, authorization: `Bearer ${MASTER_KEY}` });
    assert.equal(models.status, 200);
    assert.equal((await ask('/v1/nothing', WEBSOCKET)).status, 404);
  });
});
