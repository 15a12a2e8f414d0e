import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startOcr } from '../helpers/picture-server.ts';
import { curlForm, dataUrl, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { FRAMINGS, headOf, post, postOn } from '../helpers/raw-post.ts';
import { type RawAnswer, rawClient } from '../helpers/raw-socket.ts';

const MEBIBYTE = 1024 * 1024;
const IMAGE_LIMIT_BYTES = 20_971_520;
const SMALL = { MAX_BODY_MB: '1' };
const TOO_LARGE = {
  error: {
    message: 'The request body is larger than 1 MB. Send less, or raise MAX_BODY_MB on the server.',
    type: 'invalid_request_error',
    param: null,
    code: 'request_too_large',
  },
};
const PICTURE_URL = dataUrl('image/png', pictureOf('image/png', 3000));
const CONTENT = [{ type: 'image_url', image_url: { url: PICTURE_URL } }];

/** JSON of exactly so many bytes: what is missing is white space, which counts as everything does. */
function jsonOf(value: object, lengthBytes: number): Buffer {
  const body = Buffer.alloc(lengthBytes, ' ');
  body.write(JSON.stringify(value));
  return body;
}

/** A form of exactly so many bytes, and the picture in it that fills it up. */
function formOf(lengthBytes: number): { contentType: string; body: Buffer; picture: Buffer } {
  const withPicture = (picture: Buffer): { contentType: string; body: Buffer } =>
    curlForm([
      ['file', picture, { name: 'a.png' }],
      ['model', 'reader'],
    ]);
  const frameBytes = withPicture(Buffer.alloc(0)).body.length;
  const picture = pictureOf('image/png', lengthBytes - frameBytes);
  return { ...withPicture(picture), picture };
}

const MODEL = { model: 'reader' };
const JSON_ROWS = [
  ['chat/completions', { ...MODEL, messages: [{ role: 'user', content: CONTENT }] }],
  ['completions', { ...MODEL, prompt: 'a' }],
  ['responses', { ...MODEL, input: 'a' }],
  ['embeddings', { ...MODEL, input: 'a' }],
  ['moderations', { ...MODEL, input: 'a' }],
  ['images/generations', { ...MODEL, prompt: 'a' }],
  ['audio/speech', { ...MODEL, input: 'a', voice: 'b' }],
  ['ocr', { ...MODEL, image_url: PICTURE_URL }],
] as const;

describe('MAX_BODY_MB holds to the byte', { timeout: 60_000 }, () => {
  for (const framing of FRAMINGS) {
    test(`for JSON with ${framing}`, async (t) => {
      const { app, upstream } = await startOcr(t, undefined, SMALL);
      for (const [path, value] of JSON_ROWS) {
        const send = (lengthBytes: number): Promise<RawAnswer> =>
          post(t, app.port, {
            path,
            contentType: 'application/json',
            body: jsonOf(value, lengthBytes),
            framing,
          });
        const before = upstream.received.length;
        const answer = await send(MEBIBYTE);
        assert.equal(answer.status, 200, `${path}: ${answer.body}`);
        assert.equal(upstream.received.length, before + 1, path);
        const refused = await send(MEBIBYTE + 1);
        assert.equal(refused.status, 413, path);
        assert.deepEqual(JSON.parse(refused.body.toString()), TOO_LARGE, path);
        assert.equal(upstream.received.length, before + 1, path);
      }
    });

    test(`for a form with ${framing}`, async (t) => {
      const { app, upstream } = await startOcr(t, undefined, SMALL);
      const send = (lengthBytes: number): Promise<RawAnswer> =>
        post(t, app.port, { path: 'ocr', ...formOf(lengthBytes), framing });
      const answer = await send(MEBIBYTE);
      assert.equal(answer.status, 200, answer.body.toString());
      assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(formOf(MEBIBYTE).picture));
      const refused = await send(MEBIBYTE + 1);
      assert.equal(refused.status, 413);
      assert.deepEqual(JSON.parse(refused.body.toString()), TOO_LARGE);
      assert.equal(upstream.received.length, 1);
    });
  }

  test('and is told after a missing key, before a bad body', async (t) => {
    const { app } = await startOcr(t, undefined, SMALL);
    const length = `Content-Length: ${MEBIBYTE + 1}`;
    const nobody = rawClient(t, app.port);
    nobody.write(headOf('chat/completions', 'application/json', length, null));
    assert.equal((await nobody.answers(1))[0]?.status, 401);
    const noJson = rawClient(t, app.port);
    noJson.write(headOf('chat/completions', 'application/json', length));
    noJson.write('no JSON');
    assert.equal((await noJson.answers(1))[0]?.status, 413);
  });

  test('and keeps a client from sending that asks first', async (t) => {
    const { app } = await startOcr(t, undefined, SMALL);
    const asks = (lengthBytes: number): string =>
      headOf('ocr', 'application/json', `Content-Length: ${lengthBytes}\r\nExpect: 100-continue`);
    const refused = rawClient(t, app.port);
    refused.write(asks(MEBIBYTE + 1));
    const [answer] = await refused.answers(1);
    assert.equal(answer?.status, 413);
    assert.doesNotMatch(refused.received().toString(), /100 Continue/i);
    const welcome = rawClient(t, app.port);
    welcome.write(asks(MEBIBYTE));
    await welcome.until('HTTP/1.1 100 Continue\r\n\r\n');
    welcome.write(jsonOf({ ...MODEL, image_url: PICTURE_URL }, MEBIBYTE));
    assert.equal((await welcome.answers(1))[0]?.status, 200);
  });
});

describe('JSON over the half of MAX_INFLIGHT_MB that one key may hold', { timeout: 60_000 }, () => {
  for (const framing of FRAMINGS) {
    test(`is not asked for again but told what to set, with ${framing}`, async (t) => {
      const env = { MAX_BODY_MB: '4', MAX_INFLIGHT_MB: '4' };
      const { app, upstream } = await startOcr(t, undefined, env);
      const send = (lengthBytes: number): Promise<RawAnswer> => {
        const body = jsonOf({ ...MODEL, input: 'a' }, lengthBytes);
        return post(t, app.port, { path: 'embeddings', contentType: 'application/json', body, framing });
      };
      assert.equal((await send(2 * MEBIBYTE)).status, 200);
      const refused = await send(3 * MEBIBYTE);
      assert.equal(refused.status, 503);
      assert.equal(refused.headers.get('retry-after'), '2');
      assert.equal(refused.headers.get('x-should-retry'), 'false');
      const { error } = JSON.parse(refused.body.toString());
      assert.equal(error.code, 'server_overloaded');
      assert.match(error.message, /more than the 2 MB .* Raise MAX_INFLIGHT_MB on the server/);
      assert.equal(upstream.received.length, 1);
    });
  }
});

describe('a picture’s 20 MiB hold to the byte', { timeout: 60_000 }, () => {
  const LARGEST = pictureOf('image/png', IMAGE_LIMIT_BYTES);
  const LARGER = Buffer.concat([LARGEST, Buffer.of(0)]);
  const asChat = (bytes: Buffer): { path: string; contentType: string; body: Buffer } => {
    const content = [{ type: 'image_url', image_url: { url: dataUrl('image/png', bytes) } }];
    const body = Buffer.from(JSON.stringify({ ...MODEL, messages: [{ role: 'user', content }] }));
    return { path: 'chat/completions', contentType: 'application/json', body };
  };
  const asForm = (bytes: Buffer): { path: string; contentType: string; body: Buffer } => ({
    path: 'ocr',
    ...curlForm([
      ['file', bytes, { name: 'a.png' }],
      ['model', 'reader'],
    ]),
  });
  for (const framing of FRAMINGS) {
    for (const [place, param, requestOf] of [
      ['a chat', 'messages', asChat],
      ['a form', 'file', asForm],
    ] as const) {
      test(`in ${place} with ${framing}`, async (t) => {
        const { app, upstream } = await startOcr(t);
        assert.equal((await post(t, app.port, { ...requestOf(LARGEST), framing })).status, 200);
        assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(LARGEST));
        const refused = await post(t, app.port, { ...requestOf(LARGER), framing });
        assert.equal(refused.status, 400);
        assert.deepEqual(JSON.parse(refused.body.toString()), {
          error: {
            message: 'Image size (20.1MB) exceeds maximum allowed size (20MB)',
            type: 'invalid_request_error',
            param,
            code: 'image_validation_failed',
          },
        });
        assert.equal(upstream.received.length, 1);
      });
    }
  }
});

describe('who goes on sending can read the error', { timeout: 60_000 }, () => {
  const picture = pictureOf('image/jpeg', IMAGE_LIMIT_BYTES + 1);
  const form = curlForm([['file', picture, { name: 'a.jpg' }]]);
  /** Without the line end and the closing boundary: the file goes on. */
  const openForm = form.body.subarray(0, form.body.lastIndexOf('\r\n--'));
  for (const [what, path, contentType, begin, env, status] of [
    ['JSON', 'chat/completions', 'application/json', jsonOf(MODEL, MEBIBYTE + 1), SMALL, 413],
    ['JSON to read a picture', 'ocr', 'application/json', jsonOf(MODEL, MEBIBYTE + 1), SMALL, 413],
    ['a form', 'ocr', form.contentType, openForm.subarray(0, MEBIBYTE + 1), SMALL, 413],
    ['a form with too large a picture', 'ocr', form.contentType, openForm, {}, 400],
  ] as const) {
    for (const framing of FRAMINGS) {
      test(`of ${what} with ${framing}`, async (t) => {
        const { app, upstream } = await startOcr(t, undefined, env);
        const answer = await postOn(t, app.port, { path, contentType, body: begin, framing });
        assert.equal(answer.status, status);
        assert.equal(upstream.received.length, 0);
      });
    }
  }
});
