import { endianness } from 'node:os';

const IS_BIG_ENDIAN = endianness() === 'BE';

/** Encodes numbers as base64 of little-endian float32; null if a value is not a number or too large for float32. */
export function floatsToBase64(values: readonly unknown[]): string | null {
  const floats = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== 'number') return null;
    floats[at] = value;
    if (!Number.isFinite(floats[at])) return null;
  }
  return inLittleEndian(Buffer.from(floats.buffer)).toString('base64');
}

/** Decodes base64 of little-endian float32, including infinities and NaN; null for any other text. */
export function base64ToFloats(text: string): Float32Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 === 1) return null;
  if (text.endsWith('=') && text.length % 4 !== 0) return null;
  // Copied because the bytes of a pooled buffer may not be aligned for float32.
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  if (bytes.length % 4 !== 0) return null;
  return new Float32Array(inLittleEndian(Buffer.from(bytes.buffer)).buffer);
}

function inLittleEndian(bytes: Buffer): Buffer {
  return IS_BIG_ENDIAN ? bytes.swap32() : bytes;
}
