/** What a file is, by its first bytes, and what a message may carry. Has no DOM. */

/** @typedef {'image' | 'audio' | 'pdf' | 'text'} FileKind */
/** @typedef {{ kind: FileKind, type: string }} FileType `type` is the true media type */

const MB = 1024 * 1024;
/** The largest file of each kind, in bytes, before an image is scaled. */
export const MAX_BYTES = { image: 30 * MB, audio: 25 * MB, pdf: 20 * MB, text: 512 * 1024 };
/** All files of a message: as base64 they fit into the default MAX_BODY_MB of 50. */
export const MAX_TOTAL_BYTES = 30 * MB;
export const MAX_FILES = 20;
/** How much of a file `detectFile` needs. */
export const HEAD_BYTES = 4096;

/**
 * Signatures in hexadecimal (PNG 5.2; JPEG SOI and marker; GIF89a; RIFF; PDF 7.5.2; ID3v2; MPEG frame sync; Ogg; FLAC; ISO
 * base media; EBML).
 * @type {readonly (readonly [FileKind, string, RegExp])[]}
 */
const SIGNATURES = [
  ['image', 'image/png', /^89504e470d0a1a0a/],
  ['image', 'image/jpeg', /^ffd8ff/],
  ['image', 'image/gif', /^474946383[79]61/],
  ['image', 'image/webp', /^52494646.{8}57454250/],
  ['pdf', 'application/pdf', /^255044462d/],
  ['audio', 'audio/wav', /^52494646.{8}57415645/],
  ['audio', 'audio/mpeg', /^(494433|ff[ef][23ab])/],
  ['audio', 'audio/ogg', /^4f676753/],
  ['audio', 'audio/flac', /^664c6143/],
  ['audio', 'audio/mp4', /^.{8}66747970/],
  ['audio', 'audio/webm', /^1a45dfa3/],
];

/**
 * Finds what a file is; null for a file that is neither text nor of a known format.
 * @param {Uint8Array} head the first bytes of the file, `HEAD_BYTES` are enough
 * @returns {FileType | null}
 */
export function detectFile(head) {
  const start = Array.from(head.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const found = SIGNATURES.find(([, , signature]) => signature.test(start));
  if (found) return { kind: found[0], type: found[1] };
  return decodeText(head, true) === null ? null : { kind: 'text', type: 'text/plain' };
}

/**
 * Decodes UTF-8, or UTF-16 with a byte order mark; null for anything else.
 * @param {Uint8Array} bytes
 * @param {boolean} [isCut] the last character may be incomplete
 * @returns {string | null} without the byte order mark, with LF line ends
 */
export function decodeText(bytes, isCut = false) {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  const decoder = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true });
  try {
    const text = decoder.decode(bytes, { stream: isCut });
    return text.includes('\0') ? null : text.replace(/\r\n?/g, '\n');
  } catch {
    return null;
  }
}

const MAX_NAME_CHARS = 100;
/** Control characters, marks that change the direction of text, and characters without a width. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A file name that can be shown and sent: without folders and unseen characters, at most 100 characters long. The
 * extension stays.
 * @param {string} name
 * @returns {string}
 */
export function toPlainName(name) {
  const base = name.slice(-4096).split(/[\\/]/).at(-1) ?? '';
  const seen = base.replace(UNSEEN, '').replace(/\s+/g, ' ').trim();
  const characters = [...seen];
  if (characters.length === 0) return 'file';
  if (characters.length <= MAX_NAME_CHARS) return seen;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(seen)?.[0] ?? '';
  return `${characters.slice(0, MAX_NAME_CHARS - extension.length - 1).join('')}…${extension}`;
}
