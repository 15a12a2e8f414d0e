/** Files of a message: read and checked once, then shown, kept and sent. */
import { bytes } from '../../lib/format.js';
import { decodeText, detectFile, HEAD_BYTES, MAX_BYTES, toPlainName } from './file-kinds.js';
import { scaleImage } from './scale-image.js';
import { estimateTokens, toFencedText } from './text-file.js';

/**
 * A file that can be sent. Plain data with a `File`, so that it can be stored in IndexedDB as it is.
 * @typedef {{ name: string, type: string, file: File }} Common `file` has `name` and `type`; `file.size` bytes are sent
 * @typedef {Common & { kind: 'image', width: number, height: number, isScaled: boolean }} ImageAttachment
 * @typedef {Common & { kind: 'text', text: string, tokens: number }} TextAttachment `tokens` is an estimate
 * @typedef {Common & { kind: 'pdf' | 'audio' }} PlainAttachment
 * @typedef {ImageAttachment | TextAttachment | PlainAttachment} Attachment
 */

const KIND_NAMES = { image: 'images', audio: 'audio files', pdf: 'PDF files', text: 'text files' };
/** Formats of `input_audio` (OpenAI, "Create chat completion"). */
const AUDIO_FORMATS = new Map([
  ['audio/wav', 'wav'],
  ['audio/mpeg', 'mp3'],
]);

/**
 * Reads a file after checking what it is and how large it is. Images are scaled down.
 * @param {File} file
 * @returns {Promise<Attachment>}
 * @throws {Error} with a message for people
 */
export async function readAttachment(file) {
  const name = toPlainName(file.name);
  const head = await readBytes(file.slice(0, HEAD_BYTES), name);
  const found = detectFile(head);
  if (!found)
    throw new Error(`“${name}” cannot be attached. Choose an image, a text file, a PDF or an audio file.`);
  const { kind, type } = found;
  const limit = MAX_BYTES[kind];
  if (file.size > limit) {
    const size = bytes(file.size) === bytes(limit) ? `${bytes(file.size)} and a little` : bytes(file.size);
    throw new Error(
      `“${name}” is too large: it has ${size}, the limit for ${KIND_NAMES[kind]} is ${bytes(limit)}.`,
    );
  }
  const typed = new File([file], name, { type });
  if (kind === 'image') {
    const scaled = await scaleImage(typed);
    return { kind, name: scaled.file.name, type: scaled.file.type, ...scaled };
  }
  if (kind !== 'text') return { kind, name, type, file: typed };
  const text = decodeText(await readBytes(file, name));
  if (text === null)
    throw new Error(`“${name}” is not a text in UTF-8. Save it as UTF-8 and attach it again.`);
  return { kind, name, type, file: typed, text, tokens: estimateTokens(text) };
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
async function readBytes(blob, name) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch {
    throw new Error(`“${name}” cannot be read. If it is a folder, attach its files one by one.`);
  }
}

/**
 * The parts of a chat message (OpenAI, "Create chat completion"): text files and the person's text first, then the other
 * files.
 * @param {string} text
 * @param {readonly Attachment[]} attachments
 * @returns {Promise<string | object[]>} a string if there is only text
 */
export async function toMessageContent(text, attachments) {
  const texts = attachments.flatMap((a) => (a.kind === 'text' ? [toFencedText(a.name, a.text)] : []));
  const whole = [...texts, text].filter((part) => part !== '').join('\n\n');
  const others = attachments.filter((a) => a.kind !== 'text');
  if (others.length === 0) return whole;
  const parts = await Promise.all(others.map(toPart));
  return whole === '' ? parts : [{ type: 'text', text: whole }, ...parts];
}

/**
 * @param {Attachment} attachment
 * @returns {Promise<object>}
 */
async function toPart({ kind, name, type, file }) {
  const url = await toDataUrl(file);
  if (kind === 'image') return { type: 'image_url', image_url: { url } };
  const format = AUDIO_FORMATS.get(type);
  if (kind === 'audio' && format) {
    return { type: 'input_audio', input_audio: { data: url.slice(url.indexOf(',') + 1), format } };
  }
  return { type: 'file', file: { filename: name, file_data: url } };
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function toDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('A file cannot be read any more. Attach it again.'));
    reader.readAsDataURL(blob);
  });
}
