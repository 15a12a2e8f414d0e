import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sentParts } from '../helpers/form.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { curlForm, type FormPart } from '../helpers/pictures.ts';
import { fileOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus, MASTER_KEY } from '../helpers/start-app.ts';

/** Nothing in it says what it is. */
const PLAIN = Buffer.from('no signature here');
const FORMATS = [
  ['mp3', 'audio/mpeg', 'ID3\x04\0\0\0\0\0\0\0\0'],
  ['mp4', 'video/mp4', '\0\0\0\x20ftypisom'],
  ['mpeg', 'video/mpeg', '\0\0\x01\xba\x44\0\x04\0\x04\x01'],
  ['mpga', 'audio/mpga', '\xff\xfb\x90\x44\0\0\0\0\0\0\0\0'],
  ['m4a', 'audio/x-m4a', '\0\0\0\x20ftypM4A '],
  ['wav', 'audio/wav', 'RIFF\x24\0\0\0WAVEfmt '],
  ['webm', 'audio/webm;codecs=opus', '\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f'],
  ['flac', 'audio/flac', 'fLaC\0\0\0\x22\x10\0\x10\0'],
  ['ogg', 'audio/ogg', 'OggS\0\x02\0\0\0\0\0\0'],
] as const;
const MODEL: FormPart = ['model', 'whisper'];

describe('audio', { timeout: 30_000 }, () => {
  for (const [extension, type, opening] of FORMATS) {
    test(`in ${extension} is taken, by its name, its type or its first bytes`, async (t) => {
      const { app, upstream, chutes } = await startSpeech(t);
      const bytes = Buffer.concat([Buffer.from(opening, 'latin1'), PLAIN]);
      for (const file of [
        fileOf(PLAIN, `speech.${extension}`, 'application/octet-stream'),
        fileOf(PLAIN, `SPEECH.${extension.toUpperCase()}`, 'text/plain'),
        fileOf(PLAIN, 'blob', type),
        fileOf(bytes, 'speech.bin', 'application/x-unknown'),
      ]) {
        await expectStatus(200, await postAudio(app, [file, MODEL]));
        await expectStatus(200, await postAudio(app, [['model', 'chutes-whisper'], file]));
        const sent = sentParts(upstream.received.at(-1))[0];
        assert.ok(sent?.content.equals(Buffer.from(file[1])));
      }
      assert.deepEqual([upstream.received.length, chutes.received.length], [4, 4]);
    });
  }

  for (const [what, file] of [
    ['a text', fileOf(PLAIN, 'notes.txt', 'text/plain')],
    ['a PDF', fileOf(Buffer.from('%PDF-1.7 and so on'), 'a.pdf', 'application/pdf')],
    ['a picture', fileOf(Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\r', 'latin1'), 'a.png', 'image/png')],
    ['a picture without a name', fileOf(PLAIN, 'blob', 'image/png')],
    ['another sound', fileOf(Buffer.from('FORM\0\0\0\0AIFFCOMM'), 'a.aiff', 'audio/x-aiff')],
    ['video of another kind', fileOf(Buffer.from('RIFF\0\0\0\0AVI LIST'), 'a.avi', 'video/x-msvideo')],
  ] as const) {
    test(`is not ${what}: refused, and no provider is asked for anything whole`, async (t) => {
      const { app, upstream, chutes } = await startSpeech(t);
      for (const model of ['whisper', 'chutes-whisper']) {
        for (const parts of [
          [file, ['model', model]],
          [['model', model], file],
        ] as const) {
          const error = await errorOf(400, await postAudio(app, parts));
          assert.deepEqual(error, {
            message:
              'The file is not in a supported audio format: send MP3, MP4, MPEG, MPGA, M4A, WAV, WEBM, FLAC or OGG.',
            type: 'invalid_request_error',
            param: 'file',
            code: 'invalid_value',
          });
        }
      }
      assert.equal(upstream.received.length + chutes.received.length, 0);
    });
  }
});

const FILE = fileOf(speechOf(2000));
type Row = readonly [
  name: string,
  parts: readonly FormPart[],
  status: number,
  code: string,
  param: string | null,
];
const ROWS: readonly Row[] = [
  ['no model', [FILE], 400, 'missing_required_parameter', 'model'],
  ['an empty model', [FILE, ['model', '']], 400, 'missing_required_parameter', 'model'],
  ['no file', [MODEL, ['prompt', 'x']], 400, 'missing_required_parameter', 'file'],
  [
    'a file under another name',
    [MODEL, ['audio', speechOf(2000), { name: 'a.wav' }]],
    400,
    'missing_required_parameter',
    'file',
  ],
  ['an unknown model behind the file', [FILE, ['model', 'nope']], 404, 'model_not_found', 'model'],
  ['an unknown model before the file', [['model', 'nope'], FILE], 404, 'model_not_found', 'model'],
  ['a disabled model', [FILE, ['model', 'off']], 404, 'model_not_found', 'model'],
  ['a disabled provider', [FILE, ['model', 'shut']], 503, 'provider_not_configured', null],
  [
    'a model that is a file',
    [['model', Buffer.from('whisper'), { name: '' }], FILE, MODEL],
    400,
    'invalid_body',
    'model',
  ],
  ['a language that is none', [FILE, ['language', 'x'], MODEL], 400, 'invalid_value', 'language'],
  [
    'a format that is none',
    [FILE, ['response_format', 'mp3'], MODEL],
    400,
    'invalid_value',
    'response_format',
  ],
  [
    'two formats',
    [['response_format', 'json'], FILE, ['response_format', 'text'], MODEL],
    400,
    'invalid_value',
    'response_format',
  ],
  [
    'times of another kind',
    [MODEL, ['timestamp_granularities[]', 'line'], FILE],
    400,
    'invalid_value',
    'timestamp_granularities',
  ],
];

describe('a form with audio is refused before a provider has it whole', { timeout: 30_000 }, () => {
  for (const [name, parts, status, code, param] of ROWS) {
    test(`for ${name}`, async (t) => {
      const { app, upstream } = await startSpeech(t);
      for (const path of ['audio/transcriptions', 'audio/translations']) {
        const error = await errorOf(status, await postAudio(app, parts, { path }));
        assert.deepEqual([error.code, error.param], [code, param]);
      }
      assert.equal(upstream.received.length, 0);
    });
  }

  test('for a model that the key may not use, wherever the model stands', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const key = await app.addKey({ models: ['chutes-whisper'] });
    for (const parts of [
      [FILE, MODEL],
      [MODEL, FILE],
    ]) {
      const error = await errorOf(403, await postAudio(app, parts, { key }));
      assert.deepEqual([error.code, error.param], ['model_not_allowed', 'model']);
    }
    assert.equal(upstream.received.length, 0);
    await expectStatus(200, await postAudio(app, [FILE, ['model', 'chutes-whisper']], { key }));
  });

  test('without a key, or as something that is no form', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const { contentType, body } = curlForm([MODEL, FILE]);
    const send = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${app.origin}/v1/audio/transcriptions`, { method: 'POST', headers, body: new Uint8Array(body) });
    await errorOf(401, await send({ 'content-type': contentType }));
    const authorization = `Bearer ${MASTER_KEY}`;
    for (const type of ['application/json', 'audio/wav', 'multipart/mixed; boundary=b']) {
      const error = await errorOf(415, await send({ authorization, 'content-type': type }));
      assert.equal(error.code, 'unsupported_content_type');
    }
    const compressed = { authorization, 'content-type': contentType, 'content-encoding': 'gzip' };
    assert.equal((await errorOf(415, await send(compressed))).code, 'unsupported_content_type');
    const noBoundary = { authorization, 'content-type': 'multipart/form-data' };
    assert.equal((await errorOf(400, await send(noBoundary))).code, 'invalid_body');
    assert.equal(upstream.received.length, 0);
  });
});

describe('a restricted key', { timeout: 30_000 }, () => {
  test('leads a form to no other model, by no spelling of a name', async (t) => {
    const { app, upstream, chutes } = await startSpeech(t);
    const key = await app.addKey({ models: ['whisper'] });
    // Some readers take the second backslash for itself, others for an escape of the quote after it.
    const smuggled: FormPart = ['x\\\\"; filename="; name=model; y=.mp3', 'whisper-1'];
    const parts = [
      smuggled,
      ['models', 'whisper-1'],
      ['models[]', 'whisper-1'],
      ['Route', 'x'],
      ['fallbacks', 'x'],
    ];
    for (const part of parts as FormPart[]) {
      for (const form of [
        [MODEL, part, FILE],
        [part, MODEL, FILE],
      ]) {
        const error = await errorOf(400, await postAudio(app, form, { key }));
        assert.equal(error.code, 'invalid_body', JSON.stringify(part));
      }
    }
    assert.deepEqual([upstream.received.length, chutes.received.length], [0, 0]);
    await expectStatus(200, await postAudio(app, [['models', 'whisper-1'], MODEL, FILE]));
  });
});
