import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import {
  type Answer,
  CHAT_ANSWER,
  type FakeUpstream,
  json,
  startUpstream,
} from '../helpers/fake-upstream.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';

async function start(t: TestContext, answer: Answer): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t, { env: { UPSTREAM_IDLE_TIMEOUT_MS: '60000' } });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'real' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  return { app, upstream };
}

async function codeOf(answer: Response): Promise<[number, string | null]> {
  const { error } = (await answer.json()) as { error: { code: string | null } };
  return [answer.status, error.code];
}

const INVALID = [502, 'upstream_invalid_response'];
/** Sends the headers and the beginning of a body, then stalls. */
function stalling(head: Record<string, string>, beginning: string | Buffer): Answer {
  return (_req, res) => {
    res.writeHead(200, head);
    res.write(beginning);
  };
}
const gzipped = gzipSync(JSON.stringify(CHAT_ANSWER));
const GZIP = { 'content-type': 'application/json', 'content-encoding': 'gzip' };

function ocrForm(): RequestInit {
  const form = new FormData();
  form.set('model', 'real');
  form.set('file', new Blob([pictureOf('image/png')], { type: 'image/png' }), 'a.png');
  return { method: 'POST', headers: { authorization: `Bearer ${MASTER_KEY}` }, body: form };
}

describe('a compressed response to an OCR request', { timeout: 20_000 }, () => {
  for (const [how, answer] of [
    ['whole', (_req, res) => res.writeHead(200, GZIP).end(gzipped)],
    ['begun', stalling(GZIP, gzipped.subarray(0, 20))],
  ] as const satisfies readonly (readonly [string, Answer])[]) {
    test(`A3: is refused at once, as a form and as JSON: ${how}`, async (t) => {
      const { app } = await start(t, answer);
      assert.deepEqual(await codeOf(await fetch(`${app.origin}/v1/ocr`, ocrForm())), INVALID);
      const image_url = dataUrl('image/png', pictureOf('image/png'));
      assert.deepEqual(await codeOf(await app.v1('ocr', { model: 'real', image_url })), INVALID);
      await expectNothingHeld(app.services);
    });
  }
});

const REFUSED: readonly (readonly [what: string, answer: Answer, path: string, body: object])[] = [
  ['a page', stalling({ 'content-type': 'text/html' }, '<html>'), 'chat/completions', { model: 'real' }],
  ['no content type', stalling({}, 'x'), 'chat/completions', { model: 'real' }],
  [
    'compressed, to be renamed',
    stalling(GZIP, gzipped.subarray(0, 9)),
    'chat/completions',
    { model: 'alias' },
  ],
  ['compressed vectors', stalling(GZIP, gzipped.subarray(0, 9)), 'embeddings', { model: 'real', input: 'x' }],
  [
    'too large to become a stream',
    stalling({ 'content-type': 'application/json' }, Buffer.alloc(33 * 1024 * 1024, 0x20)),
    'chat/completions',
    { model: 'real', stream: true },
  ],
  [
    'an event stream for OCR',
    stalling({ 'content-type': 'text/event-stream' }, 'data: {}\n\n'),
    'ocr',
    { model: 'real', image_url: 'https://a.example/x.png' },
  ],
  [
    'a page for an error',
    stalling({ 'content-type': 'text/html' }, 'x'.repeat(300_000)),
    'rerank',
    { model: 'real' },
  ],
];

describe('a refused response', { timeout: 30_000 }, () => {
  for (const [what, answer, path, body] of REFUSED) {
    test(`A4: closes the connection to a provider that would continue: ${what}`, async (t) => {
      const { app, upstream } = await start(t, answer);
      // One such response takes half of the memory budget.
      const count = what.startsWith('too large') ? 1 : 20;
      const answers = await Promise.all(Array.from({ length: count }, () => app.v1(path, body)));
      for (const one of answers) assert.deepEqual(await codeOf(one), INVALID);
      await expectNothingHeld(app.services);
      // The provider has seen all of them closed.
      while (upstream.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  test('A4: closes the connection when its headers cannot be passed on', async (t) => {
    const { app } = await start(t, (_req, res) => {
      res.socket?.write(
        'HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 9\r\nContent-Disposition: a\u00ff\r\n\r\nabc',
      );
    });
    const answer = app.v1('audio/speech', { model: 'real', input: 'x' });
    assert.ok([200, 502].includes((await answer).status));
    await (await answer).body?.cancel();
    await expectNothingHeld(app.services);
  });
});

describe('the connection of a stream that ended with an error record', { timeout: 20_000 }, () => {
  const broken: Answer = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
    res.write('data: {"error":{"message":"gone"}}\n\n');
  };

  test('A5: takes the next request, with an agent of node:http', async (t) => {
    const { app } = await start(t, broken);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const ask = (): Promise<{ text: string; isReused: boolean }> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' };
        const options = { agent, port: app.port, host: '127.0.0.1', method: 'POST', headers };
        const outgoing = request({ ...options, path: '/v1/chat/completions' }, (res) => {
          let text = '';
          res.on('data', (piece) => {
            text += piece;
          });
          res.on('end', () => setImmediate(resolve, { text, isReused: outgoing.reusedSocket }));
        });
        outgoing.on('error', reject).end('{"model":"real","stream":true}');
      });
    for (let count = 0; count < 20; count += 1) {
      const { text, isReused } = await ask();
      assert.match(text, /"gone"/);
      assert.equal(isReused, count > 0);
    }
  });

  test('A5: takes the next request of the openai package', async (t) => {
    const { app } = await start(t, broken);
    const openai = new OpenAI({ baseURL: `${app.origin}/v1`, apiKey: MASTER_KEY, maxRetries: 0 });
    for (let count = 0; count < 5; count += 1) {
      const stream = await openai.chat.completions.create({ model: 'real', messages: [], stream: true });
      await assert.rejects(async () => {
        for await (const _chunk of stream);
      }, /gone/);
    }
  });
});

describe('JSON that is neither an object nor an array', { timeout: 20_000 }, () => {
  for (const text of [
    'null',
    '7',
    '"text"',
    'true',
    '{nonsense}',
    '{"a":1',
    '{"a":1}}',
    '',
    `{"a":${'x'.repeat(100_000)}}`,
  ]) {
    test(`A7: is refused, with the provider's name of the model and with ours: ${text.slice(0, 20)}`, async (t) => {
      const { app } = await start(t, json(text));
      for (const model of ['real', 'alias']) {
        for (const path of [
          'chat/completions',
          'responses',
          'moderations',
          'embeddings',
          'images/generations',
        ]) {
          assert.deepEqual(
            await codeOf(await app.v1(path, { model, input: 'x' })),
            INVALID,
            `${path} ${model}`,
          );
        }
        const answer = await app.v1('chat/completions', { model, stream: true });
        assert.deepEqual(await codeOf(answer), INVALID);
      }
    });
  }

  test('A7: arrays pass, because some servers respond to rerank with them', async (t) => {
    const { app } = await start(t, json('[{"index":0,"score":0.5}]'));
    assert.equal(await (await app.v1('rerank', { model: 'alias' })).text(), '[{"index":0,"score":0.5}]');
  });
});

describe('the query of a request', { timeout: 20_000 }, () => {
  test('A10: is passed to the provider unchanged', async (t) => {
    const { app, upstream } = await start(t, json(CHAT_ANSWER));
    await app.addProvider({ id: 'azure', baseUrl: `${upstream.origin}/openai?api-version=2024-10-21` }, [
      { id: 'az' },
    ]);
    const query = 'beta=true&x=%41+b&x=/?&';
    for (const model of ['real', 'az']) await app.v1(`chat/completions?${query}`, { model });
    const form = new FormData();
    form.set('model', 'real');
    form.set('file', new Blob(['ID3audio'], { type: 'audio/mpeg' }), 'a.mp3');
    const headers = { authorization: `Bearer ${MASTER_KEY}` };
    await fetch(`${app.origin}/v1/audio/transcriptions?${query}`, { method: 'POST', headers, body: form });
    assert.deepEqual(
      upstream.received.map(({ url }) => url),
      [
        `/v1/chat/completions?${query}`,
        `/openai/chat/completions?api-version=2024-10-21&${query}`,
        `/v1/audio/transcriptions?${query}`,
      ],
    );
  });

  test('A10: is not passed on if the request is translated', async (t) => {
    const { app, upstream } = await start(t, json(CHAT_ANSWER));
    await app.v1('ocr?a=b', { model: 'real', image_url: 'https://a.example/x.png' });
    assert.deepEqual(
      upstream.received.map(({ url }) => url),
      ['/v1/chat/completions'],
    );
  });
});

describe('responses that are held', { timeout: 20_000 }, () => {
  test('B7: count against the memory budget until the client has them', async (t) => {
    const piece = ' '.repeat(1_000_000);
    const { app } = await start(t, stalling({ 'content-type': 'application/json' }, piece));
    const client = rawClient(t, app.port);
    const body = '{"model":"alias","stream":true}';
    client.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    while (app.services.budget.usedBytes < piece.length)
      await new Promise((resolve) => setImmediate(resolve));
    client.socket.destroy();
    await expectNothingHeld(app.services);
  });

  test('B7: are refused if no memory is left, or stream if they need not be held', async (t) => {
    const text = `{"choices":[],"padding":"${'x'.repeat(900_000)}"}`;
    const upstream = await startUpstream(t, json(text));
    const app = await startApp(t, { env: { MAX_INFLIGHT_MB: '1', MAX_BODY_MB: '1' } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
      { id: 'real' },
      { id: 'alias', upstreamModel: 'real' },
    ]);
    const held = await app.v1('chat/completions', { model: 'real', stream: true });
    assert.equal(held.headers.get('retry-after'), '2');
    assert.deepEqual(await codeOf(held), [503, 'server_overloaded']);
    for (const model of ['real', 'alias']) {
      assert.equal(await (await app.v1('chat/completions', { model })).text(), text);
    }
  });
});
