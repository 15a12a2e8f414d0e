import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';

function chat(path = 'chat/completions'): string {
  const body = '{"model":"m","stream":true}';
  return `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** More than all the sockets on the way hold. */
const TOO_MANY_BYTES = 32 * 1024 * 1024;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a silent event stream', { timeout: 20_000 }, () => {
  test('is kept alive by comments between records, never inside one', async (t) => {
    let write: (text: string) => void = () => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      write = (text) => void res.write(text);
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    mockTimers(t, 'Interval');
    const client = rawClient(t, app.port);
    client.write(chat());
    await client.until('text/event-stream');
    await turns(5);
    t.mock.timers.tick(15_000);
    await client.until(': keep-alive\n\n');
    write('data: {"choices":[{"index":0,');
    await turns(5);
    t.mock.timers.tick(15_000);
    t.mock.timers.tick(15_000);
    await turns(5);
    write('"finish_reason":"stop"}]}\n\n');
    await client.until('"finish_reason"');
    const text = client.received().toString();
    assert.equal(text.split(': keep-alive\n\n').length - 1, 3);
    assert.match(text, /data: \{"choices":\[\{"index":0,"finish_reason":"stop"\}\]\}\n\n/);
  });

  test('is kept alive after the configured time, and never if that is 0', async (t) => {
    for (const [keepAliveMs, expected] of [
      ['8000', 3],
      ['0', 0],
    ] as const) {
      const upstream = await startUpstream(t, (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n');
      });
      const app = await startApp(t, { env: { SSE_KEEPALIVE_MS: keepAliveMs } });
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      mockTimers(t, 'Interval');
      const client = rawClient(t, app.port);
      client.write(chat());
      await client.until('"content":"a"');
      await turns(5);
      // The look after the content was written, then three times of silence.
      t.mock.timers.tick(2_000 + 3 * 8_000);
      const count = (): number => client.received().toString().split(': keep-alive\n\n').length - 1;
      while (count() < expected) await turns(1);
      await turns(5);
      assert.equal(count(), expected);
      client.socket.destroy();
      t.mock.timers.reset();
    }
  });

  test('is left alone while it speaks', async (t) => {
    let write: () => void = () => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      write = () => void res.write('data: {"choices":[]}\n\n');
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    mockTimers(t, 'Interval');
    const client = rawClient(t, app.port);
    client.write(chat());
    await client.until('text/event-stream');
    for (let count = 1; count <= 3; count += 1) {
      const before = client.received().length;
      write();
      while (client.received().length === before) await turns(1);
      t.mock.timers.tick(15_000);
    }
    await turns(5);
    assert.ok(!client.received().includes('keep-alive\n\n'));
  });
});

describe('a client that does not read', { timeout: 20_000 }, () => {
  test('stops the upstream, and is given up after a minute', async (t) => {
    let sentBytes = 0;
    const piece = Buffer.alloc(64 * 1024);
    let source: ServerResponse | null = null;
    let upstreamGone: Promise<unknown> = Promise.resolve();
    const upstream = await startUpstream(t, (_req, res) => {
      source = res;
      upstreamGone = once(res, 'close');
      res.writeHead(200, { 'content-type': 'audio/mpeg' });
      const more = (): void => {
        do sentBytes += piece.length;
        while (!res.destroyed && res.write(piece));
      };
      res.on('drain', more);
      more();
    });
    mockTimers(t, 'Timeout');
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const asked = once(app.server, 'request');
    const socket = connect({ port: app.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.pause();
    socket.write(chat('audio/speech'));
    const [, answer] = (await asked) as [unknown, ServerResponse];
    let drains = 0;
    answer.on('drain', () => {
      drains += 1;
    });
    /** Where the bytes are, once nobody can go on but the client. */
    const standstill = (): string | null =>
      answer.writableNeedDrain && source?.writableNeedDrain === true
        ? [sentBytes, drains, answer.socket?.writableLength, source.socket?.writableLength].join()
        : null;
    let before: string | null = null;
    // Until nothing moves any more, or too much did.
    for (let still = 0; still < 50 && sentBytes < TOO_MANY_BYTES; ) {
      before = standstill();
      await turns(2);
      still = before !== null && standstill() === before ? still + 1 : 0;
    }
    assert.ok(sentBytes < TOO_MANY_BYTES, `${sentBytes} bytes were taken from the upstream`);
    let quarters = 0;
    // Where the system takes some bytes after all, the minute begins anew.
    for (; quarters < 80 && !answer.destroyed; quarters += 1) {
      assert.equal(upstream.sockets.size, 1);
      t.mock.timers.tick(15_000);
      await turns(3);
    }
    assert.ok(answer.destroyed && quarters >= 4, `given up after ${quarters} quarters of a minute`);
    await upstreamGone;
  });
});

test('a translated stream has chunks of the right size, and headers as they came', {
  timeout: 20_000,
}, async (t) => {
  const texts = ['é', '漢字', '😀'];
  let next: () => void = () => {};
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'content-language': '\u00e9' });
    let count = 0;
    next = () => {
      const text = texts[count];
      count += 1;
      const delta = { choices: [{ index: 0, delta: { content: text }, finish_reason: null }] };
      if (text !== undefined) res.write(`data: ${JSON.stringify(delta)}\n\n`);
      else res.end('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    };
    next();
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  const client = rawClient(t, app.port);
  const body = '{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"Hi"}]}';
  client.write(
    `POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  for (const text of texts) {
    await client.until(`"text":"${text}"`);
    next();
  }
  const [answer] = await client.answers(1);
  assert.equal(answer?.headers.get('content-language'), '\u00e9');
  const events = answer?.body.toString() ?? '';
  for (const text of texts) assert.match(events, new RegExp(`"text_delta","text":"${text}"`, 'u'));
  assert.match(events, /event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/);
});
