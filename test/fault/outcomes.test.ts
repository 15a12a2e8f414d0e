import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const FINISHED = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n';
const HELLO = [{ role: 'user', content: 'Hello' }];
const STREAM = { 'content-type': 'text/event-stream' };

async function start(t: TestContext, answer: Answer, idleTimeoutMs = 60_000): Promise<AppUnderTest> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  const options = { idleTimeoutMs };
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, options }, [{ id: 'm' }]);
  return app;
}

function chatRequest(body: string): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

interface Line {
  readonly status: number;
  readonly outcome: string;
  readonly code?: string;
  readonly cause?: string;
}

/** Waits for the log line of a call; returns it with the metric that counts the call. */
async function storyOf(app: AppUnderTest): Promise<Line> {
  const find = (): string | undefined => app.logs.find((line) => line.includes('"path":"/v1/'));
  while (find() === undefined) await new Promise((resolve) => setImmediate(resolve));
  const { status, outcome, code, cause } = JSON.parse(find() ?? '') as Line;
  const metrics = await fetch(`${app.origin}/metrics`, {
    headers: { authorization: `Bearer ${MASTER_KEY}` },
  });
  const counted = `ipin_requests_total{status="${status}",outcome="${outcome}"} 1\n`;
  assert.ok((await metrics.text()).includes(counted), counted);
  return {
    status,
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause }),
  };
}

const cutOff: Answer = (_req, res) => {
  res.writeHead(200, STREAM);
  res.write(CHUNK, () => res.destroy());
};

describe('log line and metrics tell how a call ended', { timeout: 20_000 }, () => {
  test('A9: a good answer, whole and streamed', async (t) => {
    for (const answer of [
      json(CHAT_ANSWER),
      ((_req, res) => res.writeHead(200, STREAM).end(`${CHUNK}data: [DONE]\n\n`)) as Answer,
    ]) {
      const app = await start(t, answer);
      await (await app.v1('chat/completions', { model: 'm' })).text();
      assert.deepEqual(await storyOf(app), { status: 200, outcome: 'ok' });
    }
  });

  for (const { path, events, isOk } of [
    { path: 'chat/completions', events: [CHUNK, 'data: [DONE]\n\n'], isOk: true },
    { path: 'chat/completions', events: [CHUNK, CHUNK], isOk: false },
    { path: 'messages', events: [FINISHED, 'data: [DONE]\n\n'], isOk: true },
    { path: 'responses', events: [FINISHED, 'data: [DONE]\n\n'], isOk: true },
    { path: 'responses', events: [CHUNK, CHUNK], isOk: false },
  ]) {
    const what = isOk ? 'once it has all of it' : 'before its end';
    test(`A9: a stream of ${path} that the client leaves ${what}, while the provider keeps it open`, async (t) => {
      const app = await start(t, (_req, res) => void res.writeHead(200, STREAM).write(events.join('')));
      const leaving = new AbortController();
      const answer = await fetch(`${app.origin}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', stream: true, messages: HELLO, input: 'Hello', max_tokens: 9 }),
        signal: leaving.signal,
      });
      const last = isOk ? /\[DONE\]\n\n$|message_stop"\}\n\n$|response\.completed"[^\n]*\n\n$/ : /"a"/;
      let text = '';
      for await (const bytes of answer.body ?? []) {
        text += Buffer.from(bytes).toString();
        if (last.test(text)) break;
      }
      leaving.abort();
      assert.deepEqual(
        await storyOf(app),
        isOk
          ? { status: 200, outcome: 'ok' }
          : { status: 499, outcome: 'cancelled', code: 'client_closed_request' },
      );
    });
  }

  test('A9: a stream that the provider broke off', async (t) => {
    const app = await start(t, cutOff);
    await (await app.v1('chat/completions', { model: 'm', stream: true })).text();
    assert.deepEqual(await storyOf(app), {
      status: 200,
      outcome: 'broken',
      code: 'upstream_invalid_response',
      cause: 'ECONNRESET',
    });
  });

  test('A9: a stream that ended before its answer was complete', async (t) => {
    const app = await start(t, (_req, res) => res.writeHead(200, STREAM).end(CHUNK));
    await (await app.v1('chat/completions', { model: 'm', stream: true })).text();
    assert.deepEqual(await storyOf(app), {
      status: 200,
      outcome: 'broken',
      code: 'upstream_invalid_response',
    });
  });

  test('A9: a stream in which the provider reported an error', async (t) => {
    const error = { error: { message: 'Too much', type: 'server_error', code: 'overloaded' } };
    const app = await start(t, (_req, res) =>
      res.writeHead(200, STREAM).end(`${CHUNK}data: ${JSON.stringify(error)}\n\n`),
    );
    await (await app.v1('chat/completions', { model: 'm', stream: true })).text();
    assert.deepEqual(await storyOf(app), { status: 200, outcome: 'broken', code: 'overloaded' });
  });

  test('A9: a Responses stream in which the provider reported an error, without its key', async (t) => {
    const message = 'Incorrect API key provided: provider-secret-key';
    const error = { code: 'invalid_api_key', message, param: null };
    for (const event of [
      `event: error\ndata: ${JSON.stringify({ type: 'error', ...error })}\n\n`,
      `event: response.failed\ndata: ${JSON.stringify({ type: 'response.failed', response: { error } })}\n\n`,
    ]) {
      const delta = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"}\n\n';
      const upstream = await startUpstream(t, (_req, res) => res.writeHead(200, STREAM).end(delta + event));
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret-key' }, [
        { id: 'm' },
      ]);
      const text = await (await app.v1('responses', { model: 'm', stream: true })).text();
      assert.equal(text, delta + event.replace('provider-secret-key', '[redacted]'));
      assert.deepEqual(await storyOf(app), { status: 200, outcome: 'broken', code: 'invalid_api_key' });
    }
  });

  test('A9: a response with an error beside its content passes without the key', async (t) => {
    const text = '{"output":[],"status":"failed","error":{"message":"bad key provider-secret-key"}}';
    const upstream = await startUpstream(t, json(text));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret-key' }, [
      { id: 'm' },
    ]);
    const answer = await app.v1('responses', { model: 'm' });
    assert.equal(await answer.text(), text.replace('provider-secret-key', '[redacted]'));
  });

  test('A9: a stream that fell silent', async (t) => {
    const app = await start(t, (_req, res) => void res.writeHead(200, STREAM).write(CHUNK), 60);
    await (await app.v1('chat/completions', { model: 'm', stream: true })).text();
    const cause = 'idle timeout of 60 ms';
    assert.deepEqual(await storyOf(app), { status: 200, outcome: 'broken', code: 'upstream_timeout', cause });
  });

  test('A9: another body that the provider broke off, not taken for a client that left', async (t) => {
    const app = await start(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'audio/mpeg' });
      res.write('ID3', () => res.destroy());
    });
    await assert.rejects((await app.v1('audio/speech', { model: 'm', input: 'x' })).text());
    assert.deepEqual(await storyOf(app), {
      status: 200,
      outcome: 'broken',
      code: 'upstream_invalid_response',
      cause: 'ECONNRESET',
    });
  });

  test('A9: a client that left a stream, and one that left before its answer', async (t) => {
    for (const answer of [
      (_req, res) => void res.writeHead(200, STREAM).write(CHUNK),
      () => {},
    ] satisfies Answer[]) {
      const app = await start(t, answer);
      const asked = once(app.server, 'request');
      const client = rawClient(t, app.port);
      client.write(chatRequest('{"model":"m","stream":true}'));
      await asked;
      if (answer.length > 0) await client.until(CHUNK);
      client.socket.destroy();
      assert.deepEqual(await storyOf(app), {
        status: 499,
        outcome: 'cancelled',
        code: 'client_closed_request',
      });
    }
  });

  test('A9: a stream that was cut here', async (t) => {
    const app = await start(t, (_req, res) => void res.writeHead(200, STREAM).write(CHUNK));
    const client = rawClient(t, app.port);
    client.write(chatRequest('{"model":"m","stream":true}'));
    await client.until(CHUNK);
    const done = app.shutDown(0);
    await done;
    const line = app.logs.find((one) => one.includes('"path":"/v1/')) ?? '{}';
    const { status, outcome, code } = JSON.parse(line) as Line;
    assert.deepEqual({ status, outcome, code }, { status: 200, outcome: 'cut', code: 'draining' });
  });

  test('A9: an answer that the client did not read', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.alloc(32 * 1024 * 1024));
    });
    const app = await startApp(t, { connections: { writeStallMs: 200 } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const client = rawClient(t, app.port);
    client.socket.pause();
    client.write(chatRequest('{"model":"m"}').replace('chat/completions', 'audio/speech'));
    const cause = 'the client took no byte for too long';
    assert.deepEqual(await storyOf(app), { status: 200, outcome: 'cut', cause });
  });

  test('A9: an error of the provider, passed on', async (t) => {
    const app = await start(t, json({ error: { message: 'no', code: 'bad_thing' } }, 400));
    await app.v1('chat/completions', { model: 'm' });
    assert.deepEqual(await storyOf(app), { status: 400, outcome: 'error', code: 'bad_thing' });
  });

  for (const [what, baseUrl, code, cause] of [
    ['a closed port', 'http://127.0.0.1:1', 'upstream_unreachable', /^ECONNREFUSED$/],
    ['an unknown host', 'http://nowhere.invalid', 'upstream_unreachable', /^(ENOTFOUND|EAI_AGAIN)$/],
  ] as const) {
    test(`A9: why a provider could not be reached: ${what}`, async (t) => {
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl }, [{ id: 'm' }]);
      await app.v1('chat/completions', { model: 'm' });
      const line = await storyOf(app);
      assert.deepEqual([line.status, line.outcome, line.code], [502, 'error', code]);
      assert.match(line.cause ?? '', cause);
    });
  }

  test('A9: why a provider could not be reached: TLS, and a timeout', async (t) => {
    const plain = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: plain.origin.replace('http:', 'https:') }, [{ id: 'm' }]);
    await app.v1('chat/completions', { model: 'm' });
    assert.match((await storyOf(app)).cause ?? '', /^(EPROTO|ERR_SSL_\w+)$/);

    const slow = await start(t, () => {});
    const silent = await startUpstream(t, () => {});
    const options = { headersTimeoutMs: 60 };
    await slow.addProvider({ id: 'slow', baseUrl: silent.origin, options }, [{ id: 's' }]);
    await slow.v1('chat/completions', { model: 's' });
    assert.deepEqual(await storyOf(slow), {
      status: 504,
      outcome: 'error',
      code: 'upstream_timeout',
      cause: 'headers timeout of 60 ms',
    });
  });
});
