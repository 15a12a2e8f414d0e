import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Price } from '../../src/store/entities.ts';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { recordOf } from '../helpers/limited-keys.ts';
import { headOf } from '../helpers/raw-post.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, jsonRequest, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const PRICE: Price = {
  inputPerMTok: 1,
  outputPerMTok: 10,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: 60,
  perImage: null,
  perRequest: null,
  above: null,
};

async function start(t: TestContext, answer: Answer): Promise<AppUnderTest> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm', price: PRICE }]);
  return app;
}

function used(app: AppUnderTest, key: string) {
  return app.services.budgets.usageOf('key', recordOf(app, key));
}

async function settled(app: AppUnderTest, key: string): Promise<ReturnType<typeof used>> {
  await until(() => used(app, key).requests === 1, 'the call is settled');
  return used(app, key);
}

describe('who tries to pass the limits', { timeout: 60_000 }, () => {
  test('and leaves while a large body is looked at holds nothing afterwards', async (t) => {
    const app = await start(t, json(CHAT_ANSWER));
    const key = await app.addKey({ limits: { concurrency: 1 } });
    const content = '\\n'.repeat(15_000_000);
    const body = Buffer.from(`{"model":"m","messages":[{"role":"user","content":"${content}"}]}`);
    const client = rawClient(t, app.port);
    client.write(headOf('chat/completions', 'application/json', `Content-Length: ${body.length}`, key));
    client.write(body);
    await until(() => app.services.budget.usedBytes >= body.length, 'the body has arrived');
    client.socket.destroy();
    await until(() => app.services.budget.usedBytes === 0, 'the call is over');
    assert.equal(app.services.budgets.running, 0);
    assert.equal((await app.v1('chat/completions', CHAT, key)).status, 200);
  });

  test('with audio of unknown size pays for the audio', async (t) => {
    const app = await start(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/plain' }).end('Hello');
    });
    const key = await app.addKey({ limits: { budgetUsd: 100 } });
    const form = [
      '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n',
      '--b\r\nContent-Disposition: form-data; name="response_format"\r\n\r\ntext\r\n',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n',
      `ID3${'\0'.repeat(320_000 - 3)}`,
      '\r\n--b--\r\n',
    ].join('');
    const client = rawClient(t, app.port);
    const type = 'multipart/form-data; boundary=b';
    client.write(headOf('audio/transcriptions', type, 'Transfer-Encoding: chunked', key));
    client.write(`${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200, answer?.body.toString());
    // Twenty seconds, a dollar each.
    assert.equal((await settled(app, key)).costUsd, 20);
  });

  test('with a length of the answer that makes no sense reserves the longest', async (t) => {
    const app = await start(t, json(CHAT_ANSWER));
    for (const text of ['-1', '0', '100.00000000000000000', '1e400', '100000000000000000000', '"4000"']) {
      const key = await app.addKey({ limits: { tpm: 1_000_000 } });
      const body = `{"model":"m","max_tokens":${text},"messages":[]}`;
      const answer = await app.v1('chat/completions', body, key);
      const left = Number(answer.headers.get('x-ratelimit-remaining-tokens'));
      const asked = text.startsWith('100.') ? 100 : 4096;
      assert.equal(1_000_000 - left, Math.ceil(body.length / 4) + asked, text);
    }
  });

  test('and leaves before the end of a long answer pays for it', async (t) => {
    const filler = `"x":"${'y'.repeat(2_000_000)}"`;
    const text = `{"choices":[{"message":{"role":"assistant","content":"Hi"}}],${filler}`;
    const app = await start(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write(text);
    });
    const key = await app.addKey({ limits: { budgetUsd: 100 } });
    const gone = new AbortController();
    const request = jsonRequest('POST', `Bearer ${key}`, { ...CHAT, max_tokens: 3_000 });
    const answer = await fetch(`${app.origin}/v1/chat/completions`, { ...request, signal: gone.signal });
    const reader = answer.body?.getReader();
    for (let bytes = 0; bytes < text.length; ) bytes += (await reader?.read())?.value?.length ?? 0;
    gone.abort();
    const { tokens } = await settled(app, key);
    assert.ok(tokens >= 3_000, `${tokens}`);
  });

  test('and leaves between the head and the body of an answer pays for the prompt', async (t) => {
    let isAsked = false;
    const app = await start(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('  ', () => {
        isAsked = true;
      });
    });
    const key = await app.addKey({ limits: { budgetUsd: 100 } });
    const gone = new AbortController();
    const request = jsonRequest('POST', `Bearer ${key}`, CHAT);
    const answer = fetch(`${app.origin}/v1/chat/completions`, { ...request, signal: gone.signal });
    await until(() => isAsked, 'the provider has begun its answer');
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.abort();
    await assert.rejects(answer);
    assert.equal((await settled(app, key)).tokens, Math.ceil(JSON.stringify(CHAT).length / 4));
  });

  test('nothing stays reserved when a provider tells an absurd length', async (t) => {
    const app = await start(t, json('{"text":"Hi","duration":1e308}'));
    const key = await app.addKey({ limits: { concurrency: 1 } });
    const form = new FormData();
    form.append('model', 'm');
    form.append('file', new Blob([Buffer.from(`ID3${'\0'.repeat(100)}`)]), 'a.mp3');
    const headers = { authorization: `Bearer ${key}` };
    const answer = await fetch(`${app.origin}/v1/audio/transcriptions`, {
      method: 'POST',
      headers,
      body: form,
    });
    assert.equal(answer.status, 200, await answer.text());
    await settled(app, key);
    assert.equal(app.services.budgets.running, 0);
    assert.deepEqual(
      app.logs.filter((line) => line.includes('internal error')),
      [],
    );
  });
});
