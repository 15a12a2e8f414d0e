import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_PER_PIXEL = 8;
const PALETTE_COLOUR = 3;
const COLOURS = 256;

/**
 * Draws a picture from a seed: a gradient from one colour at the top to another at the bottom, as a PNG (PNG third
 * edition). The same seed and size, in pixels, give the same bytes.
 */
export function drawPicture(seed: string, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([BITS_PER_PIXEL, PALETTE_COLOUR], 8);
  // Each row starts with its filter type; zero means none.
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y += 1) {
    const start = y * (width + 1) + 1;
    rows.fill(Math.floor((y * COLOURS) / height), start, start + width);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette(seed)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Red, green and blue of each colour between two that the seed decides. */
function palette(seed: string): Buffer {
  const digest = createHash('sha256').update(seed).digest();
  const top = digest.subarray(0, 3);
  const bottom = digest.subarray(3, 6);
  const mixed = (share: number): number[] =>
    [...top].map((value, at) => Math.round(value + share * ((bottom[at] ?? 0) - value)));
  return Buffer.from(Array.from({ length: COLOURS }, (_, index) => mixed(index / (COLOURS - 1))).flat());
}

function chunk(type: string, data: Buffer): Buffer {
  const framed = Buffer.alloc(12 + data.length);
  framed.writeUInt32BE(data.length, 0);
  framed.write(type, 4, 'latin1');
  framed.set(data, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, 8 + data.length)), 8 + data.length);
  return framed;
}

/** The CRC of PNG's annex D; the oldest Node that is supported has no `zlib.crc32`. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
