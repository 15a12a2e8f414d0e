import zlib from 'node:zlib';

/**
 * The reflected polynomial of CRC-32 as in ISO 3309 and RFC 1952 (gzip) section 8. The table holds the checksum's change for
 * each value of a byte, as in the sample code there.
 */
const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** A running checksum after one more byte. It begins as `CRC_START` and is complete after `finishCrc`. */
export function nextCrc(running: number, byte: number): number {
  return ((TABLE[(running ^ byte) & 0xff] ?? 0) ^ (running >>> 8)) >>> 0;
}

export const CRC_START = 0xffffffff;

/** The checksum of all bytes given to `nextCrc`. */
export function finishCrc(running: number): number {
  return ~running >>> 0;
}

/** CRC-32 of some bytes, from 0 to 2^32 - 1, in JavaScript. */
export function tableCrc32(bytes: Uint8Array): number {
  let running = CRC_START;
  for (let index = 0; index < bytes.length; index++) running = nextCrc(running, bytes[index] ?? 0);
  return finishCrc(running);
}

/** Node has it since 20.15 and 22.2. */
const native: ((bytes: Uint8Array) => number) | undefined = zlib.crc32;

/** CRC-32 of some bytes, from 0 to 2^32 - 1. */
export const crc32: (bytes: Uint8Array) => number = native ?? tableCrc32;
