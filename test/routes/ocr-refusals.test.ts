import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf, postForm, startOcr } from '../helpers/picture-server.ts';
import { curlForm, type FormPart, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { expectStatus, MASTER_KEY } from '../helpers/start-app.ts';

const MODEL = ['model', 'reader'] as const;
const PNG = pictureOf('image/png');
const fileOf = (bytes: Buffer): FormPart => ['file', bytes, { name: 'a.png', type: 'image/png' }];
const FILE = fileOf(PNG);
const LIMIT_BYTES = 20_971_520;

type Row = readonly [
  name: string,
  parts: readonly FormPart[],
  status: number,
  code: string,
  param: string | null,
  message?: RegExp,
];
const image = (name: string, text: string, message: RegExp): Row => [
  name,
  [MODEL, fileOf(Buffer.from(text, 'latin1'))],
  400,
  'image_validation_failed',
  'file',
  message,
];
const ROWS: readonly Row[] = [
  ['no file', [MODEL, ['prompt', 'x']], 400, 'missing_required_parameter', 'file'],
  [
    'a file under another name',
    [MODEL, ['image', PNG, { name: 'a' }]],
    400,
    'missing_required_parameter',
    'file',
  ],
  ['no model', [FILE], 400, 'missing_required_parameter', 'model'],
  ['an empty model', [FILE, ['model', '']], 400, 'missing_required_parameter', 'model'],
  ['a model twice', [FILE, MODEL, ['model', 'dots-ocr']], 400, 'invalid_body', 'model'],
  ['two files', [MODEL, FILE, FILE], 400, 'invalid_body', 'file'],
  ['an unknown model, behind the file', [FILE, ['model', 'nope']], 404, 'model_not_found', 'model'],
  ['an unknown model, before the file', [['model', 'nope'], FILE], 404, 'model_not_found', 'model'],
  ['a disabled model', [FILE, ['model', 'off']], 404, 'model_not_found', 'model'],
  ['a disabled provider', [FILE, ['model', 'shut']], 503, 'provider_not_configured', null],
  image('an empty file', '', /empty/),
  image('text', 'not a picture at all', /no known format.*PNG, JPEG, WebP or GIF/),
  image('a PDF', '%PDF-1.7\n%\xe2\xe3\xcf\xd3', /PDF/),
  image('a TIFF', 'II*\0\x08\0\0\0\0\0\0\0', /TIFF/),
  image('a BMP', 'BM\x36\0\0\0\0\0\0\0\x36\0', /BMP/),
  image('a HEIC', '\0\0\0\x18ftypheic\0\0\0\0', /HEIC/),
  image('an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', /SVG/),
  image('sound in the wrapping of WebP', 'RIFF\x24\0\0\0WAVEfmt ', /no known format/),
  image('a picture that lost its first byte', PNG.toString('latin1', 1), /no known format/),
  image('the beginning of a signature', '\x89PNG', /no known format/),
];

describe('a form to /v1/ocr is refused before any upstream is asked', { timeout: 30_000 }, () => {
  for (const [name, parts, status, code, param, message = /./] of ROWS) {
    test(`for ${name}`, async (t) => {
      const { app, upstream, other } = await startOcr(t);
      const error = await errorOf(status, await postForm(app, parts));
      assert.deepEqual([error.code, error.param], [code, param]);
      assert.match(String(error.message), message);
      assert.equal(upstream.received.length + other.received.length, 0);
    });
  }

  test('for a model that the key may not use, wherever the model stands', async (t) => {
    const { app, upstream } = await startOcr(t);
    const key = await app.addKey({ models: ['dots-ocr'] });
    for (const parts of [
      [FILE, MODEL],
      [MODEL, FILE],
    ]) {
      const error = await errorOf(403, await postForm(app, parts, key));
      assert.deepEqual([error.code, error.param], ['model_not_allowed', 'model']);
    }
    assert.equal(upstream.received.length, 0);
    await expectStatus(200, await postForm(app, [FILE, ['model', 'dots-ocr']], key));
  });

  test('without a key, or as something that is neither form nor JSON', async (t) => {
    const { app, upstream } = await startOcr(t);
    const { contentType, body } = curlForm([FILE, MODEL]);
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${app.origin}/v1/ocr`, { method: 'POST', headers, body: new Uint8Array(body) });
    await errorOf(401, await post({ 'content-type': contentType }));
    const authorization = `Bearer ${MASTER_KEY}`;
    for (const type of ['image/png', 'application/x-www-form-urlencoded', 'multipart/mixed; boundary=b']) {
      const error = await errorOf(415, await post({ authorization, 'content-type': type }));
      assert.equal(error.code, 'unsupported_content_type');
    }
    const noBoundary = await errorOf(
      400,
      await post({ authorization, 'content-type': 'multipart/form-data' }),
    );
    assert.equal(noBoundary.code, 'invalid_body');
    const torn = body.subarray(0, body.length - 40);
    const cut = await fetch(`${app.origin}/v1/ocr`, {
      method: 'POST',
      headers: { authorization, 'content-type': contentType },
      body: new Uint8Array(torn),
    });
    assert.equal((await errorOf(400, cut)).code, 'invalid_body');
    assert.equal(upstream.received.length, 0);
  });
});

describe('the size of a picture to read', { timeout: 30_000 }, () => {
  for (const [where, order] of [
    ['behind the model', (file: FormPart) => [MODEL, file]],
    ['before the model', (file: FormPart) => [file, MODEL]],
  ] as const) {
    test(`may be 20 MiB and not a byte more: ${where}`, async (t) => {
      const { app, upstream } = await startOcr(t);
      const largest = pictureOf('image/jpeg', LIMIT_BYTES);
      await expectStatus(200, await postForm(app, order(fileOf(largest))));
      assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(largest));
      const larger = pictureOf('image/jpeg', LIMIT_BYTES + 1);
      const error = await errorOf(400, await postForm(app, order(fileOf(larger))));
      assert.deepEqual(error, {
        message: 'Image size (20.1MB) exceeds maximum allowed size (20MB)',
        type: 'invalid_request_error',
        param: 'file',
        code: 'image_validation_failed',
      });
      assert.equal(upstream.received.length, 1);
    });
  }
});
