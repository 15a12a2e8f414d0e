import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Answer, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

type Json = Record<string, unknown>;

const ASKS = [
  ['messages', { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }],
  ['responses', { model: 'm', input: 'Hi', tools: [{ type: 'tool_search', execution: 'client' }] }],
] as const;

async function start(t: TestContext, answer: Answer): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  await app.addProvider(
    {
      id: 'up',
      baseUrl: `${upstream.origin}/v1`,
      options: { responses: 'translate', messages: 'translate' },
    },
    [{ id: 'm' }],
  );
  return { app, upstream };
}

const DEEP = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;

function called(text: unknown): Json {
  return {
    tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'tool_search', arguments: text } }],
  };
}

function streaming(records: string, isEnded = true): Answer {
  return (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(records);
    if (isEnded) res.end();
  };
}

describe('odd answers of providers, translated', { timeout: 60_000 }, () => {
  for (const [path, ask] of ASKS) {
    test(`${path}: arguments that are nested too deeply are the provider’s fault`, async (t) => {
      const { app, upstream } = await start(
        t,
        json({ choices: [{ index: 0, message: called(DEEP), finish_reason: 'tool_calls' }] }),
      );
      const answer = await app.v1(path, ask);
      assert.equal(answer.status, 502, await answer.text());
      assert.ok(!app.logs.some((line) => line.includes('internal error')));
      upstream.answer = streaming(
        `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":${DEEP}}}]}}]}\n\ndata: [DONE]\n\n`,
      );
      const text = await (await app.v1(path, { ...ask, stream: true })).text();
      assert.match(text, /event: error\n/);
      assert.doesNotMatch(text, /message_stop|response\.completed/);
    });

    test(`${path}: a client that leaves after a tool call takes the provider’s connection along`, async (t) => {
      const record = JSON.stringify({ choices: [{ index: 0, delta: called('{"a":') }] });
      const { app, upstream } = await start(t, streaming(`data: ${record}\n\n`, false));
      const leaving = new AbortController();
      const answer = await fetch(`${app.origin}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...ask, stream: true }),
        signal: leaving.signal,
      });
      assert.equal(answer.status, 200);
      leaving.abort();
      await until(() => upstream.sockets.size === 0, 'the connection to the provider is closed');
      await until(
        () => app.logs.some((line) => line.includes('"outcome":"cancelled"')),
        'the record is closed',
      );
    });

    test(`${path}: usage is counted once, however often it is told`, async (t) => {
      const usage = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };
      const chunk = (fields: Json): string => `data: ${JSON.stringify(fields)}\n\n`;
      const records =
        chunk({
          choices: [{ index: 0, delta: { content: 'Hi' } }],
          usage: { ...usage, completion_tokens: 1 },
        }) +
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage }) +
        chunk({ choices: [], usage, x_groq: { usage } });
      const { app } = await start(t, streaming(`${records}data: [DONE]\n\n`));
      await (await app.v1(path, { ...ask, stream: true })).text();
      const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/requests'))) as {
        data: Json[];
      };
      const { promptTokens, completionTokens } = data[0] ?? {};
      assert.deepEqual([promptTokens, completionTokens], [10, 4]);
    });
  }
});

test('a form for a model of the default provider’s own keeps its name', { timeout: 30_000 }, async (t) => {
  const { app, upstream } = await start(t, json({ id: 'video_1' }));
  await expectStatus(200, await app.admin('PUT', '/api/admin/settings', { defaultProviderId: 'up' }));
  const form = new FormData();
  form.set('model', 'sora-of-theirs');
  form.set('prompt', 'x');
  const headers = { authorization: `Bearer ${MASTER_KEY}` };
  await expectStatus(200, await fetch(`${app.origin}/v1/videos`, { method: 'POST', headers, body: form }));
  assert.match(upstream.received[0]?.body.toString() ?? '', /name="model"\r\n\r\nsora-of-theirs\r\n/);
});
