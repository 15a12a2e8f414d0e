import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type SentPart, sentParts } from '../helpers/form.ts';
import { errorOf } from '../helpers/picture-server.ts';
import type { FormPart } from '../helpers/pictures.ts';
import { fileOf, postAudio, SPEECH_KEYS, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus, MASTER_KEY } from '../helpers/start-app.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

/** Bytes in which readers of forms get lost: line ends, and the beginnings of boundaries. */
const SPEECH = Buffer.concat([
  speechOf(300_001),
  Buffer.from('\r\n--\r\n--------------------------d74496d66958873\r\n----ipin-\r\r\n\r'),
]);
const MODEL: FormPart = ['model', 'whisper'];
const OTHERS: readonly FormPart[] = [
  ['language', 'de'],
  ['prompt', 'Grüße,\r\n"Welt" \u{1f600}'],
  ['timestamp_granularities[]', 'word'],
  ['timestamp_granularities[]', 'segment'],
  ['response_format', 'verbose_json'],
  ['temperature', '0.20'],
  ['x_unknown[y]', ''],
];

function expected(parts: readonly FormPart[], upstreamModel = 'vendor/whisper-1'): SentPart[] {
  return parts.map(([name, content, file]) => ({
    name,
    fileName: file?.name ?? null,
    type: file?.type ?? null,
    content: Buffer.from(name === 'model' ? upstreamModel : content),
  }));
}

describe('a form with audio', { timeout: 30_000 }, () => {
  for (const [order, parts] of [
    ['the file first, as in most examples', [fileOf(SPEECH), MODEL, ...OTHERS]],
    ['the model first', [MODEL, fileOf(SPEECH), ...OTHERS]],
    ['the model last', [...OTHERS, fileOf(SPEECH), MODEL]],
    ['the file last', [...OTHERS, MODEL, fileOf(SPEECH)]],
  ] as const) {
    for (const path of ['audio/transcriptions', 'audio/translations']) {
      test(`arrives part for part, but for the model’s name: ${order}, to ${path}`, async (t) => {
        const { app, upstream } = await startSpeech(t);
        const answer = await postAudio(app, parts, { path });
        assert.equal(answer.headers.get('content-type'), 'application/json');
        assert.equal(answer.headers.get('x-ipin-provider'), 'up');
        assert.equal(await answer.text(), '{"text":"Hello"}');
        const [request, ...others] = upstream.received;
        assert.deepEqual([request?.method, request?.url], ['POST', `/v1/${path}`]);
        assert.equal(request?.headers.authorization, `Bearer ${SPEECH_KEYS.up}`);
        assert.deepEqual(sentParts(request), expected(parts));
        assert.deepEqual(others, []);
      });
    }
  }

  test('keeps the model’s name where the provider knows it by that', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const parts: FormPart[] = [fileOf(SPEECH), ['model', 'whisper-1']];
    await expectStatus(200, await postAudio(app, parts));
    assert.deepEqual(sentParts(upstream.received[0]), expected(parts, 'whisper-1'));
  });

  test('keeps names of files and types as far as they are harmless', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const rows: readonly (readonly [given: string, type: string | undefined, name: string, type: string])[] =
      [
        ['Größe – 日本.mp3', 'audio/mpeg', 'Größe – 日本.mp3', 'audio/mpeg'],
        ['a b;c=d.webm', 'audio/webm;codecs=opus', 'a b;c=d.webm', 'audio/webm;codecs=opus'],
        ['say %22hi%22.ogg', 'audio/ogg', 'say %22hi%22.ogg', 'audio/ogg'],
        ['/home/me/../a.flac', undefined, 'a.flac', 'application/octet-stream'],
        ['blob', 'application/octet-stream', 'blob', 'application/octet-stream'],
      ];
    for (const [given, givenType, name, type] of rows) {
      const file = givenType === undefined ? { name: given } : { name: given, type: givenType };
      await expectStatus(200, await postAudio(app, [['file', SPEECH, file], MODEL]));
      const [part] = sentParts(upstream.received.at(-1));
      assert.deepEqual([part?.fileName, part?.type], [name, type]);
      assert.ok(part?.content.equals(SPEECH), given);
    }
  });

  test('may be sent without a name for the file', async (t) => {
    const { app, upstream } = await startSpeech(t);
    await expectStatus(200, await postAudio(app, [['file', SPEECH.toString('latin1')], MODEL]));
    assert.equal(sentParts(upstream.received[0])[0]?.name, 'file');
  });

  for (const [format, type, body] of [
    ['json', 'application/json', '{"text":"Hi", "usage":{"type":"duration","seconds":1}}'],
    ['text', 'text/plain; charset=utf-8', 'Grüße\n'],
    ['srt', 'text/plain; charset=utf-8', '1\n00:00:00,000 --> 00:00:01,000\nHi\n\n\n'],
    ['vtt', 'text/vtt', 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHi\n\n'],
    ['verbose_json', 'application/json; charset=utf-8', '{"duration":1.0e0,"text":"\\u0048i","words":[]}'],
    ['diarized_json', 'application/json', '{"model":"vendor/whisper-1","segments":[]}'],
  ] as const) {
    test(`has its answer passed byte for byte: ${format}`, async (t) => {
      const { app, upstream } = await startSpeech(t);
      upstream.answer = (_req, res) => void res.writeHead(200, { 'content-type': type }).end(body);
      const answer = await postAudio(app, [fileOf(SPEECH), MODEL, ['response_format', format]]);
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type]);
      assert.equal(await answer.text(), body);
      assert.equal(sentParts(upstream.received[0])[2]?.content.toString(), format);
    });
  }

  test('has a streamed transcript passed as it comes, byte for byte', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const first = 'event: transcript.text.delta\ndata: {"type":"transcript.text.delta","delta":"Hel"}\n\n';
    const rest = 'data: {"type":"transcript.text.done" ,"text":"Hello","usage":{"type":"tokens"}}\n\n';
    let goOn = (): void => {};
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(first);
      goOn = () => void res.end(rest);
    };
    const answer = await postAudio(app, [fileOf(SPEECH), MODEL, ['stream', 'true']]);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text === first) goOn();
    }
    assert.equal(text, first + rest);
  });

  for (const [name, answerEarly] of [
    ['and reads on', (req: IncomingMessage) => void req.resume()],
    ['and reads no more', () => {}],
    ['and closes', (_req: IncomingMessage, res: ServerResponse) => void res.setHeader('connection', 'close')],
  ] as const) {
    test(`that a provider refuses before it has read it, ${name}, is answered with that refusal`, async (t) => {
      const { app, upstream, chutes } = await startSpeech(t, { readBodies: false });
      const error = { message: 'Slow down', type: 'requests', param: null, code: 'rate_limit' };
      upstream.answer = (req, res) => {
        answerEarly(req, res);
        res.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' });
        res.end(JSON.stringify({ error }));
      };
      chutes.answer = upstream.answer;
      for (const model of ['whisper', 'chutes-whisper']) {
        const answer = await postAudio(app, [['model', model], fileOf(speechOf(8 * 1024 * 1024))]);
        assert.equal(answer.headers.get('retry-after'), '7');
        assert.deepEqual(await errorOf(429, answer), error);
      }
    });
  }
});

describe('curl itself', { timeout: 30_000, skip: hasCurl ? false : 'curl is not installed' }, () => {
  for (const [order, fields] of [
    ['the file first', ['file=@FILE', 'model=whisper']],
    ['the model first', ['model=whisper', 'file=@FILE;type=audio/x-wav']],
  ] as const) {
    // curl waits for `100 Continue` before it sends this much.
    test(`sends a file that arrives whole: ${order}`, async (t) => {
      const { app, upstream } = await startSpeech(t);
      const speech = speechOf(2_500_000);
      const file = join(makeTestFolder(t), 'my speech.wav');
      writeFileSync(file, speech);
      const more = ['timestamp_granularities[]=word', 'response_format=verbose_json', 'prompt=Ein "Gruß"'];
      const form = [...fields, ...more].flatMap((field) => ['-F', field.replace('FILE', file)]);
      const { stdout } = await run('curl', [
        '--silent',
        '--show-error',
        '--fail-with-body',
        `${app.origin}/v1/audio/transcriptions`,
        '-H',
        `Authorization: Bearer ${MASTER_KEY}`,
        ...form,
      ]);
      assert.equal(stdout, '{"text":"Hello"}');
      const parts = sentParts(upstream.received[0]);
      assert.deepEqual(
        parts.map(({ name }) => name),
        [...fields, ...more].map((field) => field.slice(0, field.indexOf('='))),
      );
      const sent = parts.find(({ name }) => name === 'file');
      assert.equal(sent?.fileName, 'my speech.wav');
      assert.match(
        String(sent?.type),
        order === 'the file first' ? /^audio\/|octet-stream$/ : /^audio\/x-wav$/,
      );
      assert.ok(sent?.content.equals(speech));
      assert.equal(parts.find(({ name }) => name === 'model')?.content.toString(), 'vendor/whisper-1');
      assert.equal(parts.at(-1)?.content.toString(), 'Ein "Gruß"');
    });
  }
});
