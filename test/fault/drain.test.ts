import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const NEVER_MS = 60_000;

function chat(app: AppUnderTest, stream: boolean): string {
  const body = JSON.stringify({ model: 'm', stream, messages: [] });
  return [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${app.port}`,
    `Authorization: Bearer ${MASTER_KEY}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

describe('a shutdown', { timeout: 20_000 }, () => {
  test('waits for running requests, and for nothing else', async (t) => {
    let release = (): void => {};
    const asked = new Promise<void>((resolve) => {
      release = resolve;
    });
    let answer = (): void => {};
    const upstream = await startUpstream(t, (req, res, request) => {
      answer = () => json(CHAT_ANSWER)(req, res, request);
      release();
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const idle = rawClient(t, app.port);
    idle.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.answers(1);
    const busy = rawClient(t, app.port);
    busy.write(chat(app, false));
    await asked;
    const ended = app.shutDown(NEVER_MS);
    await idle.closed;
    answer();
    const [got] = await busy.answers(1);
    assert.equal(got?.status, 200);
    assert.equal(got.headers.get('connection'), 'close');
    await ended;
    await busy.closed;
    assert.equal(app.server.listening, false);
  });

  test('closes the connection of a running answer once the answer has ended', async (t) => {
    let finish = (): void => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n');
      finish = () => void res.end('data: [DONE]\n\n');
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const streaming = rawClient(t, app.port);
    streaming.write(chat(app, true));
    await streaming.until('Hi');
    const ended = app.shutDown(NEVER_MS);
    finish();
    await ended;
    const [got] = await streaming.answers(1);
    assert.notEqual(got?.headers.get('connection'), 'close');
    assert.match(String(got?.body), /\[DONE\]\n\n$/);
    await streaming.closed;
  });

  test('ends requests that outlast the grace time with an error', async (t) => {
    const upstream = await startUpstream(t, (_req, res, request) => {
      if (!request.body.includes('"stream":true')) return;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n');
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const waiting = rawClient(t, app.port);
    waiting.write(chat(app, false));
    const streaming = rawClient(t, app.port);
    streaming.write(chat(app, true));
    await streaming.until('Hi');
    await app.shutDown(0);
    const [refused] = await waiting.answers(1);
    assert.equal(refused?.status, 503);
    assert.match(String(refused?.body), /"code":"draining"/);
    assert.match(String(await streaming.closed), /data: \{"error":\{.*"code":"draining"/);
  });
});
