import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf, startOcr } from '../helpers/picture-server.ts';
import { dataUrl, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { expectStatus } from '../helpers/start-app.ts';

const PNG_URL = dataUrl('image/png', pictureOf('image/png'));
const LIMIT_BYTES = 20_971_520;
const TOO_LARGE = 'Image size (20.1MB) exceeds maximum allowed size (20MB)';
const labelled = (bytes: string): string => dataUrl('image/png', Buffer.from(bytes, 'latin1'));

type Row = readonly [name: string, url: unknown, message: RegExp];
const ROWS: readonly Row[] = [
  ['text in base64', labelled('no picture, but text'), /no known format\. Send PNG, JPEG, WebP or GIF\./],
  ['a PDF', labelled('%PDF-1.7\n'), /format: PDF/],
  ['an SVG', labelled('<svg xmlns="http://www.w3.org/2000/svg"></svg>'), /format: SVG/],
  ['a HEIC', labelled('\0\0\0\x18ftypheic\0\0\0\0'), /format: HEIC/],
  ['a BMP', labelled('BM\x36\0\0\0\0\0\0\0'), /format: BMP/],
  ['nothing behind the comma', 'data:image/png;base64,', /empty/],
  [
    'base64 cut within a group',
    PNG_URL.replace(/=*$/, '').slice(0, 'data:image/png;base64,'.length + 801),
    /base64/,
  ],
  ['padding in the middle', `${PNG_URL.slice(0, 222)}==${PNG_URL.slice(222)}`, /base64/],
  ['a character that is none of base64’s', `${PNG_URL.slice(0, 222)}*${PNG_URL.slice(223)}`, /base64/],
  ['data that is no base64', 'data:image/svg+xml,%3Csvg%3E', /must hold base64/],
  ['no comma', 'data:image/png;base64', /must hold base64/],
  ['base64 alone', PNG_URL.slice('data:image/png;base64,'.length), /must begin with https/],
  ['a path', 'file:///etc/passwd', /must begin with https/],
  ['FTP', 'ftp://example.com/a.png', /must begin with https/],
  ['script', 'javascript:alert(1)', /must begin with https/],
  ['an address without a host', 'https://', /must begin with https/],
  ['an empty text', '', /must begin with https/],
  ['a number', 7, /`image_url` must be a URL/],
  ['a list', [PNG_URL], /`image_url` must be a URL/],
  ['true', true, /`image_url` must be a URL/],
];

/** Each place where a request may hold a picture, with the param that an error names. */
const PLACES = [
  ['chat, as an object', 'chat/completions', 'messages', (url: unknown) => chat({ url })],
  ['chat, as it is', 'chat/completions', 'messages', (url: unknown) => chat(url)],
  ['chat, last of several', 'chat/completions', 'messages', (url: unknown) => chat(PNG_URL, { url })],
  ['responses', 'responses', 'input', (url: unknown) => responses(url)],
  ['the output of a function', 'responses', 'input', (url: unknown) => functionOutput(url)],
  ['responses, first of several', 'responses', 'input', (url: unknown) => responses(url, PNG_URL)],
] as const;

function chat(...pictures: readonly unknown[]): object {
  const content = pictures.map((image_url) => ({ type: 'image_url', image_url }));
  return { model: 'reader', messages: [{ role: 'user', content }] };
}

function responses(...pictures: readonly unknown[]): object {
  const content = pictures.map((image_url) => ({ type: 'input_image', image_url }));
  return { model: 'reader', input: [{ role: 'user', content }] };
}

function functionOutput(image_url: unknown): object {
  const output = [{ type: 'input_image', image_url }];
  return { model: 'reader', input: [{ type: 'function_call_output', call_id: 'call_1', output }] };
}

describe('a bad picture is refused before any upstream is asked', { timeout: 60_000 }, () => {
  for (const [place, path, param, bodyWith] of PLACES) {
    test(`in ${place}`, async (t) => {
      const { app, upstream } = await startOcr(t);
      for (const [name, url, message] of ROWS) {
        const error = await errorOf(400, await app.v1(path, bodyWith(url)));
        assert.deepEqual(
          [error.type, error.code, error.param],
          ['invalid_request_error', 'image_validation_failed', param],
          name,
        );
        assert.match(String(error.message), message, name);
      }
      assert.equal(upstream.received.length, 0);
    });
  }

  test('also where the object has no url', async (t) => {
    const { app, upstream } = await startOcr(t);
    for (const picture of [{}, { detail: 'high' }, { URL: PNG_URL }, { url: null }]) {
      const error = await errorOf(400, await app.v1('chat/completions', chat(picture, { url: PNG_URL })));
      assert.deepEqual([error.code, error.message], ['image_validation_failed', '`image_url` has no `url`.']);
    }
    assert.equal(upstream.received.length, 0);
  });

  test('also as an object in /v1/responses, which knows strings only', async (t) => {
    const { app, upstream } = await startOcr(t);
    const error = await errorOf(400, await app.v1('responses', responses({ url: PNG_URL })));
    assert.deepEqual(error, {
      message: '`image_url` must be a URL, as a string.',
      type: 'invalid_request_error',
      param: 'input',
      code: 'image_validation_failed',
    });
    assert.equal(upstream.received.length, 0);
  });

  test('also in a url that stands twice, whichever a reader would take', async (t) => {
    const { app, upstream } = await startOcr(t);
    for (const [first, second] of [
      ['file:///etc/passwd', PNG_URL],
      [PNG_URL, 'file:///etc/passwd'],
    ]) {
      const part = `{"type":"image_url","image_url":{"url":"${first}","url":"${second}"}}`;
      const body = `{"model":"reader","messages":[{"role":"user","content":[${part}]}]}`;
      assert.equal(
        (await errorOf(400, await app.v1('chat/completions', body))).code,
        'image_validation_failed',
      );
    }
    assert.equal(upstream.received.length, 0);
  });

  test('after the rights: a key gets no word on a picture for a model that is not its own', async (t) => {
    const { app } = await startOcr(t);
    const key = await app.addKey({ models: ['dots-ocr'] });
    const answer = await app.v1('chat/completions', chat('no picture'), key);
    assert.equal((await errorOf(403, answer)).code, 'model_not_allowed');
    const unknown = await app.v1('chat/completions', { ...chat('no picture'), model: 'nope' });
    assert.equal((await errorOf(404, unknown)).code, 'model_not_found');
    const shut = await app.v1('chat/completions', { ...chat('no picture'), model: 'shut' });
    assert.equal((await errorOf(400, shut)).code, 'image_validation_failed');
  });
});

describe('the decoded size of a picture', { timeout: 60_000 }, () => {
  for (const [place, path, param, bodyWith] of PLACES) {
    if (!['chat, as it is', 'responses'].includes(place)) continue;
    test(`may be 20 MiB and not a byte more: ${place}`, async (t) => {
      const { app, upstream } = await startOcr(t);
      const largest = pictureOf('image/webp', LIMIT_BYTES);
      await expectStatus(200, await app.v1(path, bodyWith(dataUrl('image/webp', largest))));
      const [request] = upstream.received;
      if (path === 'chat/completions') assert.equal(sentPictures(request)[0]?.digest, sha256(largest));
      else assert.ok(request?.body.includes(`"${dataUrl('image/webp', largest)}"`));
      const larger = dataUrl('image/webp', pictureOf('image/webp', LIMIT_BYTES + 1));
      const error = await errorOf(400, await app.v1(path, bodyWith(larger)));
      assert.deepEqual(error, {
        message: TOO_LARGE,
        type: 'invalid_request_error',
        param,
        code: 'image_validation_failed',
      });
      assert.equal(upstream.received.length, 1);
    });
  }

  test('is counted without the white space in it', async (t) => {
    const { app, upstream } = await startOcr(t);
    const largest = pictureOf('image/png', LIMIT_BYTES);
    const spaced = dataUrl('image/png', largest).replace(/.{1000}/g, '$&\n');
    await expectStatus(200, await app.v1('chat/completions', chat({ url: spaced })));
    assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(largest));
    const larger = dataUrl('image/png', Buffer.concat([largest, Buffer.of(0)])).replace(/.{1000}/g, '$&\n');
    const error = await errorOf(400, await app.v1('chat/completions', chat({ url: larger })));
    assert.equal(error.message, TOO_LARGE);
  });

  test('is each picture’s own: two of 15 MiB pass together', async (t) => {
    const { app, upstream } = await startOcr(t);
    const picture = pictureOf('image/gif', 15 * 1024 * 1024);
    const url = dataUrl('image/gif', picture);
    await expectStatus(200, await app.v1('chat/completions', chat({ url }, url)));
    const digests = sentPictures(upstream.received[0]).map(({ digest }) => digest);
    assert.deepEqual(digests, [sha256(picture), sha256(picture)]);
  });
});

test('a request may hold 500 pictures and not one more', { timeout: 30_000 }, async (t) => {
  const { app, upstream } = await startOcr(t);
  const many = (count: number): object => chat(...Array.from({ length: count }, () => ({ url: PNG_URL })));
  await expectStatus(200, await app.v1('chat/completions', many(500)));
  assert.equal(sentPictures(upstream.received[0]).length, 500);
  const error = await errorOf(400, await app.v1('chat/completions', many(501)));
  assert.deepEqual(
    [error.code, error.message],
    ['image_validation_failed', 'A request may hold 500 images at most.'],
  );
  assert.equal(upstream.received.length, 1);
});

test('a picture among more parts than are looked at is refused, as a string only', {
  timeout: 30_000,
}, async (t) => {
  const { app, upstream } = await startOcr(t);
  const texts = Array.from({ length: 60_000 }, () => ({ type: 'text', text: '' }));
  const bodyWith = (image_url: unknown): object => ({
    model: 'reader',
    messages: [{ role: 'user', content: [...texts, { type: 'image_url', image_url }] }],
  });
  await expectStatus(200, await app.v1('chat/completions', bodyWith({ url: PNG_URL })));
  const error = await errorOf(400, await app.v1('chat/completions', bodyWith(PNG_URL)));
  assert.deepEqual(
    [error.code, error.message],
    ['image_validation_failed', 'The messages have too many parts.'],
  );
  assert.equal(upstream.received.length, 1);
});
