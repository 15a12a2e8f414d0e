import { raw, toApiError } from './api.js';
import { h } from './h.js';

/**
 * Saves an answer of the API as a file.
 * @param {string} path
 * @param {string} fileName
 * @throws {import('./api.js').ApiError}
 */
export async function downloadFrom(path, fileName) {
  const response = await raw(path);
  if (!response.ok) throw await toApiError(response);
  saveBlob(await response.blob(), fileName);
}

/**
 * Saves bytes of the page as a file.
 * @param {Blob} blob
 * @param {string} fileName
 */
export function saveBlob(blob, fileName) {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
