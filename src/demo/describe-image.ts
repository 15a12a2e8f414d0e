import { sniffImage } from '../protocols/images.ts';
import { shortSha256 } from './call.ts';
import { count } from './words.ts';

/** What the header of an image says. */
export interface ImageHeader {
  readonly type: 'PNG' | 'JPEG' | 'GIF' | 'WebP';
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
}

/** Describes an image by its URL, as part of a sentence: a data URL is decoded, any other URL is never fetched. */
export function describeImageUrl(url: string): string {
  const bytes = decodeDataUrl(url);
  if (bytes !== null) return describeImage(bytes);
  const host = /^https?:\/\/([^/?#]{1,100})/i.exec(url)?.[1] ?? 'an unknown place';
  return `an image at ${host}, which I do not fetch`;
}

/** Describes an image by its bytes: type, size in pixels, size in bytes, checksum. */
export function describeImage(bytes: Buffer): string {
  const header = readImage(bytes);
  const kind =
    header === null
      ? 'an image of a type I do not know'
      : `a ${header.type} image, ${header.width} × ${header.height} pixels`;
  return `${kind}, ${count(bytes.length, 'byte')}, SHA-256 ${shortSha256(bytes, 8)}`;
}

/** Decodes a base64 data URL (RFC 2397); null for every other URL. */
function decodeDataUrl(url: string): Buffer | null {
  const comma = url.indexOf(',');
  const head = url.slice(0, Math.max(0, Math.min(comma, 500)));
  return /^data:.*;base64$/i.test(head) ? Buffer.from(url.slice(comma + 1), 'base64') : null;
}

/** Reads type and size from the first bytes of an image; null for anything else, and for a header that is cut. */
export function readImage(bytes: Buffer): ImageHeader | null {
  const type = sniffImage(bytes.subarray(0, 32));
  if (type === 'image/png' && bytes.length >= 24) {
    return { type: 'PNG', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (type === 'image/gif' && bytes.length >= 10) {
    return { type: 'GIF', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (type === 'image/webp' && bytes.length >= 30) return readWebp(bytes);
  return type === 'image/jpeg' ? readJpeg(bytes) : null;
}

/** Finds the frame header (SOF) among the segments of a JPEG (ITU-T T.81, annex B). */
function readJpeg(bytes: Buffer): ImageHeader | null {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    // Any number of fill bytes may precede a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return { type: 'JPEG', height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/** Reads the three kinds of WebP: lossy, lossless and extended (RFC 9649). */
function readWebp(bytes: Buffer): ImageHeader | null {
  const type = 'WebP';
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { type, width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { type, width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}
