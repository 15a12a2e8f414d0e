import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describeImage, readImage } from '../../src/demo/describe-image.ts';
import { drawPicture } from '../../src/demo/picture.ts';
import { transcribe } from '../../src/demo/transcriptions.ts';
import { readWav, writeWav } from '../../src/demo/wav.ts';
import { toPieces } from '../../src/demo/words.ts';

const RUNS = { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 300 };

describe('image headers', () => {
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
  for (const [name, bytes, expected] of [
    ['GIF', Buffer.from('GIF87a\x40\x01\xf0\x00', 'latin1'), { type: 'GIF', width: 320, height: 240 }],
    [
      'JPEG with a comment and fill bytes before its frame',
      hex('ffd8 ffe00004abcd ffff fffe0003aa ffc4000311 ffc2000b08 00f0 0140 03'),
      { type: 'JPEG', width: 320, height: 240 },
    ],
    ['JPEG without a frame', hex('ffd8 ffe00004abcd ffd9'), null],
    [
      'lossy WebP',
      hex('52494646 00000000 57454250 56503820 00000000 000000 9d012a 4001 f000'),
      { type: 'WebP', width: 320, height: 240 },
    ],
    [
      'lossless WebP',
      hex('52494646 00000000 57454250 5650384c 00000000 2f 3fc13b00 0000000000'),
      { type: 'WebP', width: 320, height: 240 },
    ],
    [
      'extended WebP',
      hex('52494646 00000000 57454250 56503858 0a000000 00000000 3f0100 ef0000'),
      { type: 'WebP', width: 320, height: 240 },
    ],
    ['something else', Buffer.from('%PDF-1.7'), null],
    ['nothing', Buffer.alloc(0), null],
  ] as const) {
    test(name, () => {
      assert.deepEqual(readImage(bytes), expected);
    });
  }

  test('survive any bytes behind any magic', () => {
    const magic = fc.constantFrom(
      '',
      '89504e470d0a1a0a',
      'ffd8',
      '474946383961',
      '52494646000000005745425056503820',
    );
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
        describeImage(Buffer.concat([Buffer.from(start, 'hex'), rest]));
      }),
      RUNS,
    );
  });
});

test('a picture is a PNG with right checksums and a gradient', { skip: crc32 === undefined }, () => {
  const png = drawPicture('A cat', 3, 2);
  const types: string[] = [];
  let pixels = Buffer.alloc(0);
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)), type);
    if (type === 'IDAT') pixels = inflateSync(png.subarray(at + 8, at + 8 + length));
    types.push(type);
    at += 12 + length;
  }
  assert.deepEqual(types, ['IHDR', 'PLTE', 'IDAT', 'IEND']);
  assert.deepEqual([...pixels], [0, 0, 0, 0, 0, 128, 128, 128]);
  assert.deepEqual(readImage(png), { type: 'PNG', width: 3, height: 2 });
});

describe('WAV', () => {
  test('comes back with duration and comment', () => {
    fc.assert(
      fc.property(
        fc.int16Array({ maxLength: 400 }),
        fc.string({ unit: 'grapheme', maxLength: 50 }),
        (samples, text) => {
          const comment = text.replaceAll('\0', '');
          const facts = readWav(writeWav(samples, 8000, comment));
          assert.deepEqual(facts, { durationSeconds: samples.length / 8000, comment });
        },
      ),
      RUNS,
    );
  });

  test('is read from any bytes without a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const facts = readWav(Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), rest]));
        assert.ok(facts !== null && facts.durationSeconds >= 0);
      }),
      RUNS,
    );
  });

  test('is transcribed into spans that follow each other to its end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
        const comment = text.replaceAll('\0', '').trim();
        const transcript = transcribe(writeWav(new Int16Array(16_000), 8000, comment));
        const segments = transcript.segments ?? [];
        assert.equal(segments[0]?.start, 0);
        assert.equal(segments.at(-1)?.end, 2);
        for (const [index, { start }] of segments.entries())
          assert.equal(start, segments[index - 1]?.end ?? 0);
        const squeeze = (value: string): string => value.replace(/\s+/g, '');
        const heard = segments.map((segment) => segment.text).join(' ');
        assert.equal(squeeze(heard), squeeze(transcript.text));
        if (comment !== '') assert.equal(transcript.text, comment);
      }),
      RUNS,
    );
  });
});

test('toPieces() loses nothing and makes short pieces', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.nat({ max: 60 }), (text, spaces) => {
      const padded = `${text}${' '.repeat(spaces)}${text}`;
      const pieces = toPieces(padded);
      assert.equal(pieces.join(''), padded);
      assert.ok(pieces.every((piece) => [...piece].length <= 22));
    }),
    RUNS,
  );
});
