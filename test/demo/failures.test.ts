import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createDemoProvider } from '../../src/demo/provider.ts';

/** A provider that fails; gives what a chat with it leads to: a status, or `cut` after these bytes. */
async function startFailing(t: TestContext) {
  const server = createDemoProvider({ apiKey: null, tokenDelayMs: 0, fails: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (path: string, body: object) =>
    fetch(`${origin}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const chat = async (content: string, stream: boolean) => {
    const response = await post('chat/completions', {
      model: 'demo-chat',
      stream,
      messages: [{ role: 'user', content }],
    });
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of response.body ?? []) chunks.push(chunk as Uint8Array);
    } catch {
      return { result: 'cut', retryAfter: null, text: Buffer.concat(chunks).toString() };
    }
    const retryAfter = response.headers.get('retry-after');
    return { result: response.status, retryAfter, text: Buffer.concat(chunks).toString() };
  };
  return { origin, post, chat };
}

describe('the demo provider that fails', { timeout: 20_000 }, () => {
  for (const stream of [false, true]) {
    test(`fails in turn and answers every fourth ${stream ? 'stream' : 'chat'}`, async (t) => {
      const { chat } = await startFailing(t);
      const seen = [];
      for (let index = 0; index < 8; index++) seen.push(await chat('Hello!', stream));
      const results = seen.map(({ result }) => result);
      assert.deepEqual(results, [503, 500, 'cut', 200, 503, 500, 'cut', 200]);
      assert.deepEqual(seen.map(({ retryAfter }) => retryAfter).slice(0, 4), ['3', null, null, null]);
      assert.match(seen[2]?.text ?? '', /^(data: )?\{"id"/);
      const end = stream ? '[DONE]' : 'leaving this machine';
      assert.deepEqual(
        seen.slice(2, 4).map(({ text }) => text.includes(end)),
        [false, true],
      );
    });
  }

  test('fails as a message asks for, without a change of the turn', async (t) => {
    const { chat } = await startFailing(t);
    for (const status of [401, 400, 429, 503]) {
      const { result, retryAfter, text } = await chat(`Please fail with ${status}.`, status === 401);
      assert.deepEqual([result, retryAfter], [status, status === 429 || status === 503 ? '3' : null]);
      const { error } = JSON.parse(text) as { error: object };
      assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    }
    assert.equal((await chat('I never fail with 200 words', false)).result, 503);
    assert.equal((await chat('Hello!', false)).result, 500);
  });

  test('answers everything but chats', async (t) => {
    const { origin, post } = await startFailing(t);
    for (let index = 0; index < 4; index++) {
      assert.equal((await fetch(`${origin}/v1/models`)).status, 200);
      assert.equal((await post('embeddings', { model: 'demo-embed', input: 'x' })).status, 200);
    }
    assert.equal((await post('chat/completions', { model: 'demo-chat' })).status, 400);
  });
});
