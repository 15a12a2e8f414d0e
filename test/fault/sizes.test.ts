import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ENDPOINTS, type Endpoint } from '../../src/gateway/endpoints.ts';
import { type Answer, startUpstream } from '../helpers/fake-upstream.ts';
import { pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';

const KIB = 1024;
const SIZES = [10, 5 * KIB, 100 * KIB, 5_000 * KIB];
const RECORD_BYTES = 8_000_000;
const PICTURE_BYTES = 5_000_000;

interface Stage {
  readonly app: AppUnderTest;
  answer: Answer;
}

async function start(t: TestContext): Promise<Stage> {
  const upstream = await startUpstream(t, () => {});
  const app = await startApp(t);
  const options = { responses: 'native', messages: 'native' } as const;
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, options }, [
    { id: 'real' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  return {
    app,
    set answer(answer: Answer) {
      upstream.answer = answer;
    },
  };
}

function ask(app: AppUnderTest, { path, body }: Endpoint, model: string, stream: boolean): Promise<Response> {
  if (body === 'json') return app.v1(path, { model, input: 'x', prompt: 'x', ...(stream ? { stream } : {}) });
  const form = new FormData();
  form.set('model', model);
  if (stream) form.set('stream', 'true');
  if (path.startsWith('audio/')) form.set('file', new Blob(['ID3audio'], { type: 'audio/mpeg' }), 'a.mp3');
  else form.set('image', new Blob([pictureOf('image/png')], { type: 'image/png' }), 'a.png');
  const headers = { authorization: `Bearer ${MASTER_KEY}` };
  return fetch(`${app.origin}/v1/${path}`, { method: 'POST', headers, body: form });
}

/** Two answers that differ only in their model; the second is what the client must get. */
function jsonAnswer(endpoint: Endpoint, size: number): readonly [real: string, seen: string] {
  const text = `{"id":"x","data":[],"padding":"${'x'.repeat(size)}","model":"real"}`;
  return [text, endpoint.namesModel ? text.replace('"real"', '"alias"') : text];
}

const ENDS = {
  chat: 'data: [DONE]',
  responses: 'event: response.completed\ndata: {"response":{}}',
  messages: 'event: message_stop\ndata: {"type":"message_stop"}',
} as const;

function record(endpoint: Endpoint, content: string): string {
  if (endpoint.streamEnd !== 'responses') {
    return `data: {"model":"real","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
  }
  const event = { type: 'response.image', b64_json: content, response: { model: 'real' } };
  return `event: response.image\ndata: ${JSON.stringify(event)}\n\n`;
}

/** 2,000 small records, one of 8 MB, an image of 5 MB, and the end of the stream. */
function eventStream(endpoint: Endpoint): string {
  const picture = pictureOf('image/png', PICTURE_BYTES).toString('base64');
  const records = [
    record(endpoint, 'token').repeat(2_000),
    record(endpoint, 'x'.repeat(RECORD_BYTES)),
    record(endpoint, `data:image/png;base64,${picture}`),
  ];
  const end = ENDS[endpoint.streamEnd ?? 'chat'];
  return `${records.join('')}${end}\n\n`;
}

/** Writes a body in pieces that match no boundary, as a network would. */
function inPieces(head: Record<string, string>, body: string): Answer {
  return (_req, res) => {
    res.writeHead(200, head);
    const bytes = Buffer.from(body);
    for (let at = 0; at < bytes.length; at += 65_521) res.write(bytes.subarray(at, at + 65_521));
    res.end();
  };
}

describe('each endpoint accepts responses of every size', { timeout: 60_000 }, () => {
  for (const endpoint of ENDPOINTS.filter(({ isRelayed }) => isRelayed)) {
    test(`${endpoint.path}: JSON of 10 bytes to 5 MB`, async (t) => {
      const stage = await start(t);
      for (const size of SIZES) {
        const [real, seen] = jsonAnswer(endpoint, size);
        stage.answer = inPieces({ 'content-type': 'application/json' }, real);
        for (const [model, expected] of [
          ['real', real],
          ['alias', seen],
        ] as const) {
          const text = await (await ask(stage.app, endpoint, model, false)).text();
          assert.ok(text === expected, `${model}, ${size} bytes: ${text.slice(0, 200)}`);
        }
      }
      await expectNothingHeld(stage.app.services);
    });

    test(`${endpoint.path}: a stream of 2,000 records, one of 8 MB, and an image of 5 MB`, async (t) => {
      const stage = await start(t);
      const body = eventStream(endpoint);
      stage.answer = inPieces({ 'content-type': 'text/event-stream' }, body);
      const seen = endpoint.namesModel ? body.replaceAll('"model":"real"', '"model":"alias"') : body;
      for (const [model, expected] of [
        ['real', body],
        ['alias', seen],
      ] as const) {
        const text = await (await ask(stage.app, endpoint, model, true)).text();
        assert.ok(text === expected, `${model}: ${text.length} of ${expected.length}: ${text.slice(-200)}`);
      }
      await expectNothingHeld(stage.app.services);
    });
  }

  test('ocr: texts of 10 bytes to 5 MB', async (t) => {
    const stage = await start(t);
    for (const size of SIZES) {
      const text = 'word '.repeat(size / 5).trim();
      const message = { role: 'assistant', content: text };
      stage.answer = inPieces(
        { 'content-type': 'application/json' },
        JSON.stringify({ model: 'real', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
      );
      const image_url = 'https://a.example/x.png';
      const answer = (await (await stage.app.v1('ocr', { model: 'alias', image_url })).json()) as {
        text: string;
      };
      assert.ok(answer.text === text, `${size} bytes`);
    }
    await expectNothingHeld(stage.app.services);
  });
});
