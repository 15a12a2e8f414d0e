import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GIF, JPEG, PNG, WEBP } from '../browser/chat-samples.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}
interface Modules {
  readonly detectFile: (head: Uint8Array) => { kind: string; type: string } | null;
  readonly decodeText: (bytes: Uint8Array, isCut?: boolean) => string | null;
  readonly toPlainName: (name: string) => string;
  readonly estimateTokens: (text: string) => number;
  readonly toFencedText: (name: string, text: string) => string;
  readonly readImageSize: (bytes: Uint8Array) => Size | null;
  readonly fitInto: (size: Size, longSide: number) => Size;
  readonly parseBlocks: (text: string) => { type: string; text?: string; info?: string }[];
}

const folder = new URL('../../public/js/chat/', import.meta.url);
const names = ['files/file-kinds.js', 'files/text-file.js', 'files/image-size.js', 'render/block-stream.js'];
const modules: Modules = Object.assign(
  {},
  ...(await Promise.all(names.map((name) => import(new URL(name, folder).href)))),
);
const { detectFile, decodeText, toPlainName, estimateTokens, toFencedText, readImageSize, fitInto } = modules;
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

const KINDS: readonly [what: string, head: Uint8Array, kind: string | null][] = [
  ['PNG', PNG.buffer, 'image/png'],
  ['JPEG', JPEG.buffer, 'image/jpeg'],
  ['GIF', GIF.buffer, 'image/gif'],
  ['WebP', WEBP.buffer, 'image/webp'],
  ['PDF', bytes('%PDF-1.7\n'), 'application/pdf'],
  ['WAV', bytes('RIFF', [1, 2, 3, 4], 'WAVEfmt '), 'audio/wav'],
  ['MP3 with a title', bytes('ID3', [4, 0]), 'audio/mpeg'],
  ['MP3', bytes([0xff, 0xfb, 0x90, 0]), 'audio/mpeg'],
  ['Ogg', bytes('OggS', [0]), 'audio/ogg'],
  ['FLAC', bytes('fLaC', [0]), 'audio/flac'],
  ['M4A', bytes([0, 0, 0, 32], 'ftypM4A '), 'audio/mp4'],
  ['WebM', bytes([0x1a, 0x45, 0xdf, 0xa3]), 'audio/webm'],
  ['text', Buffer.from('Grüße, 你好 😀\n'), 'text/plain'],
  ['an SVG is text', Buffer.from('<svg onload="xss()"/>'), 'text/plain'],
  ['an empty file', bytes(), 'text/plain'],
  ['UTF-16', bytes([0xff, 0xfe], 'a', [0]), 'text/plain'],
  ['a character that is cut', Buffer.from('a😀').subarray(0, 3), 'text/plain'],
  ['an archive', bytes('PK', [3, 4, 0, 0xff]), null],
  ['a program', bytes([0x7f], 'ELF', [2, 1, 1, 0]), null],
  ['Latin-1', bytes([0xe4, 0xf6, 0x20, 0x61]), null],
];
for (const [what, head, type] of KINDS)
  test(`a file is known by its bytes: ${what}`, () => assert.equal(detectFile(head)?.type ?? null, type));

test('text is decoded whole, with LF line ends and without a byte order mark', () => {
  assert.equal(decodeText(Buffer.from('\ufeffa\r\nb\rc')), 'a\nb\nc');
  assert.equal(decodeText(Buffer.from('a😀').subarray(0, 3)), null);
  assert.equal(decodeText(bytes('a', [0], 'b')), null);
});

test('names lose folders, unseen characters and too great a length, never their extension', () => {
  for (const [name, plain] of [
    ['a.png', 'a.png'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\x.txt', 'x.txt'],
    ['cod\u202egnp.exe', 'codgnp.exe'],
    ['a\u0000\n\tb\u200b.md', 'ab.md'],
    [' \u2028 ', 'file'],
    ['', 'file'],
    ['"><img src=x onerror=xss()>.png', '"><img src=x onerror=xss()>.png'],
    [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(94)}….jpeg`],
  ] as const)
    assert.equal(toPlainName(name), plain);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const plain = toPlainName(name);
      assert.ok(plain.length > 0 && [...plain].length <= 101);
      assert.doesNotMatch(plain, /[/\\\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});

test('no text can end the fence that it is sent in', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('`', '```', '\n', '~~~', 'a', ' ', '````\n')), (parts) => {
      const text = parts.join('');
      const [label, code, ...others] = modules.parseBlocks(toFencedText('a`b.py', text));
      assert.deepEqual([label?.type, label?.text, others], ['paragraph', "a'b.py:", []]);
      assert.deepEqual([code?.type, code?.info, code?.text], ['code', 'python', text.replace(/\n$/, '')]);
    }),
  );
});

test('tokens are about four characters, or one that is CJK', () => {
  assert.deepEqual(['', 'abcd', 'abcde', '你好', 'a'.repeat(400)].map(estimateTokens), [0, 1, 2, 2, 100]);
});

/** A header of a WebP file with one chunk. */
const webp = (chunk: string, ...data: number[]): Uint8Array =>
  bytes('RIFF', [0, 0, 0, 0], 'WEBP', chunk, [9, 0, 0, 0], data);
const SIZES: readonly [what: string, head: Uint8Array, size: [number, number] | null][] = [
  ['PNG', PNG.buffer, [1, 1]],
  [
    'a huge PNG',
    bytes([0x89], 'PNG\r\n', [0x1a, 10, 0, 0, 0, 13], 'IHDR', [0, 1, 0, 0, 0, 2, 0, 0]),
    [65536, 131072],
  ],
  ['GIF', GIF.buffer, [1, 1]],
  ['JPEG', JPEG.buffer, [1, 1]],
  [
    'a JPEG with metadata',
    bytes([0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 2, 0xff, 0xff, 0xc2, 0, 11, 8, 1, 0, 2, 0]),
    [512, 256],
  ],
  ['WebP, lossless', WEBP.buffer, [1, 1]],
  ['WebP, extended', webp('VP8X', 0, 0, 0, 0, 0xff, 1, 0, 0xff, 3, 0, 0), [512, 1024]],
  ['WebP, lossy', webp('VP8 ', 0, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0), [320, 240]],
  ['a PNG that is cut', PNG.buffer.subarray(0, 18), null],
  ['a JPEG without a frame', bytes([0xff, 0xd8, 0xff, 0xe0, 0, 2]), null],
  ['an empty file', bytes(), null],
];
for (const [what, head, size] of SIZES)
  test(`the size of an image: ${what}`, () => {
    const found = readImageSize(head);
    assert.deepEqual(found && [found.width, found.height], size);
  });

test('headers of images never make the reader throw or run on', () => {
  const start = fc.constantFrom(PNG.buffer, JPEG.buffer, GIF.buffer, WEBP.buffer);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 60 }), fc.nat(30), (image, noise, keep) => {
      readImageSize(Buffer.concat([image.subarray(0, keep), noise]));
    }),
  );
});

test('images are scaled down, never up, and never to nothing', () => {
  for (const [width, height, ...fitted] of [
    [100, 50, 100, 50],
    [4096, 2048, 2048, 1024],
    [1000, 4096, 500, 2048],
    [1, 100_000, 1, 2048],
  ] as const)
    assert.deepEqual(Object.values(fitInto({ width, height }, 2048)), fitted);
});
