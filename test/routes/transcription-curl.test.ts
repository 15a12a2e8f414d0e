import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import type { ReceivedRequest } from '../helpers/fake-upstream.ts';
import { sentParts } from '../helpers/form.ts';
import { curl, NO_CURL } from '../helpers/form-curl.ts';
import { sha256 } from '../helpers/pictures.ts';
import { metricOf, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const SPEECH = speechOf(2_500_003);
const LARGER = speechOf(26_214_401);
const PATHS = ['audio/transcriptions', 'audio/translations'] as const;
/** How curl can be made to send the same form. */
const WAYS = [
  ['its length', []],
  ['its length, and no wait for 100 Continue', ['-H', 'Expect:']],
  ['chunks', ['-H', 'Transfer-Encoding: chunked']],
] as const;
const ORDERS = [
  ['the file first', (file: string, model: string) => [`file=@${file}`, `model=${model}`]],
  ['the model first', (file: string, model: string) => [`model=${model}`, `file=@${file}`]],
] as const;

function fileWith(t: TestContext, bytes: Buffer, name = 'speech.wav'): string {
  const path = join(makeTestFolder(t), name);
  writeFileSync(path, bytes);
  return path;
}

function chutesBody(request: ReceivedRequest | undefined): Record<string, unknown> {
  const body: unknown = JSON.parse(request?.body.toString() ?? '');
  assert.ok(isRecord(body));
  return body;
}

describe('a form of curl', { timeout: 60_000, skip: NO_CURL }, () => {
  for (const path of PATHS) {
    for (const [order, fieldsOf] of ORDERS) {
      for (const [way, options] of path === 'audio/transcriptions' ? WAYS : WAYS.slice(0, 1)) {
        test(`reaches OpenAI’s kind field by field: ${path}, ${order}, with ${way}`, async (t) => {
          const { app, upstream } = await startSpeech(t);
          const more = ['timestamp_granularities[]=word', 'response_format=verbose_json', 'temperature=0.0'];
          const fields = [...fieldsOf(`${fileWith(t, SPEECH)};type=audio/x-wav`, 'whisper'), ...more];
          const answer = await curl({ url: `${app.origin}/v1/${path}`, fields, options });
          assert.deepEqual([answer.status, answer.body, answer.stderr], [200, '{"text":"Hello"}', '']);
          const [request, ...others] = upstream.received;
          assert.equal(request?.url, `/v1/${path}`);
          const file = ['file', 'speech.wav', 'audio/x-wav', sha256(SPEECH)];
          const model = ['model', null, null, 'vendor/whisper-1'];
          assert.deepEqual(
            sentParts(request).map(({ name, fileName, type, content }) => {
              return [name, fileName, type, name === 'file' ? sha256(content) : content.toString()];
            }),
            [
              ...(order === 'the file first' ? [file, model] : [model, file]),
              ['timestamp_granularities[]', null, null, 'word'],
              ['response_format', null, null, 'verbose_json'],
              ['temperature', null, null, '0.0'],
            ],
          );
          assert.deepEqual(others, []);
        });

        test(`reaches Chutes as its JSON: ${path}, ${order}, with ${way}`, async (t) => {
          const { app, chutes, upstream } = await startSpeech(t);
          const fields = [...fieldsOf(fileWith(t, SPEECH), 'chutes-whisper'), 'response_format=text'];
          const answer = await curl({ url: `${app.origin}/v1/${path}`, fields, options });
          assert.deepEqual([answer.status, answer.body, answer.stderr], [200, 'First words next\n', '']);
          const { audio_b64, ...others } = chutesBody(chutes.received[0]);
          assert.equal(sha256(Buffer.from(String(audio_b64), 'base64')), sha256(SPEECH));
          assert.deepEqual(others, path === 'audio/translations' ? { language: 'en' } : {});
          assert.deepEqual([chutes.received.length, upstream.received.length], [1, 0]);
        });
      }
    }
  }

  test('may have its file from a pipe', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const fields = ['file=@-;filename=speech.ogg', 'model=whisper'];
    const answer = await curl({ url: `${app.origin}/v1/audio/transcriptions`, fields, input: SPEECH });
    assert.deepEqual([answer.status, answer.stderr], [200, '']);
    const [file] = sentParts(upstream.received[0]);
    assert.equal(file?.fileName, 'speech.ogg');
    assert.equal(sha256(file?.content ?? Buffer.alloc(0)), sha256(SPEECH));
  });

  for (const [order, fieldsOf] of ORDERS) {
    for (const [model, way, options] of [
      ['whisper', ...WAYS[0]],
      ['whisper', ...WAYS[2]],
      ['chutes-whisper', ...WAYS[1]],
    ] as const) {
      test(`shows why a file over 25 MiB is refused: for ${model}, ${order}, with ${way}`, async (t) => {
        const { app, upstream, chutes } = await startSpeech(t);
        const fields = fieldsOf(fileWith(t, LARGER), model);
        const answer = await curl({ url: `${app.origin}/v1/audio/transcriptions`, fields, options });
        assert.deepEqual([answer.status, answer.exitCode], [413, 0], answer.stderr);
        assert.equal(JSON.parse(answer.body).error.code, 'file_too_large');
        assert.deepEqual([upstream.received.length, chutes.received.length], [0, 0]);
        assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 0);
      });
    }
  }
});
