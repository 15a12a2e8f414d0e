import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { IncludeUsage, ProviderOptions } from '../../src/store/entities.ts';
import {
  type Answer,
  CHAT_ANSWER,
  type FakeUpstream,
  json,
  startUpstream,
} from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const CONTENT = 'data: {"model":"real","choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}\n\n';
const FINISH =
  'data: {"model":"real","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n';
const USAGE = 'data: {"model":"real","choices":[],"usage":{"total_tokens":3}}\n\n';
const DONE = 'data: [DONE]\n\n';
const SHOWN = CONTENT + FINISH + DONE;

/** A provider that reports usage in every stream, asked or not. */
const streaming: Answer = (_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(CONTENT + FINISH + USAGE + DONE);
};

interface Started {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
}

async function start(
  t: TestContext,
  includeUsage: IncludeUsage | null = null,
  answer = streaming,
  type: 'openai' | 'chutes' = 'openai',
): Promise<Started> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  const options: ProviderOptions = includeUsage === null ? {} : { includeUsage };
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, options, type }, [
    { id: 'real' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  return { app, upstream };
}

/** The text of a streamed answer. */
async function streamed(app: AppUnderTest, members: object = {}, path = 'chat/completions'): Promise<string> {
  const answer = await app.v1(path, { model: 'real', stream: true, ...members });
  assert.equal(answer.status, 200);
  return answer.text();
}

function lastBody({ received }: FakeUpstream): string {
  return received.at(-1)?.body.toString() ?? '';
}

const ASKED = { include_usage: true };

describe('a streamed call whose client did not ask for usage', { timeout: 30_000 }, () => {
  const rows: readonly (readonly [sent: string, arrived: string])[] = [
    [
      '{"model":"real","stream":true}',
      '{"stream_options":{"include_usage":true},"model":"real","stream":true}',
    ],
    [
      ' {\n "model" : "real" , "stream" : true }',
      ' {"stream_options":{"include_usage":true},\n "model" : "real" , "stream" : true }',
    ],
    [
      '{"model":"real","stream":true,"stream_options":null}',
      '{"model":"real","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"real","stream":true,"stream_options":{}}',
      '{"model":"real","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"real","stream":true,"stream_options":{ }}',
      '{"model":"real","stream":true,"stream_options":{"include_usage":true }}',
    ],
    [
      '{"stream_options":{"include_obfuscation":false},"model":"real","stream":true}',
      '{"stream_options":{"include_usage":true,"include_obfuscation":false},"model":"real","stream":true}',
    ],
    [
      '{"model":"real","stream":true,"stream_options":{"include_usage":false}}',
      '{"model":"real","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"real","stream":true,"stream_options":{"include_usage":null,"x":1}}',
      '{"model":"real","stream":true,"stream_options":{"include_usage":true,"x":1}}',
    ],
    [
      '{"model":"alias","stream":true}',
      '{"stream_options":{"include_usage":true},"model":"real","stream":true}',
    ],
  ];
  test('asks the provider for it, and gets none', async (t) => {
    const { app, upstream } = await start(t);
    for (const [sent, arrived] of rows) {
      const answer = await app.v1('chat/completions', sent);
      assert.equal(lastBody(upstream), arrived);
      const expected = sent.includes('alias') ? SHOWN.replaceAll('"real"', '"alias"') : SHOWN;
      assert.equal(await answer.text(), expected, sent);
    }
  });

  test('asks for it whatever the size of the body', async (t) => {
    const { app, upstream } = await start(t);
    for (const size of [10, 5_000, 100_000, 3_000_000]) {
      const messages = [{ role: 'user', content: 'é'.repeat(size / 2) }];
      assert.equal(await streamed(app, { messages }), SHOWN);
      const expected = { stream_options: ASKED, model: 'real', stream: true, messages };
      assert.ok(lastBody(upstream) === JSON.stringify(expected), `${size}`);
    }
  });

  test('asks for it in text completions, and at Chutes', async (t) => {
    for (const type of ['openai', 'chutes'] as const) {
      const { app, upstream } = await start(t, null, streaming, type);
      for (const path of ['completions', 'chat/completions']) {
        assert.equal(await streamed(app, {}, path), SHOWN);
        assert.deepEqual(JSON.parse(lastBody(upstream)).stream_options, ASKED);
      }
    }
  });

  test('gets the usage that a provider reports beside its last content without it', async (t) => {
    const choices = '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]';
    const last = `data: {"model":"real",${choices},"usage":{"total_tokens":3}}\n\n`;
    const { app } = await start(t, null, (_req, res) =>
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end(CONTENT + last + DONE),
    );
    assert.equal(await streamed(app), `${CONTENT}data: {"model":"real",${choices}}\n\n${DONE}`);
    assert.equal(await streamed(app, { stream_options: ASKED }), CONTENT + last + DONE);
  });

  test('gets JSON that is turned into a stream without usage', async (t) => {
    const { app } = await start(t, null, json(CHAT_ANSWER));
    assert.doesNotMatch(await streamed(app), /usage/);
    assert.match(await streamed(app, { stream_options: ASKED }), /"choices":\[\],"usage":\{/);
  });
});

describe('a call that is sent as it is', { timeout: 30_000 }, () => {
  const bodies: readonly (readonly [what: string, path: string, body: object])[] = [
    ['the client asked', 'chat/completions', { model: 'real', stream: true, stream_options: ASKED }],
    ['no stream', 'chat/completions', { model: 'real' }],
    ['stream: false', 'chat/completions', { model: 'real', stream: false, stream_options: {} }],
    ['stream: null', 'chat/completions', { model: 'real', stream: null }],
    ['options that are a text', 'chat/completions', { model: 'real', stream: true, stream_options: 'x' }],
    ['options in other letters', 'chat/completions', { model: 'real', stream: true, Stream_Options: {} }],
    ['the Responses API', 'responses', { model: 'real', stream: true }],
    ['images', 'images/generations', { model: 'real', stream: true }],
  ];
  for (const [what, path, body] of bodies) {
    test(`byte for byte, and its answer passes with usage: ${what}`, async (t) => {
      const { app, upstream } = await start(t, null, (_req, res) =>
        res
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(
            `${CONTENT}${USAGE}${path === 'responses' ? 'data: {"type":"response.completed"}\n\n' : DONE}`,
          ),
      );
      const text = await (await app.v1(path, body)).text();
      assert.equal(lastBody(upstream), JSON.stringify(body));
      assert.ok(text.includes(USAGE), text);
    });
  }

  test('with the option `never`', async (t) => {
    const { app, upstream } = await start(t, 'never');
    assert.equal(await streamed(app), CONTENT + FINISH + USAGE + DONE);
    assert.equal(lastBody(upstream), '{"model":"real","stream":true}');
  });
});

/** A provider that refuses a field as vendors do, and streams otherwise. */
function refusing(status: number, message: string): Answer {
  return (req, res, request) => {
    const isRefused = request.body.includes('"include_usage":true');
    const answer = isRefused
      ? json({ error: { message, type: 'invalid_request_error' } }, status)
      : streaming;
    answer(req, res, request);
  };
}

describe('a provider that refuses `stream_options`', { timeout: 30_000 }, () => {
  const refusals: readonly (readonly [number, string])[] = [
    [400, 'Unrecognized request argument supplied: stream_options'],
    [422, 'body.stream_options: Extra inputs are not permitted'],
    [400, 'include_usage is not supported'],
  ];
  for (const [status, message] of refusals) {
    test(`is asked once more without it, and never again with it: ${status} ${message}`, async (t) => {
      const { app, upstream } = await start(t, 'auto', refusing(status, message));
      const attempts: (string | null)[] = [];
      for (let count = 0; count < 2; count += 1) {
        const answer = await app.v1('chat/completions', { model: 'real', stream: true });
        attempts.push(answer.headers.get('x-ipin-attempts'));
        assert.equal(await answer.text(), CONTENT + FINISH + USAGE + DONE, 'what it reports unasked passes');
      }
      assert.deepEqual(attempts, ['2', '1']);
      assert.deepEqual(
        upstream.received.map(({ body }) => body.includes('stream_options')),
        [true, false, false],
      );
    });
  }

  test('is asked with it again by the option `always`', async (t) => {
    const { app, upstream } = await start(t, 'always', refusing(400, 'stream_options: no'));
    for (let count = 0; count < 2; count += 1)
      assert.equal(await streamed(app), CONTENT + FINISH + USAGE + DONE);
    assert.equal(upstream.received.length, 4);
  });

  test('is not asked with it twice by one call', async (t) => {
    let asked = 0;
    const upstream = await startUpstream(t, (req, res, request) => {
      asked += 1;
      const busy = json({ error: { message: 'busy' } }, 503);
      (asked === 2 ? busy : refusing(400, 'stream_options: no'))(req, res, request);
    });
    const app = await startApp(t, { env: { UPSTREAM_RETRIES: '1' } });
    const provider = { id: 'up', baseUrl: upstream.origin, options: { includeUsage: 'always' as const } };
    await app.addProvider(provider, [{ id: 'real' }]);
    assert.equal(await streamed(app), CONTENT + FINISH + USAGE + DONE);
    assert.deepEqual(
      upstream.received.map(({ body }) => body.includes('stream_options')),
      [true, false, false],
    );
  });

  test('refuses a client that asked itself', async (t) => {
    const { app, upstream } = await start(t, 'auto', refusing(400, 'stream_options: no'));
    const answer = await app.v1('chat/completions', { model: 'real', stream: true, stream_options: ASKED });
    assert.equal(answer.status, 400);
    assert.equal(upstream.received.length, 1);
    assert.equal(await streamed(app, {}), CONTENT + FINISH + USAGE + DONE);
  });

  test('is not taken for one when it repeats the whole request in its refusal', async (t) => {
    const { app, upstream } = await start(t, 'auto', (req, res, request) => {
      const isWrong = request.body.includes('"n":0');
      const detail = [{ loc: ['body', 'n'], msg: 'bad', input: request.body.toString() }];
      (isWrong ? json({ detail }, 422) : streaming)(req, res, request);
    });
    assert.equal((await app.v1('chat/completions', { model: 'real', stream: true, n: 0 })).status, 422);
    assert.equal(await streamed(app), SHOWN);
    assert.ok(lastBody(upstream).includes('stream_options'));
  });
});
