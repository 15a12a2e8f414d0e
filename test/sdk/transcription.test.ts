import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import OpenAI, { toFile, type Uploadable } from 'openai';
import { isRecord } from '../../src/json/value.ts';
import { json, type ReceivedRequest } from '../helpers/fake-upstream.ts';
import { sentParts } from '../helpers/form.ts';
import { sha256 } from '../helpers/pictures.ts';
import { nextArrival, type SpeechUnderTest, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { type AppUnderTest, MASTER_KEY } from '../helpers/start-app.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const SPEECH = speechOf(400_001);
const BOTH = ['whisper', 'chutes-whisper'] as const;

function clientOf(app: AppUnderTest): OpenAI {
  return new OpenAI({ apiKey: MASTER_KEY, baseURL: `${app.origin}/v1`, maxRetries: 0, timeout: 10_000 });
}

async function start(t: TestContext): Promise<SpeechUnderTest & { client: OpenAI }> {
  const speech = await startSpeech(t);
  return { ...speech, client: clientOf(speech.app) };
}

function speechFile(): File {
  return new File([new Uint8Array(SPEECH)], 'meeting.wav', { type: 'audio/wav' });
}

/** What a provider of any kind received. */
function audioIn(request: ReceivedRequest | undefined): Buffer {
  if (request?.url !== '/transcribe')
    return sentParts(request).find(({ name }) => name === 'file')?.content ?? Buffer.alloc(0);
  const body: unknown = JSON.parse(request.body.toString());
  return Buffer.from(isRecord(body) ? String(body['audio_b64']) : '', 'base64');
}

/** Every way to pass a file to the package. */
const WAYS: readonly (readonly [string, (t: TestContext) => Uploadable | Promise<Uploadable>])[] = [
  ['a File', () => speechFile()],
  [
    'a read stream',
    (t) => {
      const path = join(makeTestFolder(t), 'meeting.wav');
      writeFileSync(path, SPEECH);
      return createReadStream(path);
    },
  ],
  ['toFile() of a buffer', () => toFile(SPEECH, 'meeting.wav')],
  [
    'toFile() of a stream',
    () => toFile(Readable.from([SPEECH.subarray(0, 7), SPEECH.subarray(7)]), 'meeting.wav'),
  ],
  ['a response', () => toFile(new Response(new Uint8Array(SPEECH)), 'meeting.wav')],
];

describe('transcriptions of the openai package', { timeout: 30_000 }, () => {
  for (const [way, fileOf] of WAYS) {
    test(`send every byte of ${way}, with the model before or after it`, async (t) => {
      const { client, upstream, chutes } = await start(t);
      for (const model of BOTH) {
        const provider = model === 'whisper' ? upstream : chutes;
        const heard = model === 'whisper' ? 'Hello' : 'First words next';
        const first = await client.audio.transcriptions.create({ file: await fileOf(t), model });
        const second = await client.audio.transcriptions.create({ model, file: await fileOf(t) });
        const third = await client.audio.translations.create({ file: await fileOf(t), model });
        assert.deepEqual([first.text, second.text, third.text], [heard, heard, heard]);
        assert.equal(provider.received.length, 3);
        for (const request of provider.received) assert.equal(sha256(audioIn(request)), sha256(SPEECH));
      }
      const [file, model] = sentParts(upstream.received[0]);
      assert.equal(file?.fileName, 'meeting.wav');
      assert.equal(model?.content.toString(), 'vendor/whisper-1');
    });
  }

  test('send every parameter in the package’s own spelling', async (t) => {
    const { client, upstream } = await start(t);
    await client.audio.transcriptions.create({
      file: speechFile(),
      model: 'whisper',
      timestamp_granularities: ['word', 'segment'],
      response_format: 'verbose_json',
      language: 'en',
      temperature: 0.2,
      include: ['logprobs'],
      chunking_strategy: { type: 'server_vad', silence_duration_ms: 300 },
    });
    const [, ...others] = sentParts(upstream.received[0]);
    assert.deepEqual(
      others.map(({ name, content }) => [name, content.toString()]),
      [
        ['model', 'vendor/whisper-1'],
        ['timestamp_granularities[]', 'word'],
        ['timestamp_granularities[]', 'segment'],
        ['response_format', 'verbose_json'],
        ['language', 'en'],
        ['temperature', '0.2'],
        ['include[]', 'logprobs'],
        ['chunking_strategy[type]', 'server_vad'],
        ['chunking_strategy[silence_duration_ms]', '300'],
      ],
    );
  });

  for (const [format, heard] of [
    ['text', 'First words next\n'],
    ['srt', '1\n00:00:00,000 --> 00:00:01,500\nFirst words\n\n2\n00:00:01,500 --> 00:00:03,250\nnext\n\n\n'],
    [
      'vtt',
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nFirst words\n\n00:00:01.500 --> 00:00:03.250\nnext\n\n',
    ],
  ] as const) {
    test(`are a string as ${format}, from either kind of provider`, async (t) => {
      const { client, upstream } = await start(t);
      const type = 'text/plain; charset=utf-8';
      upstream.answer = (_req, res) => void res.writeHead(200, { 'content-type': type }).end(heard);
      for (const model of BOTH) {
        const given: unknown = await client.audio.transcriptions.create({
          file: speechFile(),
          model,
          response_format: format,
        });
        assert.equal(given, heard);
      }
    });
  }

  test('are an object as json and verbose_json, from either kind of provider', async (t) => {
    const { client, upstream } = await start(t);
    const segments = [{ id: 0, start: 0, end: 3.25, text: ' Hello' }];
    upstream.answer = json({
      task: 'transcribe',
      language: 'english',
      duration: 3.25,
      text: 'Hello',
      segments,
    });
    for (const [model, text, language] of [
      ['whisper', 'Hello', 'english'],
      ['chutes-whisper', 'First words next', 'german'],
    ] as const) {
      const file = speechFile();
      const short = await client.audio.transcriptions.create({ file, model, response_format: 'json' });
      assert.equal(short.text, text);
      const verbose = await client.audio.transcriptions.create({
        file,
        model,
        language: 'de',
        response_format: 'verbose_json',
        timestamp_granularities: ['segment'],
      });
      assert.deepEqual([verbose.text, verbose.language, verbose.duration], [text, language, 3.25]);
      assert.equal(verbose.segments?.at(-1)?.end, 3.25);
    }
  });

  test('stream, event by event', async (t) => {
    const { client, upstream } = await start(t);
    const events = [
      { type: 'transcript.text.delta', delta: 'Hel' },
      { type: 'transcript.text.delta', delta: 'lo' },
      { type: 'transcript.text.done', text: 'Hello' },
    ];
    // Each event is written only after the package has returned the event before it.
    let writeNext = (): void => {};
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const left = [...events];
      writeNext = () => {
        const event = left.shift();
        if (event === undefined) res.end();
        else res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      };
      writeNext();
    };
    const stream = await client.audio.transcriptions.create({
      file: speechFile(),
      model: 'whisper',
      response_format: 'json',
      stream: true,
    });
    const received: unknown[] = [];
    for await (const event of stream) {
      received.push(event);
      writeNext();
    }
    assert.deepEqual(received, events);
    const parts = sentParts(upstream.received[0]).map(({ name, content }) => [name, content.toString()]);
    assert.deepEqual(parts.at(-1), ['stream', 'true']);
  });

  test('end with the package’s own errors', async (t) => {
    const { client } = await start(t);
    const file = speechFile();
    await assert.rejects(
      client.audio.transcriptions.create({
        file,
        model: 'chutes-whisper',
        response_format: 'verbose_json',
        timestamp_granularities: ['word'],
      }),
      (error) =>
        error instanceof OpenAI.BadRequestError &&
        error.code === 'unsupported_parameter' &&
        error.param === 'timestamp_granularities',
    );
    await assert.rejects(
      client.audio.transcriptions.create({ file: new File(['text'], 'notes.txt'), model: 'whisper' }),
      (error) => error instanceof OpenAI.BadRequestError && error.code === 'invalid_value',
    );
    const large = await toFile(speechOf(26_214_401), 'large.wav');
    await assert.rejects(
      client.audio.transcriptions.create({ file: large, model: 'whisper' }),
      (error) => error instanceof OpenAI.APIError && error.status === 413 && error.code === 'file_too_large',
    );
    await assert.rejects(
      client.audio.transcriptions.create({ file, model: 'nope' }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found',
    );
  });

  test('end at the provider too when they are aborted', async (t) => {
    const speech = await startSpeech(t, { readBodies: false });
    const client = clientOf(speech.app);
    for (const model of BOTH) {
      const coming = nextArrival(model === 'whisper' ? speech.upstream : speech.chutes);
      const abort = new AbortController();
      const asked = client.audio.transcriptions.create(
        { file: speechFile(), model },
        { signal: abort.signal },
      );
      const refused = assert.rejects(asked, OpenAI.APIUserAbortError);
      const arrival = await coming;
      abort.abort();
      await refused;
      await arrival.closed;
    }
    while (speech.app.services.budget.usedBytes > 0) await nextTurn();
  });
});
