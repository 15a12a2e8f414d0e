import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isRecord } from '../../src/json/value.ts';
import type { ReceivedRequest } from '../helpers/fake-upstream.ts';
import { sentParts } from '../helpers/form.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { curlForm, type FormPart, pictureOf, sha256 } from '../helpers/pictures.ts';
import { FRAMINGS, headOf, post, postOn } from '../helpers/raw-post.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { fileOf, metricOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const AUDIO_LIMIT_BYTES = 26_214_400;
const LARGEST = speechOf(AUDIO_LIMIT_BYTES);
const LARGER = Buffer.concat([LARGEST, Buffer.of(0)]);
const FILE_TOO_LARGE = {
  error: {
    message: 'The file is larger than 25 MB. Send a smaller or compressed one.',
    type: 'invalid_request_error',
    param: 'file',
    code: 'file_too_large',
  },
};
const ORDERS = [
  ['behind the model', (file: FormPart, model: string): FormPart[] => [['model', model], file]],
  ['before the model', (file: FormPart, model: string): FormPart[] => [file, ['model', model]]],
] as const;
const asAudio = (parts: readonly FormPart[]): { path: string; contentType: string; body: Buffer } => ({
  path: 'audio/transcriptions',
  ...curlForm(parts),
});

/** The audio that a provider received, of whichever kind it is. */
function audioIn(request: ReceivedRequest | undefined): Buffer | undefined {
  if (request?.headers['content-type'] !== 'application/json')
    return sentParts(request).find(({ name }) => name === 'file')?.content;
  const body: unknown = JSON.parse(request.body.toString());
  return Buffer.from(isRecord(body) ? String(body['audio_b64']) : '', 'base64');
}

describe('25 MiB of audio hold to the byte', { timeout: 60_000 }, () => {
  for (const [place, order] of ORDERS) {
    for (const [model, framing] of [
      ['whisper', 'Content-Length'],
      ['whisper', 'chunks'],
      ['chutes-whisper', 'chunks'],
    ] as const) {
      test(`${place}, for ${model}, with ${framing}`, async (t) => {
        const { app, upstream, chutes } = await startSpeech(t);
        const provider = model === 'whisper' ? upstream : chutes;
        const answer = await post(t, app.port, { ...asAudio(order(fileOf(LARGEST), model)), framing });
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(sha256(audioIn(provider.received[0]) ?? Buffer.alloc(0)), sha256(LARGEST));
        const refused = await post(t, app.port, { ...asAudio(order(fileOf(LARGER), model)), framing });
        assert.equal(refused.status, 413);
        assert.deepEqual(JSON.parse(refused.body.toString()), FILE_TOO_LARGE);
        assert.equal(provider.received.length, 1);
      });
    }
  }
});

describe('MAX_BODY_MB holds to the byte for audio', { timeout: 60_000 }, () => {
  for (const framing of FRAMINGS) {
    for (const [place, order] of ORDERS) {
      test(`${place}, with ${framing}`, async (t) => {
        const { app, upstream } = await startSpeech(t, { env: { MAX_BODY_MB: '1' } });
        const frameBytes = asAudio(order(fileOf(Buffer.alloc(0)), 'whisper')).body.length;
        const speech = speechOf(MEBIBYTE - frameBytes);
        const whole = asAudio(order(fileOf(speech), 'whisper'));
        assert.equal(whole.body.length, MEBIBYTE);
        assert.equal((await post(t, app.port, { ...whole, framing })).status, 200);
        assert.ok(audioIn(upstream.received[0])?.equals(speech));
        const more = asAudio(order(fileOf(Buffer.concat([speech, Buffer.of(0)])), 'whisper'));
        const refused = await post(t, app.port, { ...more, framing });
        assert.equal(refused.status, 413);
        assert.equal(JSON.parse(refused.body.toString()).error.code, 'request_too_large');
        assert.equal(upstream.received.length, 1);
      });
    }
  }
});

describe('who goes on sending audio can read the error', { timeout: 60_000 }, () => {
  for (const [place, order] of ORDERS) {
    for (const framing of FRAMINGS) {
      test(`of a file too large, ${place}, with ${framing}`, async (t) => {
        const { app, upstream } = await startSpeech(t);
        const { path, contentType, body } = asAudio(order(fileOf(LARGER), 'whisper'));
        const toTheFile = body.subarray(0, body.indexOf(LARGEST.subarray(0, 64)) + LARGER.length);
        const refused = await postOn(t, app.port, { path, contentType, body: toTheFile, framing });
        assert.equal(refused.status, 413);
        assert.deepEqual(JSON.parse(refused.body.toString()), FILE_TOO_LARGE);
        assert.equal(upstream.received.length, 0);
      });
    }
  }
});

describe('images to edit', { timeout: 60_000 }, () => {
  const LIMIT_BYTES = 20_971_520;
  const imageOf = (bytes: Buffer): FormPart => ['image[]', bytes, { name: 'a.png', type: 'image/png' }];

  test('may be 20 MiB each, together more than MAX_BODY_MB', async (t) => {
    const { app, upstream } = await startSpeech(t);
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"created":1,"data":[]}');
    };
    const image = pictureOf('image/png', LIMIT_BYTES);
    const parts: FormPart[] = [
      ['model', 'whisper'],
      ['prompt', 'a hat'],
      ...[1, 2, 3].map(() => imageOf(image)),
    ];
    await expectStatus(200, await postAudio(app, parts, { path: 'images/edits' }));
    const sent = sentParts(upstream.received[0]).filter(({ name }) => name === 'image[]');
    assert.deepEqual(
      sent.map(({ content }) => sha256(content)),
      [1, 2, 3].map(() => sha256(image)),
    );
  });

  test('may be not a byte more', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const image = pictureOf('image/png', LIMIT_BYTES + 1);
    for (const parts of [
      [['model', 'whisper'], imageOf(image)],
      [imageOf(image), ['model', 'whisper']],
    ] as const) {
      const error = await errorOf(400, await postAudio(app, parts, { path: 'images/edits' }));
      assert.deepEqual(
        [error.code, error.param, error.message],
        ['image_validation_failed', 'image[]', 'Image size (20.1MB) exceeds maximum allowed size (20MB)'],
      );
    }
    assert.equal(upstream.received.length, 0);
  });
});

describe('too much in flight', { timeout: 60_000 }, () => {
  /** No key may hold more than half of it. */
  const env = { MAX_INFLIGHT_MB: '8' };

  test('is a file of one key over its half before the model; behind it nothing is held', async (t) => {
    const { app, upstream } = await startSpeech(t, { env });
    const file = fileOf(speechOf(5 * MEBIBYTE));
    const { path, contentType, body } = asAudio([file]);
    const refused = await postOn(t, app.port, {
      path,
      contentType,
      body: body.subarray(0, -200),
      framing: 'chunks',
    });
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d?$/);
    const { error } = JSON.parse(refused.body.toString());
    assert.deepEqual([error.type, error.param, error.code], ['server_error', null, 'server_overloaded']);
    assert.equal(refused.headers.get('x-should-retry'), 'false');
    assert.match(
      error.message,
      /more than the 4 MB .* Raise MAX_INFLIGHT_MB .* put `model` before the files/,
    );
    assert.equal(upstream.received.length, 0);
    assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 0);
    await expectStatus(200, await postAudio(app, [['model', 'whisper'], file]));
    await expectStatus(200, await postAudio(app, [fileOf(speechOf(3 * MEBIBYTE)), ['model', 'whisper']]));
  });

  test('counts fields too, which may be 1 MB together', async (t) => {
    const { app, upstream } = await startSpeech(t, { env });
    const field = (name: string, kibibytes: number): FormPart => [name, 'x'.repeat(kibibytes * 1024)];
    const held: FormPart[] = [field('a', 300), field('b', 300), ['model', 'whisper'], fileOf(speechOf(1000))];
    const { path, contentType, body } = asAudio(held);
    const client = rawClient(t, app.port);
    client.write(headOf(path, contentType, `Content-Length: ${body.length}`));
    client.write(body.subarray(0, -20));
    while (app.services.budget.usedBytes < 600 * 1024) await nextTurn();
    client.write(body.subarray(-20));
    assert.equal((await client.answers(1))[0]?.status, 200);
    const tooMuch = [field('a', 600), field('b', 600), ['model', 'whisper'], fileOf(speechOf(1000))] as const;
    upstream.received.length = 0;
    const refused = await errorOf(413, await postAudio(app, [...tooMuch]));
    assert.deepEqual([refused.code, refused.param], ['request_too_large', 'b']);
    assert.equal(upstream.received.length, 0);
  });

  for (const [what, parts, bytes] of [
    ['a field', [['a', 'x'.repeat(900 * 1024)]], 800 * 1024],
    ['the names of fields', Array.from({ length: 50 }, (_, at) => [`${at}`.repeat(5000), '']), 400 * 1024],
  ] as const) {
    test(`counts ${what} while the form still arrives`, async (t) => {
      const { app } = await startSpeech(t, { env });
      const { path, contentType, body } = asAudio(parts as readonly FormPart[]);
      const client = rawClient(t, app.port);
      client.write(headOf(path, contentType, `Content-Length: ${body.length}`));
      client.write(body.subarray(0, -40));
      while (app.services.budget.usedBytes < bytes) await nextTurn();
    });
  }

  test('is what several requests hold together, each key for itself, until they are answered', async (t) => {
    const { app } = await startSpeech(t, { env });
    const key = await app.addKey({ models: null });
    const parts: FormPart[] = [fileOf(speechOf(3 * MEBIBYTE - 1024)), ['model', 'chutes-whisper']];
    const { path, contentType, body } = asAudio(parts);
    const first = rawClient(t, app.port);
    first.write(headOf(path, contentType, `Content-Length: ${body.length}`));
    first.write(body.subarray(0, -20));
    while (app.services.budget.usedBytes < 3 * MEBIBYTE) await nextTurn();
    const refused = await errorOf(503, await postAudio(app, parts));
    assert.equal(refused.code, 'server_overloaded');
    assert.match(String(refused.message), /Try again in a moment/);
    await expectStatus(200, await postAudio(app, parts, { key }));
    assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 3 * MEBIBYTE);
    first.write(body.subarray(-20));
    assert.equal((await first.answers(1))[0]?.status, 200);
    await expectStatus(200, await postAudio(app, parts));
    assert.equal(await metricOf(app, 'ipin_inflight_bytes'), 0);
  });
});
