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
  const url = URL.createObjectURL(await response.blob());
  h('a', { href: url, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
