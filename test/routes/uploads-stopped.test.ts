import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Answer, FakeUpstream } from '../helpers/fake-upstream.ts';
import { curlForm, type FormPart } from '../helpers/pictures.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import {
  type Arrival,
  fileOf,
  metricOf,
  nextArrival,
  postAudio,
  speechOf,
  startSpeech,
} from '../helpers/speech-server.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const SPEECH = speechOf(3 * MEBIBYTE);
/** More than this is only at the provider when the file goes on while it arrives. */
const SOME_BYTES = 2 * MEBIBYTE;

interface Stoppable {
  readonly app: AppUnderTest;
  readonly model: string;
  /** The provider of the model. Its first request is looked at while it arrives. */
  readonly provider: FakeUpstream;
  /** How it answers the later ones. */
  readonly answer: Answer;
}

async function startStoppable(t: TestContext, model: string): Promise<Stoppable> {
  const { app, upstream, chutes } = await startSpeech(t, { readBodies: false });
  const provider = model === 'whisper' ? upstream : chutes;
  const { answer } = provider;
  return {
    app,
    model,
    provider,
    answer: (req, res, request) => void req.resume().on('end', () => answer(req, res, request)),
  };
}

/** Sends a form up to somewhere in its file, and waits until that is at the provider. */
async function sendSome(
  t: TestContext,
  { app, provider }: Stoppable,
  parts: readonly FormPart[],
): Promise<{ client: RawClient; arrival: Arrival; form: ReturnType<typeof curlForm> }> {
  const form = curlForm(parts);
  const coming = nextArrival(provider);
  const client = openForm(t, app, form);
  const arrival = await coming;
  await arrival.atLeast(SOME_BYTES);
  return { client, arrival, form };
}

/** Opens a request with a form and sends it up to somewhere in its file. */
function openForm(t: TestContext, app: AppUnderTest, form: { contentType: string; body: Buffer }): RawClient {
  const client = rawClient(t, app.port);
  client.write(
    `POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\n` +
      `Content-Type: ${form.contentType}\r\nContent-Length: ${form.body.length}\r\n\r\n`,
  );
  client.write(form.body.subarray(0, SPEECH.length));
  return client;
}

/** What arrived was no whole request in any reading, and its connection is closed. */
async function assertStopped(arrival: Arrival): Promise<void> {
  await arrival.closed;
  assert.equal(arrival.req.complete, false);
  const body = arrival.body();
  const boundary = /boundary=(\S+)/.exec(arrival.req.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) {
    assert.ok(body.subarray(0, 14).equals(Buffer.from('{"audio_b64":"')), 'the beginning of the JSON');
    assert.ok(!body.subarray(14).includes('"'), 'no end of the audio');
  } else {
    assert.ok(body.includes(`--${boundary}\r\n`));
    assert.ok(!body.includes(`--${boundary}--`), 'no closing boundary');
  }
}

/** Nothing is held or running any more but the question itself, and requests are served as before. */
async function assertNothingLeft({ app, provider, model, answer }: Stoppable): Promise<void> {
  while ((await metricOf(app, 'ipin_running_requests')) > 1) await nextTurn();
  provider.answer = answer;
  assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 0);
  await expectStatus(200, await postAudio(app, [['model', model], fileOf(SPEECH)]));
  await expectStatus(200, await postAudio(app, [fileOf(SPEECH), ['model', model]]));
  assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 0);
}

const FILE = fileOf(SPEECH);
const PDF = fileOf(Buffer.from('%PDF-1.7 and so on'), 'a.pdf', 'application/pdf');
const MODEL_FILE: FormPart = ['model', Buffer.from('whisper'), { name: '' }];
const BOTH = ['whisper', 'chutes-whisper'];
type Row = readonly [
  name: string,
  rest: readonly FormPart[],
  status: number,
  code: string,
  param: string,
  models?: readonly string[],
];
const ROWS: readonly Row[] = [
  ['a second model', [FILE, ['model', 'whisper']], 400, 'invalid_body', 'model'],
  ['a second model, spelled as a list', [FILE, ['model[]', 'whisper']], 400, 'invalid_body', 'model'],
  ['a second model, said to be a file', [FILE, MODEL_FILE], 400, 'invalid_body', 'model'],
  ['an unknown format', [FILE, ['response_format', 'mp3']], 400, 'invalid_value', 'response_format'],
  ['a temperature out of range', [FILE, ['temperature', '1.5']], 400, 'invalid_value', 'temperature'],
  [
    'times without the format that has them',
    [FILE, ['timestamp_granularities[]', 'segment']],
    400,
    'invalid_value',
    'timestamp_granularities',
  ],
  ['a field over 1 MiB', [FILE, ['prompt', 'a'.repeat(MEBIBYTE + 1)]], 413, 'request_too_large', 'prompt'],
  ['a file over 25 MiB', [fileOf(speechOf(25 * MEBIBYTE + 1))], 413, 'file_too_large', 'file'],
  ['a second file that is no audio', [FILE, PDF], 400, 'invalid_value', 'file', ['whisper']],
  ['a second file', [FILE, FILE], 400, 'invalid_body', 'file', ['chutes-whisper']],
  [
    'word times, which Chutes cannot give',
    [FILE, ['response_format', 'verbose_json'], ['timestamp_granularities', 'word']],
    400,
    'unsupported_parameter',
    'timestamp_granularities',
    ['chutes-whisper'],
  ],
];

describe('a form that turns out wrong behind its model', { timeout: 60_000 }, () => {
  for (const [name, rest, status, code, param, models = BOTH] of ROWS) {
    for (const model of models) {
      test(`is stopped before its end at the provider of ${model}: ${name}`, async (t) => {
        const speech = await startStoppable(t, model);
        const { client, arrival, form } = await sendSome(t, speech, [['model', model], ...rest]);
        client.write(form.body.subarray(SPEECH.length));
        const [answer] = await client.answers(1);
        assert.equal(answer?.status, status, answer?.body.toString());
        const { error } = JSON.parse(answer?.body.toString() ?? '');
        assert.deepEqual([error.code, error.param], [code, param]);
        await assertStopped(arrival);
        await assertNothingLeft(speech);
      });
    }
  }
});

describe('a form that does not come to its end', { timeout: 60_000 }, () => {
  for (const model of BOTH) {
    test(`is stopped at the provider of ${model}: no closing boundary`, async (t) => {
      const speech = await startStoppable(t, model);
      const { client, arrival, form } = await sendSome(t, speech, [['model', model], FILE]);
      client.write(Buffer.alloc(form.body.length - SPEECH.length, '-'));
      assert.equal((await client.answers(1))[0]?.status, 400);
      await assertStopped(arrival);
      await assertNothingLeft(speech);
    });

    test(`that is whole has its answer given up by the provider of ${model} when the client is gone`, async (t) => {
      const speech = await startStoppable(t, model);
      const { client, arrival, form } = await sendSome(t, speech, [['model', model], FILE]);
      client.write(form.body.subarray(SPEECH.length));
      while (!arrival.req.complete) await nextTurn();
      client.socket.resetAndDestroy();
      await arrival.closed;
      await assertNothingLeft(speech);
    });

    for (const [how, leave] of [
      ['is gone', (client: RawClient) => void client.socket.resetAndDestroy()],
      ['closes', (client: RawClient) => void client.socket.end()],
    ] as const) {
      test(`is stopped at the provider of ${model}: the client ${how} in the middle of the file`, async (t) => {
        const speech = await startStoppable(t, model);
        const { client, arrival } = await sendSome(t, speech, [['model', model], FILE]);
        leave(client);
        await assertStopped(arrival);
        await assertNothingLeft(speech);
      });

      test(`never gets to the provider of ${model}, and is let go: the client ${how} before its model`, async (t) => {
        const speech = await startStoppable(t, model);
        const { app, provider } = speech;
        let requests = 0;
        provider.answer = () => {
          requests += 1;
        };
        const client = openForm(t, app, curlForm([FILE, ['model', model]]));
        while (app.services.budget.usedBytes < 3 * MEBIBYTE) await nextTurn();
        leave(client);
        await client.closed;
        while (app.services.budget.usedBytes > 0) await nextTurn();
        assert.equal(requests, 0);
        await assertNothingLeft(speech);
      });
    }
  }
});
