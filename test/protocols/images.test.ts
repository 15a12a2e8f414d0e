import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { checkImage, imageTooLarge, sniffImage } from '../../src/protocols/images.ts';

const SAMPLES: Readonly<Record<string, Buffer>> = {
  'image/png': Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
  'image/jpeg': Buffer.from('\xff\xd8\xff\xe0', 'latin1'),
  'image/gif': Buffer.from('GIF89a'),
  'image/webp': Buffer.from('RIFF\n\n\0\0WEBPVP8 ', 'latin1'),
};

function isImageError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HttpError);
    assert.match(error.message, message);
    assert.deepEqual(
      { status: error.status, code: error.error.code, param: error.error.param },
      { status: 400, code: 'image_validation_failed', param: 'image' },
    );
    return true;
  };
}

describe('sniffImage()', () => {
  for (const [type, head] of Object.entries(SAMPLES)) {
    it(`recognises ${type}, and nothing shorter or different`, () => {
      assert.equal(sniffImage(head), type);
      assert.equal(sniffImage(Buffer.concat([head, Buffer.alloc(99)])), type);
      assert.equal(sniffImage(head.subarray(0, 2)), null);
      assert.equal(sniffImage(Buffer.concat([Buffer.from(' '), head])), null);
    });
  }
  it('recognises GIF87a', () => assert.equal(sniffImage(Buffer.from('GIF87a')), 'image/gif'));
  it('does not mistake WAV audio for WebP', () =>
    assert.equal(sniffImage(Buffer.from('RIFF\0\0\0\0WAVE')), null));
});

describe('checkImage()', () => {
  const png = SAMPLES['image/png'] ?? Buffer.alloc(0);
  it('accepts exactly 20 MiB and not one byte more', () => {
    assert.equal(checkImage(png, 20_971_520, 'image'), 'image/png');
    assert.throws(
      () => checkImage(png, 20_971_521, 'image'),
      isImageError(/^Image size \(20\.1MB\) exceeds maximum allowed size \(20MB\)$/),
    );
  });
  const refused: [string, Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(0), /empty/],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), /SVG/],
    ['XML', Buffer.from('<?xml version="1.0"?>'), /SVG/],
    ['PDF', Buffer.from('%PDF-1.7'), /PDF/],
    ['BMP', Buffer.from('BM\0\0'), /BMP/],
    ['TIFF', Buffer.from('II*\0'), /TIFF/],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic'), /HEIC/],
    ['text', Buffer.from('hello'), /no known format.*PNG, JPEG, WebP or GIF/],
  ];
  for (const [what, head, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(() => checkImage(head, head.length, 'image'), isImageError(message)));
  }
});

describe('imageTooLarge()', () => {
  for (const [bytes, size] of [
    [26_528_973, '25.4'],
    [26_528_972, '25.3'],
    [26_424_116, '25.3'],
    [26_424_115, '25.2'],
    [27_262_976, '26.0'],
    [104_857_600, '100.0'],
  ] as const) {
    it(`says ${size}MB for ${bytes} bytes`, () => {
      assert.equal(
        imageTooLarge(bytes, 'image').message,
        `Image size (${size}MB) exceeds maximum allowed size (20MB)`,
      );
    });
  }
});
