import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

/** Each test shortens only the timeout it is about, so that a slow machine hits no other. */
const PATIENT = { connectTimeoutMs: 10_000, headersTimeoutMs: 10_000, idleTimeoutMs: 10_000 };

async function appWith(t: TestContext, baseUrl: string, options: object = {}): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl, options }, [
    { id: 'm' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  return app;
}

async function errorOf(
  response: Response,
): Promise<{ status: number; code: unknown; provider: string | null }> {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
  return { status: response.status, code: error['code'], provider: response.headers.get('x-ipin-provider') };
}

describe('a silent upstream', { timeout: 20_000 }, () => {
  const timedOut = { status: 504, code: 'upstream_timeout', provider: 'up' };

  test('after it accepted the connection: 504', async (t) => {
    let arrive = (): void => {};
    const upstream = await startUpstream(t, () => arrive());
    const app = await appWith(t, upstream.origin, { ...PATIENT, headersTimeoutMs: 60 });
    for (const stream of [false, true]) {
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const answer = await app.v1('chat/completions', { model: 'm', stream, messages: [] });
      assert.deepEqual(await errorOf(answer), timedOut);
      await arrived;
    }
    assert.equal(upstream.received.length, 2);
  });

  test('in the TLS handshake: 504', async (t) => {
    const deaf = createServer(() => {}).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    t.after(() => deaf.close());
    const app = await appWith(t, `https://127.0.0.1:${portOf(deaf)}`, { ...PATIENT, connectTimeoutMs: 60 });
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await errorOf(answer), timedOut);
  });

  const reason =
    process.platform === 'linux' ? false : 'other systems count waiting connections in their own way';
  test('before it accepted the connection: 504', { skip: reason }, async (t) => {
    const port = await startStopped(t);
    const app = await appWith(t, `http://127.0.0.1:${port}`, { ...PATIENT, connectTimeoutMs: 60 });
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await errorOf(answer), timedOut);
  });

  test('in the middle of a JSON response: 504', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"id":');
    });
    const app = await appWith(t, upstream.origin, { ...PATIENT, idleTimeoutMs: 60 });
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await errorOf(answer), timedOut);
  });

  test('in the middle of a stream: an error record, a normal end, and no [DONE]', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n');
    });
    const app = await appWith(t, upstream.origin, { ...PATIENT, idleTimeoutMs: 60 });
    const client = rawClient(t, app.port);
    client.write(rawChat('{"model":"m","stream":true}'));
    const [answer] = await client.answers(1);
    const text = answer?.body.toString() ?? '';
    assert.match(text, /^data: \{"choices".*\n\ndata: \{"error":\{.*"code":"upstream_timeout".*\}\}\n\n$/);
  });

  test('in the middle of vectors that are converted while they arrive: the client sees the truncation', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const vectors = `{"index":0,"embedding":[${'0.5,'.repeat(1000)}1]},`.repeat(400);
      res.write(`{"object":"list","model":"m","data":[${vectors}`);
    });
    // The vectors must arrive before the timeout.
    const app = await appWith(t, upstream.origin, { ...PATIENT, idleTimeoutMs: 1_000 });
    const answer = await app.v1('embeddings', { model: 'm', input: 'x', encoding_format: 'base64' });
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text());
  });

  test('that does not read a large request: 504', async (t) => {
    const deaf = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    t.after(() => deaf.close());
    const app = await appWith(t, `http://127.0.0.1:${portOf(deaf)}`, { ...PATIENT, idleTimeoutMs: 100 });
    const content = 'x'.repeat(16 * 1024 * 1024);
    const answer = await app.v1('chat/completions', { model: 'm', messages: [{ role: 'user', content }] });
    assert.deepEqual(await errorOf(answer), timedOut);
  });

  test('while a slow client does not read: not the fault of the upstream', async (t) => {
    const piece = Buffer.alloc(1024 * 1024, 0x61);
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'audio/mpeg' });
      for (let count = 0; count < 32; count += 1) res.write(piece);
      res.end();
    });
    const app = await appWith(t, upstream.origin, { ...PATIENT, idleTimeoutMs: 1_000 });
    const connected = nextConnectionTo(upstream.origin);
    const answer = await app.v1('audio/speech', { model: 'm', input: 'x' });
    await once(await connected, 'timeout');
    assert.equal((await answer.arrayBuffer()).byteLength, 32 * piece.length);
  });
});

describe('an upstream that cannot be reached', { timeout: 20_000 }, () => {
  test('on a closed port: 502', async (t) => {
    const app = await appWith(t, 'http://127.0.0.1:1');
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await errorOf(answer), { status: 502, code: 'upstream_unreachable', provider: 'up' });
  });

  test('for a reason that its owner can fix: says how', async (t) => {
    const plain = await startUpstream(t, json(CHAT_ANSWER));
    for (const [baseUrl, advice] of [
      [plain.origin.replace('http:', 'https:'), / It does not speak TLS: try http:\/\/ in the base URL\.$/],
      [
        'http://127.0.0.1:1',
        / \(ECONNREFUSED\)\. Nothing listens there: is it running, and is the port right\?$/,
      ],
    ] as const) {
      const app = await appWith(t, baseUrl);
      const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
      const { error } = (await answer.json()) as { error: { message: string } };
      assert.match(error.message, advice);
    }
  });

  test('by a name that does not exist: 502', async (t) => {
    const app = await appWith(t, 'http://no-such-host.invalid');
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await errorOf(answer), { status: 502, code: 'upstream_unreachable', provider: 'up' });
  });
});

describe('an upstream that dies', { timeout: 30_000 }, () => {
  const whole = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${JSON.stringify(CHAT_ANSWER).length}\r\n\r\n${JSON.stringify(CHAT_ANSWER)}`;

  for (const model of ['m', 'alias']) {
    test(`after any byte of a JSON response (${model}): 502, never half an answer`, async (t) => {
      let cut = 0;
      const upstream = await startRawUpstream(t, (socket) => {
        socket.write(whole.slice(0, cut), () => (cut % 2 === 0 ? socket.resetAndDestroy() : socket.end()));
      });
      const app = await appWith(t, upstream.origin);
      const step = process.env['IPIN_LONG'] === '1' ? 1 : 7;
      for (cut = 0; cut < whole.length; cut += step) {
        const answer = await app.v1('chat/completions', { model, messages: [] });
        const { status, code } = await errorOf(answer);
        assert.equal(status, 502, `after ${cut} bytes`);
        assert.match(String(code), /^upstream_(unreachable|invalid_response)$/, `after ${cut} bytes`);
      }
      cut = whole.length;
      assert.equal((await app.v1('chat/completions', { model, messages: [] })).status, 200);
    });
  }

  test('after any byte of a stream: 502 before its first record is whole, an error record after it, never [DONE]', async (t) => {
    const chunk = { choices: [{ index: 0, delta: { content: 'é' }, finish_reason: null }] };
    const first = `data: ${JSON.stringify(chunk)}\n\n`;
    const body = Buffer.from(`${first}data: ${JSON.stringify(chunk)}\r\n\r\n`);
    const head = Buffer.from(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const bytes = Buffer.concat([head, Buffer.from(`${body.length.toString(16)}\r\n`), body]);
    const begunBytes = bytes.length - body.length + Buffer.byteLength(first);
    let cut = 0;
    const upstream = await startRawUpstream(t, (socket) => {
      socket.write(bytes.subarray(0, cut), () => (cut % 2 === 0 ? socket.resetAndDestroy() : socket.end()));
    });
    const app = await appWith(t, upstream.origin);
    for (cut = 0; cut <= bytes.length; cut += 6) {
      const answer = await app.v1('chat/completions', { model: 'm', stream: true, messages: [] });
      const text = await answer.text();
      if (cut < begunBytes) {
        assert.equal(answer.status, 502, `after ${cut} bytes`);
        continue;
      }
      assert.equal(answer.status, 200);
      assert.match(
        text,
        /data: \{"error":\{"message":".*"type":"server_error".*\}\}\n\n$/s,
        `after ${cut} bytes`,
      );
      assert.doesNotMatch(text, /DONE|\ufffd/);
      for (const record of text.split(/\n\n|\r\n\r\n/))
        if (record !== '') JSON.parse(record.replace('data: ', ''));
    }
  });

  test('after any byte of speech: 502 while nothing was sent, else the client sees the truncation', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n';
    const bodies = [
      'Content-Length: 9\r\n\r\naudiobyte',
      'Transfer-Encoding: chunked\r\n\r\n5\r\naudio\r\n4\r\nbyte\r\n0\r\n\r\n',
    ];
    for (const rest of bodies) {
      const bytes = head + rest;
      const bodyStart = bytes.indexOf('\r\n\r\n') + 4;
      let cut = 0;
      const upstream = await startRawUpstream(t, (socket) => {
        socket.write(bytes.slice(0, cut), () => (cut % 2 === 0 ? socket.resetAndDestroy() : socket.end()));
      });
      const app = await appWith(t, upstream.origin);
      for (cut = bodyStart - 6; cut < bytes.length; cut += 1) {
        const answer = await app.v1('audio/speech', { model: 'm', input: 'x', voice: 'alloy' });
        if (answer.status === 200) await assert.rejects(answer.arrayBuffer(), `after ${cut} bytes`);
        else
          assert.deepEqual(
            [answer.status, (await errorOf(answer)).provider],
            [502, 'up'],
            `after ${cut} bytes`,
          );
        if (cut <= bodyStart) assert.equal(answer.status, 502, `after ${cut} bytes`);
      }
      cut = bytes.length;
      const answer = await app.v1('audio/speech', { model: 'm', input: 'x', voice: 'alloy' });
      assert.equal(await answer.text(), 'audiobyte');
    }
  });
});

describe('large and compressed responses', { timeout: 20_000 }, () => {
  const large = { ...CHAT_ANSWER, padding: 'x'.repeat(3 * 1024 * 1024) };

  test('of more than 1 MiB pass byte for byte, or with the requested model', async (t) => {
    const upstream = await startUpstream(t, json(large));
    const app = await appWith(t, upstream.origin);
    const plain = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.deepEqual(await plain.json(), large);
    const renamed = await app.v1('chat/completions', { model: 'alias', messages: [] });
    assert.deepEqual(await renamed.json(), { ...large, model: 'alias' });
    const streamed = await app.v1('chat/completions', { model: 'm', stream: true, messages: [] });
    assert.match((await streamed.text()).slice(-20), /data: \[DONE\]\n\n$/);
  });

  test('get the requested model whatever their size and wherever it stands', async (t) => {
    const padding = 'x'.repeat(33 * 1024 * 1024);
    const upstream = await startUpstream(t, json(`{"padding":"${padding}","model":"real"}`));
    const app = await appWith(t, upstream.origin);
    const answer = await app.v1('chat/completions', { model: 'alias', messages: [] });
    assert.equal(answer.headers.get('content-length'), null);
    assert.equal(await answer.text(), `{"padding":"${padding}","model":"alias"}`);
    assert.equal(app.services.budget.usedBytes, 0);
  });

  test('over 32 MiB that would have to become a stream: 502', async (t) => {
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      for (let count = 0; count < 33; count += 1) res.write(piece);
      res.end('{}');
    });
    const app = await appWith(t, upstream.origin);
    const answer = await app.v1('chat/completions', { model: 'm', stream: true, messages: [] });
    assert.deepEqual(await errorOf(answer), {
      status: 502,
      code: 'upstream_invalid_response',
      provider: 'up',
    });
  });

  test('of vectors are converted while they arrive, whatever their size', async (t) => {
    const embedding = Array.from({ length: 1000 }, (_, index) => index / 1000);
    const data = Array.from({ length: 400 }, (_, index) => ({ object: 'embedding', index, embedding }));
    const upstream = await startUpstream(
      t,
      json({ object: 'list', data, model: 'real', usage: { total_tokens: 1 } }),
    );
    const app = await appWith(t, upstream.origin);
    const answer = await app.v1('embeddings', { model: 'alias', input: 'x', encoding_format: 'base64' });
    const value = (await answer.json()) as { model: string; data: { embedding: string }[] };
    assert.equal(value.model, 'alias');
    assert.equal(value.data.length, 400);
    const wanted = Buffer.from(new Float32Array(embedding).buffer).toString('base64');
    assert.ok(value.data.every((item) => item.embedding === wanted));
  });

  test('with broken vectors: the client sees the truncation', async (t) => {
    const upstream = await startUpstream(
      t,
      json(`{"data":[{"embedding":"${'!'.repeat(2 * 1024 * 1024)}"}]}`),
    );
    const app = await appWith(t, upstream.origin);
    const answer = await app.v1('embeddings', { model: 'm', input: 'x', encoding_format: 'float' });
    await assert.rejects(answer.text());
  });

  test('compressed: pass unchanged, never inflated; if they would have to change: 502', async (t) => {
    const packed = gzipSync(JSON.stringify(CHAT_ANSWER));
    const answer: Answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(packed);
    };
    const upstream = await startUpstream(t, answer);
    const app = await appWith(t, upstream.origin);
    const client = rawClient(t, app.port);
    client.write(rawChat('{"model":"m"}'));
    const [plain] = await client.answers(1);
    assert.equal(plain?.headers.get('content-encoding'), 'gzip');
    assert.deepEqual(plain?.body, packed);
    assert.equal(upstream.received[0]?.headers['accept-encoding'], 'identity');
    const vectors = await app.v1('embeddings', { model: 'm', input: 'x', encoding_format: 'base64' });
    assert.equal(vectors.status, 502);
    const renamed = await app.v1('chat/completions', { model: 'alias', messages: [] });
    assert.deepEqual(await errorOf(renamed), {
      status: 502,
      code: 'upstream_invalid_response',
      provider: 'up',
    });
  });
});

const CHANNEL = 'net.client.socket';

/** The next connection of this process to a server: of the proxy to its upstream, which is here too. */
function nextConnectionTo(origin: string): Promise<Socket> {
  return new Promise((resolve) => {
    const onConnect = (message: unknown): void => {
      const { socket } = message as { socket: Socket };
      socket.once('connect', () => {
        if (socket.remotePort !== Number(new URL(origin).port)) return;
        unsubscribe(CHANNEL, onConnect);
        resolve(socket);
      });
    };
    subscribe(CHANNEL, onConnect);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A stopped process that listens with a full backlog: Linux drops further connections silently. */
async function startStopped(t: TestContext): Promise<number> {
  const script = `const { createServer } = require('node:net');
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const port = Number(String(line));
  const queued = Array.from({ length: 4 }, () => rawClient(t, port));
  await Promise.all(queued.slice(0, 2).map(({ socket }) => once(socket, 'connect')));
  return port;
}

function rawChat(body: string, path = 'chat/completions'): string {
  return `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
