import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { splice } from '../../src/json/splice.ts';
import { checkImageUrl, type ImageUrlCheck } from '../../src/protocols/image-url.ts';

const PNG = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\xfb\xef\xbe\xff\xfe', 'latin1');
const JPEG = Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF', 'latin1');
const PARAM = 'messages.0.content.1.image_url.url';

interface Checked {
  readonly check: ImageUrlCheck;
  /** The URL as a receiver of the patched body reads it. */
  readonly url: string;
}

/** Checks a JSON string literal inside a body. */
async function checkLiteral(literal: string, isQuoted = true): Promise<Checked> {
  const before = '{"image_url":';
  const body = Buffer.from(`${before}${literal},"x":"y"}`);
  const inset = isQuoted ? 0 : 1;
  const span = { start: before.length + inset, end: before.length + Buffer.byteLength(literal) - inset };
  const check = await checkImageUrl(body, span, PARAM);
  const patched = splice(body, check.kind === 'data' ? check.patches : []);
  const sent = JSON.parse(Buffer.concat(patched).toString());
  assert.equal(sent.x, 'y');
  return { check, url: sent.image_url };
}

const checkUrl = (url: string): Promise<Checked> => checkLiteral(JSON.stringify(url));

function imageError(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof HttpError &&
    error.error.code === 'image_validation_failed' &&
    error.error.param === PARAM &&
    message.test(error.message);
}

describe('checkImageUrl() of other URLs', () => {
  for (const url of [
    'https://example.com/a.jpg',
    'HTTP://Example.com',
    'http://169.254.169.254/x',
    'http://[::1]:1/',
    `https://e.com/${'a'.repeat(5000)}`,
  ]) {
    it(`passes ${url.slice(0, 60)} unseen`, async () => {
      assert.deepEqual(await checkUrl(url), { check: { kind: 'url' }, url });
    });
  }
  it('reads escapes', async () => {
    assert.deepEqual((await checkLiteral('"https:\\/\\/example.com\\/a"')).check, { kind: 'url' });
    assert.deepEqual((await checkLiteral('"\\u0068ttps://example.com"')).check, { kind: 'url' });
  });
  const refused = [
    '',
    ' ',
    'file:///etc/passwd',
    'ftp://e.com/a',
    'javascript:alert(1)',
    'https:',
    'https://',
    'http:///x',
    'httpsx://e.com',
    '//e.com/a',
    '/a.png',
    'gs://b/a',
    PNG.toString('base64'),
    'blob:https://e.com/1',
  ];
  for (const url of refused) {
    it(`refuses ${JSON.stringify(url)}`, async () => {
      await assert.rejects(checkUrl(url), imageError(/must begin with https/));
    });
  }
});

describe('checkImageUrl() of data URLs', () => {
  const base64 = PNG.toString('base64');
  const canonical = `data:image/png;base64,${base64}`;
  const data = { kind: 'data', mediaType: 'image/png', decodedBytes: PNG.length };

  it('leaves a canonical URL unchanged, with or without quotes in the span', async () => {
    const expected = { check: { ...data, patches: [] }, url: canonical };
    assert.deepEqual(await checkUrl(canonical), expected);
    assert.deepEqual(await checkLiteral(JSON.stringify(canonical), false), expected);
  });

  it('leaves equivalent escapes unchanged', async () => {
    const literal = JSON.stringify(canonical)
      .replaceAll('/', '\\/')
      .replaceAll('+', '\\u002B')
      .replace(',', '\\u002c');
    assert.deepEqual(await checkLiteral(literal), { check: { ...data, patches: [] }, url: canonical });
  });

  const mended: [string, string][] = [
    ['letter case', `DATA:Image/PNG;Base64,${base64}`],
    ['a wrong label', `data:image/jpeg;base64,${base64}`],
    ['image/jpg', `data:image/jpg;base64,${base64}`],
    ['no label', `data:;base64,${base64}`],
    ['application/octet-stream', `data:application/octet-stream;base64,${base64}`],
    ['parameters', `data:image/png;charset=utf-8;name=ü.png;base64,${base64}`],
    ['white space around', `  data: image/png ; base64 ,${base64} \n`],
    ['lines', `data:image/png;base64,\r\n${base64.replace(/.{8}/g, '$&\r\n')}`],
    ['other spaces', `data:image/png;base64,${base64.replace(/.{12}/g, '$&\t\f ')}`],
    ['the alphabet of URLs', `data:image/png;base64,${PNG.toString('base64url')}`],
    ['missing padding', canonical.replace(/=+$/, '')],
    ['space within the padding', `${canonical.replace(/=+$/, '')}= =`],
  ];
  for (const [what, url] of mended) {
    it(`corrects ${what}`, async () => {
      const { check, url: sent } = await checkUrl(url);
      assert.equal(sent, canonical);
      assert.ok(check.kind === 'data' && check.patches.length > 0);
      assert.deepEqual({ ...check, patches: [] }, { ...data, patches: [] });
    });
  }

  it('patches only the label if only the label is wrong', async () => {
    const { check, url } = await checkUrl(`data:image/png;base64,${JPEG.toString('base64')}`);
    assert.equal(url, `data:image/jpeg;base64,${JPEG.toString('base64')}`);
    assert.ok(
      check.kind === 'data' && check.patches.length === 1 && (check.patches[0]?.bytes.length ?? 99) < 30,
    );
  });

  const refused: [string, string, RegExp][] = [
    ['no base64', 'data:image/svg+xml,<svg/>', /must hold base64/],
    ['no comma', 'data:image/png;base64', /must hold base64/],
    ['an endless label', `data:image/png;${'x'.repeat(2000)};base64,${base64}`, /must hold base64/],
    ['a base64 that is not last', `data:image/png;base64;x=y,${base64}`, /must hold base64/],
    ['an SVG', `data:image/svg+xml;base64,${Buffer.from('<svg>').toString('base64')}`, /SVG/],
    [
      'a PNG by its label only',
      `data:image/png;base64,${Buffer.from('hello world!').toString('base64')}`,
      /no known format/,
    ],
    ['nothing', 'data:image/png;base64,', /empty/],
    ['white space', 'data:image/png;base64,  ', /empty/],
    ['an example', 'data:image/png;base64,iVBORw0KGgo...', /not valid base64/],
    ['percent escapes', `data:image/png;base64,${base64.replaceAll('=', '%3D')}`, /not valid base64/],
    ['one letter too many', `data:image/png;base64,${base64.replace(/=+$/, '')}AAA`, /not valid base64/],
    ['padding in between', `data:image/png;base64,QQ==${base64}`, /not valid base64/],
    ['too much padding', `data:image/png;base64,${base64}=`, /not valid base64/],
    ['padding that is too short', `${canonical.replace(/=+$/, '')}=`, /not valid base64/],
    [
      'letters that look alike by their low byte',
      `data:image/png;base64,${base64.replace('i', '\u0169')}`,
      /not valid base64/,
    ],
    ['a NUL', `data:image/png;base64,${base64.slice(0, 8)}\0${base64.slice(8)}`, /not valid base64/],
    ['a quote', `data:image/png;base64,${base64.slice(0, 8)}"\\`, /not valid base64/],
  ];
  for (const [what, url, message] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(checkUrl(url), imageError(message));
    });
  }
});

describe('checkImageUrl() of large data', () => {
  const image = (size: number): Buffer => Buffer.concat([PNG, Buffer.alloc(size - PNG.length, 0xa5)]);

  it('accepts exactly 20 MiB', async () => {
    const { check } = await checkUrl(`data:image/png;base64,${image(20_971_520).toString('base64')}`);
    assert.deepEqual(check, { kind: 'data', mediaType: 'image/png', decodedBytes: 20_971_520, patches: [] });
  });
  it('refuses one more byte, and states the size', async () => {
    const url = (size: number): string => `data:image/png;base64,${image(size).toString('base64')}`;
    await assert.rejects(
      checkUrl(url(20_971_521)),
      imageError(/^Image size \(20\.1MB\) exceeds maximum allowed size \(20MB\)$/),
    );
    await assert.rejects(checkUrl(url(26_500_000)), imageError(/^Image size \(25\.3MB\) /));
  });

  it('finds an error in any slice', async () => {
    const text = image(300_000).toString('base64');
    for (const at of [16, 65_535, 65_536, 65_537, 200_001, text.length - 1]) {
      await assert.rejects(
        checkUrl(`data:image/png;base64,${text.slice(0, at)}!${text.slice(at + 1)}`),
        imageError(/base64/),
      );
    }
  });

  it('reads escapes across the end of a slice', async () => {
    const text = image(80_000).toString('base64');
    for (let at = 65_526; at <= 65_540; at++) {
      const code = text.charCodeAt(at).toString(16).padStart(4, '0');
      const { check } = await checkLiteral(
        `"data:image/png;base64,${text.slice(0, at)}\\u${code}${text.slice(at + 1)}"`,
      );
      assert.equal(check.kind === 'data' && check.decodedBytes, 80_000, `at ${at}`);
    }
  });

  it('refuses an escape whose low byte is a letter', async () => {
    const literal = JSON.stringify(`data:image/png;base64,${PNG.toString('base64')}`);
    await assert.rejects(checkLiteral(literal.replace('iVBOR', '\\u0169VBOR')), imageError(/base64/));
  });

  it('refuses data that is mostly white space', async () => {
    const text = image(300_000).toString('base64').replace(/./g, '$& ');
    await assert.rejects(checkUrl(`data:image/png;base64,${text}`), imageError(/base64/));
  });

  it('reads and corrects any spelling of any data, wherever the slices end', async () => {
    const spelling = fc.record({
      size: fc.integer({ min: PNG.length, max: 200_000 }),
      isUrlSafe: fc.boolean(),
      isPadded: fc.boolean(),
      line: fc.constantFrom(0, 64, 76, 1000),
      slash: fc.constantFrom('/', '\\/', '\\u002f'),
      plus: fc.constantFrom('+', '\\u002B'),
    });
    const property = fc.asyncProperty(spelling, async ({ size, isUrlSafe, isPadded, line, slash, plus }) => {
      const bytes = Buffer.concat([
        PNG,
        Buffer.from(Array.from({ length: size - PNG.length }, (_, at) => (at * at) >> 3)),
      ]);
      const canonical = bytes.toString('base64');
      let text = isUrlSafe ? bytes.toString('base64url') : canonical;
      if (!isPadded) text = text.replace(/=+$/, '');
      if (line > 0) text = text.replace(new RegExp(`.{${line}}`, 'g'), '$&\\r\\n');
      text = text.replaceAll('/', slash).replaceAll('+', plus);
      const { check, url } = await checkLiteral(`"data:image/png;base64,${text}"`);
      assert.equal(url, `data:image/png;base64,${canonical}`);
      assert.equal(check.kind === 'data' && check.decodedBytes, size);
    });
    await fc.assert(property, { numRuns: process.env['IPIN_LONG'] === '1' ? 1000 : 40 });
  });
});
