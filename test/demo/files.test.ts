import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describeImage } from '../../src/demo/attachments.ts';
import { readImage } from '../../src/demo/image-facts.ts';
import { paintMosaic } from '../../src/demo/mosaic.ts';
import { writePng } from '../../src/demo/png.ts';
import { readPngTexts } from '../../src/demo/png-texts.ts';
import { toPieces } from '../../src/demo/tokens.ts';
import { transcribe } from '../../src/demo/transcript.ts';
import { readWav, writeWav } from '../../src/demo/wav.ts';

const RUNS = { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 300 };

function pngChunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
}

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
        const bytes = Buffer.concat([Buffer.from(start, 'hex'), rest]);
        describeImage(bytes);
        readPngTexts(bytes);
      }),
      RUNS,
    );
  });
});

describe('PNG', () => {
  const palette = Uint8Array.from([255, 255, 255, 0, 0, 0]);

  test('is written with right checksums, pixels and description', { skip: crc32 === undefined }, () => {
    const picture = {
      width: 3,
      height: 2,
      pixels: Uint8Array.from([0, 1, 0, 1, 0, 1]),
      palette,
      description: 'Grüße',
    };
    const png = writePng(picture);
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
    assert.deepEqual(types, ['IHDR', 'PLTE', 'iTXt', 'IDAT', 'IEND']);
    assert.deepEqual([...pixels], [0, 0, 1, 0, 0, 1, 0, 1]);
    assert.deepEqual(readImage(png), { type: 'PNG', width: 3, height: 2 });
    assert.deepEqual(readPngTexts(png), ['Grüße']);
  });

  test('texts are read from all three kinds of chunk, and damage is left out', () => {
    const png = Buffer.concat([
      Buffer.from('89504e470d0a1a0a', 'hex'),
      pngChunk('IHDR', Buffer.alloc(13)),
      pngChunk('tEXt', Buffer.from('Comment\0caf\xe9', 'latin1')),
      pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync('packed')])),
      pngChunk('iTXt', Buffer.concat([Buffer.from('Title\0\x01\0en\0Title\0'), deflateSync('日本')])),
      pngChunk('zTXt', Buffer.from('Comment\0\0damaged')),
      pngChunk('zTXt', Buffer.concat([Buffer.from('Bomb\0\0'), deflateSync(Buffer.alloc(1_000_000))])),
      pngChunk('tEXt', Buffer.from('no end of the keyword')),
    ]);
    assert.deepEqual(readPngTexts(png), ['café', 'packed', '日本']);
  });

  test('mosaics are mirrored and never of one colour alone', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const png = paintMosaic({ seed, description: seed, width: 16, height: 16 });
        const idat = png.indexOf('IDAT');
        const rows = inflateSync(png.subarray(idat + 4));
        const first = [...rows.subarray(1, 17)];
        assert.deepEqual(first, [...first].reverse());
        assert.ok(new Set(rows).size > 1);
      }),
      RUNS,
    );
  });
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
        for (const spans of [transcript.segments, transcript.words]) {
          assert.equal(spans[0]?.start, 0);
          assert.equal(spans.at(-1)?.end, 2);
          for (const [index, span] of spans.entries()) assert.equal(span.start, spans[index - 1]?.end ?? 0);
        }
        const squeeze = (value: string): string => value.replace(/\s+/g, '');
        const heard = transcript.segments.map((segment) => segment.text).join(' ');
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
