import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { createDemoProvider } from '../../src/demo/provider.ts';
import { DEMO_KEY, type RunningDemo, startDemo } from './start-demo.ts';

interface ErrorBody {
  readonly error: Readonly<Record<string, unknown>>;
}

describe('the demo provider as a server', () => {
  let demo: RunningDemo;
  before(async () => {
    demo = await startDemo();
  });
  after(() => demo.stop());

  const get = (path: string, init: RequestInit = {}) =>
    fetch(`${demo.origin}${path}`, { headers: { authorization: `Bearer ${DEMO_KEY}` }, ...init });

  test('does not listen by itself', () => {
    assert.equal(createDemoProvider({ apiKey: null }).listening, false);
  });

  test('lists its models and retrieves each', async () => {
    const ids: string[] = [];
    for await (const model of demo.openai.models.list()) ids.push(model.id);
    for (const kind of ['chat', 'vision', 'embed', 'whisper', 'tts', 'image', 'ocr']) {
      assert.ok(ids.includes(`demo-${kind}`), kind);
    }
    for (const id of ids) assert.equal((await demo.openai.models.retrieve(id)).id, id);
    await assert.rejects(demo.openai.models.retrieve('no/such'), OpenAI.NotFoundError);
  });

  test('refuses a missing and a wrong key as OpenAI does', async () => {
    const missing = await get('/v1/models', { headers: {} });
    const wrong = await get('/v1/models', { headers: { authorization: 'Bearer sk-wrong' } });
    const { error: first } = (await missing.json()) as ErrorBody;
    const { error: second } = (await wrong.json()) as ErrorBody;
    assert.deepEqual([missing.status, first['code'], first['param']], [401, null, null]);
    assert.deepEqual([wrong.status, second['code']], [401, 'invalid_api_key']);
    assert.ok(!JSON.stringify(second).includes(DEMO_KEY));
  });

  test('lets everybody in when it has no key', async () => {
    const open = createDemoProvider({ apiKey: null, tokenDelayMs: 0 }).listen(0, '127.0.0.1');
    await once(open, 'listening');
    const address = open.address();
    assert.ok(address !== null && typeof address === 'object');
    const response = await fetch(`http://127.0.0.1:${address.port}/v1/models`);
    assert.equal(response.status, 200);
    await response.text();
    open.close();
    open.closeAllConnections();
  });

  test('answers unknown paths, wrong methods, types and bodies with errors of OpenAI shape', async () => {
    const json = { 'content-type': 'application/json' };
    const rows: [string, RequestInit, number, string][] = [
      ['/v1/nothing', {}, 404, 'unknown_url'],
      ['/', {}, 404, 'unknown_url'],
      ['/v1/chat/completions', {}, 405, 'method_not_supported'],
      ['/v1/models', { method: 'POST' }, 405, 'method_not_supported'],
      ['/v1/chat/completions', { method: 'POST', body: '{', headers: json }, 400, 'invalid_json'],
      ['/v1/chat/completions', { method: 'POST', body: '[]', headers: json }, 400, 'invalid_body'],
      ['/v1/chat/completions', { method: 'POST', body: '{}' }, 415, 'unsupported_content_type'],
      [
        '/v1/audio/transcriptions',
        { method: 'POST', body: '{}', headers: json },
        415,
        'unsupported_content_type',
      ],
    ];
    for (const [path, init, status, code] of rows) {
      const headers = { authorization: `Bearer ${DEMO_KEY}`, ...init.headers };
      const response = await get(path, { ...init, headers });
      const { error } = (await response.json()) as ErrorBody;
      assert.deepEqual([response.status, error['code']], [status, code], path);
      assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
      assert.match(response.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/);
    }
  });

  test('refuses an announced body over 64 MiB without reading it', async () => {
    const socket = connect(Number(new URL(demo.origin).port), '127.0.0.1');
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${DEMO_KEY}\r\n` +
        `content-type: application/json\r\ncontent-length: ${64 * 1024 * 1024 + 1}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('refuses a chunked body as soon as it has grown over 64 MiB', async () => {
    const piece = new Uint8Array(1024 * 1024);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1;
        if (sent > 80) controller.close();
        else controller.enqueue(piece);
      },
    });
    const headers = { authorization: `Bearer ${DEMO_KEY}`, 'content-type': 'application/json' };
    const status = await get('/v1/embeddings', { method: 'POST', headers, body, duplex: 'half' }).then(
      (response) => response.status,
      // The server closes the connection while the client still sends; not every client reads the answer then.
      () => 'cut',
    );
    assert.ok(status === 413 || status === 'cut', String(status));
    assert.equal((await get('/v1/models')).status, 200);
  });
});
