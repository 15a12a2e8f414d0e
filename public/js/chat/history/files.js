/** The files of messages, kept apart from the texts and under a cap: files are refused, texts are never given up for them. */
import { bytes } from '../../lib/format.js';
import { HistoryError } from './history-error.js';
import { createId } from './records.js';

/** @typedef {import('./types.js').Transaction} Transaction */

const MB = 1024 * 1024;
/** All files of an account together. */
const MAX_FILE_BYTES = 50 * MB;
const TOTAL_ID = 'files';

/** Types that a browser shows without running anything in them. Files of other types are only bytes. */
const SHOWN_TYPE =
  /^(image\/(png|jpeg|gif|webp|avif|bmp)|audio\/[\w.+-]+|video\/[\w.+-]+|application\/(pdf|json)|text\/(plain|markdown|csv))$/;

/**
 * A type under which a file may be shown; without parameters.
 * @param {string} type such as `text/plain;charset=utf-8`
 */
function safeType(type) {
  const plain = type.split(';')[0].trim().toLowerCase();
  return SHOWN_TYPE.test(plain) ? plain : 'application/octet-stream';
}

/**
 * The stores that `keepFile` and `removeFiles` need.
 * @type {readonly import('./types.js').StoreName[]}
 */
export const FILE_STORES = ['blobs', 'totals'];

/**
 * @param {Transaction} transaction with FILE_STORES
 * @param {{ id: string, chatId: string, blob: Blob, name: string }} file
 * @throws {HistoryError} `file-too-large`, `files-full`
 */
export async function keepFile(transaction, { id, chatId, blob, name }) {
  const before = await countFileBytes(transaction);
  checkRoom({ name, size: blob.size, before });
  const harmless = new Blob([blob], { type: safeType(blob.type) });
  await transaction.put('blobs', { id, chatId, blob: harmless });
  await transaction.put('totals', total(before + blob.size));
}

/**
 * @param {Transaction} transaction with FILE_STORES
 * @param {string} chatId
 */
export async function removeFiles(transaction, chatId) {
  const records = await transaction.withChat('blobs', chatId);
  if (records.length === 0) return;
  const removed = records.reduce((sum, { blob }) => sum + blob.size, 0);
  for (const { id } of records) await transaction.remove('blobs', id);
  await transaction.put('totals', total(Math.max(0, (await countFileBytes(transaction)) - removed)));
}

/**
 * @param {Transaction} transaction with `totals`
 * @returns {Promise<number>}
 */
export async function countFileBytes(transaction) {
  return (await transaction.get('totals', TOTAL_ID))?.bytes ?? 0;
}

/** @param {number} sum */
function total(sum) {
  return { id: TOTAL_ID, bytes: sum };
}

/** @param {{ name: string, size: number, before: number }} file */
function checkRoom({ name, size, before }) {
  const most = `${MAX_FILE_BYTES / MB} MB`;
  if (size > MAX_FILE_BYTES) {
    const text = `“${name}” is not kept in the history: it has ${bytes(size)}, the limit is ${most}.`;
    throw new HistoryError('file-too-large', text);
  }
  if (before + size <= MAX_FILE_BYTES) return;
  const text = `“${name}” is not kept in the history: the files of your chats take ${bytes(before)} of ${most}. Delete chats with files to make room.`;
  throw new HistoryError('files-full', text);
}

/**
 * Takes the file out of an attachment that is not stored yet.
 * @param {import('./types.js').Attachment} attachment
 * @returns {{ attachment: import('./types.js').Attachment, blob: Blob | null }} the attachment with the id for the blob
 */
export function takeOutFile({ blobId = null, dataUrl, name, type, size }) {
  const blob = blobId !== null || dataUrl === undefined ? null : fromDataUrl(dataUrl);
  if (blob === null) return { attachment: { blobId, name, type, size }, blob };
  return { attachment: { blobId: createId(), name, type, size: blob.size }, blob };
}

/**
 * The bytes of a data URL with base64 (RFC 2397).
 * @param {string} url
 * @returns {Blob | null} null for other URLs, and for what is not base64
 */
function fromDataUrl(url) {
  const comma = url.indexOf(',');
  const head = /^data:([^,]{0,200});base64$/i.exec(url.slice(0, Math.max(comma, 0)));
  if (head === null) return null;
  try {
    const text = atob(url.slice(comma + 1));
    return new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: head[1] });
  } catch {
    return null;
  }
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>} a data URL with base64
 */
export function toDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
