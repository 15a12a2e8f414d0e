import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf, sentBody, startOcr } from '../helpers/picture-server.ts';
import { dataUrl, PICTURE_TYPES, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { expectStatus } from '../helpers/start-app.ts';

const ANSWER = { text: 'Hi', model: 'reader', provider: 'up' };
const PNG = pictureOf('image/png');
const PNG_URL = dataUrl('image/png', PNG);

const SPELLINGS: readonly (readonly [name: string, (url: string) => Record<string, unknown>])[] = [
  ['image_url as a string', (url) => ({ image_url: url })],
  ['image_url as an object', (url) => ({ image_url: { url } })],
  ['image_url with siblings', (url) => ({ image_url: { detail: 'high', url } })],
  ['a document of Mistral’s clients', (url) => ({ document: { type: 'image_url', image_url: url } })],
  ['one with an object', (url) => ({ document: { type: 'image_url', image_url: { url } } })],
  ['one without a type', (url) => ({ document: { image_url: url }, include_image_base64: true, pages: [0] })],
];

describe('JSON to /v1/ocr', { timeout: 30_000 }, () => {
  for (const [name, spelled] of SPELLINGS) {
    test(`with ${name} reaches the upstream as one chat completion with the same bytes`, async (t) => {
      const { app, upstream } = await startOcr(t);
      for (const type of PICTURE_TYPES) {
        const bytes = pictureOf(type, 70_001);
        const answer = await app.v1('ocr', { model: 'reader', ...spelled(dataUrl(type, bytes)) });
        assert.deepEqual(await expectStatus(200, answer), ANSWER);
        const [picture, ...others] = sentPictures(upstream.received.at(-1));
        assert.deepEqual([picture?.mediaType, picture?.digest], [type, sha256(bytes)]);
        assert.deepEqual(others, []);
        const { model, messages, ...settings } = sentBody(upstream);
        assert.equal(model, 'vendor/reader-1');
        assert.ok(Array.isArray(messages) && messages.length === 1);
        assert.deepEqual(Object.keys(settings).sort(), ['max_tokens', 'temperature', 'top_p']);
      }
      assert.ok(upstream.received.every(({ url }) => url === '/v1/chat/completions'));
      assert.equal(upstream.received.length, PICTURE_TYPES.length);
    });
  }

  test('passes an address on, unfetched, and the prompt with it', async (t) => {
    const { app, upstream, other } = await startOcr(t);
    const url = `${other.origin}/scan.png?a=1&b="x"#€`;
    const prompt = 'Only the "total"\n';
    await expectStatus(200, await app.v1('ocr', { model: 'reader', prompt, image_url: url }));
    assert.equal(sentPictures(upstream.received[0])[0]?.url, url);
    assert.ok(JSON.stringify(sentBody(upstream)).includes(JSON.stringify({ type: 'text', text: prompt })));
    assert.equal(other.received.length, 0);
  });

  test('has what is loosely spelled mended', async (t) => {
    const { app, upstream } = await startOcr(t);
    const data = PNG.toString('base64');
    for (const url of [
      `data:image/jpg;base64,${data}`,
      `DATA:;BASE64,${data}`,
      `data:image/png;base64,${PNG.toString('base64url')}`,
      `data:image/png;name=a.png;base64,${data.replace(/.{76}/g, '$&\r\n')}`,
    ]) {
      await expectStatus(200, await app.v1('ocr', { model: 'reader', image_url: url }));
      const [picture] = sentPictures(upstream.received.at(-1));
      assert.deepEqual([picture?.mediaType, picture?.digest], ['image/png', sha256(PNG)], url.slice(0, 40));
    }
  });

  test('takes null and an empty text for a prompt that is not there', async (t) => {
    const { app, upstream } = await startOcr(t);
    await expectStatus(200, await app.v1('ocr', { model: 'reader', image_url: PNG_URL }));
    const usual = upstream.received[0]?.body;
    for (const prompt of [null, '']) {
      await expectStatus(200, await app.v1('ocr', { model: 'reader', image_url: PNG_URL, prompt }));
      assert.deepEqual(upstream.received.at(-1)?.body, usual);
    }
  });
});

type Row = readonly [name: string, body: object, status: number, code: string, param: string | null];
const ROWS: readonly Row[] = [
  ['no model', { image_url: PNG_URL }, 400, 'missing_required_parameter', 'model'],
  ['an unknown model', { model: 'nope', image_url: PNG_URL }, 404, 'model_not_found', 'model'],
  ['a disabled model', { model: 'off', image_url: PNG_URL }, 404, 'model_not_found', 'model'],
  ['a disabled provider', { model: 'shut', image_url: PNG_URL }, 503, 'provider_not_configured', null],
  ['no image', { model: 'reader' }, 400, 'missing_required_parameter', 'image_url'],
  ['null for it', { model: 'reader', image_url: null }, 400, 'missing_required_parameter', 'image_url'],
  ['no url in it', { model: 'reader', image_url: {} }, 400, 'missing_required_parameter', 'image_url'],
  ['a number for it', { model: 'reader', image_url: 7 }, 400, 'missing_required_parameter', 'image_url'],
  [
    'a PDF as Mistral’s clients name it',
    { model: 'reader', document: { type: 'document_url', document_url: 'https://example.com/a.pdf' } },
    400,
    'invalid_value',
    'document',
  ],
  [
    'a document of no known type',
    { model: 'reader', document: { type: 1, image_url: PNG_URL } },
    400,
    'invalid_value',
    'document.type',
  ],
  [
    'a prompt that is no text',
    { model: 'reader', image_url: PNG_URL, prompt: ['a'] },
    400,
    'invalid_value',
    'prompt',
  ],
  [
    'bytes that are no image',
    { model: 'reader', image_url: dataUrl('image/png', Buffer.from('%PDF-1.7 and so on')) },
    400,
    'image_validation_failed',
    'image_url',
  ],
  [
    'broken base64',
    { model: 'reader', image_url: `${PNG_URL.slice(0, 200)}!` },
    400,
    'image_validation_failed',
    'image_url',
  ],
  [
    'a path of a machine',
    { model: 'reader', document: { type: 'image_url', image_url: 'file:///etc/passwd' } },
    400,
    'image_validation_failed',
    'image_url',
  ],
];

describe('JSON to /v1/ocr is refused before any upstream is asked', { timeout: 30_000 }, () => {
  for (const [name, body, status, code, param] of ROWS) {
    test(`for ${name}`, async (t) => {
      const { app, upstream, other } = await startOcr(t);
      const error = await errorOf(status, await app.v1('ocr', body));
      assert.deepEqual([error.code, error.param], [code, param]);
      assert.equal(upstream.received.length + other.received.length, 0);
    });
  }

  test('for a model that the key may not use, even with a bad image', async (t) => {
    const { app, upstream } = await startOcr(t);
    const key = await app.addKey({ models: ['dots-ocr'] });
    const body = { model: 'reader', image_url: 'no image' };
    assert.equal((await errorOf(403, await app.v1('ocr', body, key))).code, 'model_not_allowed');
    assert.equal(upstream.received.length, 0);
    await expectStatus(200, await app.v1('ocr', { model: 'dots-ocr', image_url: PNG_URL }, key));
  });

  test('for what is no JSON, or two models', async (t) => {
    const { app, upstream } = await startOcr(t);
    assert.equal((await errorOf(400, await app.v1('ocr', '{"model":'))).code, 'invalid_json');
    const twice = `{"model":"reader","model":"dots-ocr","image_url":"${PNG_URL}"}`;
    assert.equal((await errorOf(400, await app.v1('ocr', twice))).code, 'invalid_body');
    assert.equal(upstream.received.length, 0);
  });
});
