/** @typedef {'quota' | 'file-too-large' | 'files-full' | 'chat-gone' | 'outdated' | 'bad-file' | 'failed'} HistoryErrorCode */

/** What the history could not do, in words for the person. */
export class HistoryError extends Error {
  /**
   * @param {HistoryErrorCode} code
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = 'HistoryError';
    this.code = code;
  }
}

/**
 * Turns an error of IndexedDB into words for the person (exceptions: W3C Indexed Database API 3.0, section 3).
 * @param {unknown} error
 * @returns {HistoryError}
 */
export function toHistoryError(error) {
  if (error instanceof HistoryError) return error;
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'QuotaExceededError')
    return new HistoryError(
      'quota',
      'This browser has no room left for chats. Export and delete old chats, or free space on the disk.',
      error,
    );
  if (name === 'VersionError')
    return new HistoryError('outdated', 'A newer version of this page is open. Reload the page.', error);
  if (name === 'SecurityError') return noStorage(error);
  const reason = error instanceof Error ? error.message : String(error);
  const end = /[.!?]$/.test(reason) ? '' : '.';
  return new HistoryError('failed', `The chats in this browser cannot be reached: ${reason}${end}`, error);
}

/** Of a browser that lets pages store nothing. @param {unknown} [cause] */
export function noStorage(cause) {
  return new HistoryError(
    'failed',
    'This browser lets pages store nothing, as in some private windows.',
    cause,
  );
}
