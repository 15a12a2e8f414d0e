/** Parses Markdown that arrives in pieces. Each line is parsed once; only an unfinished line is parsed again. */
import { BlockParser } from './blocks.js';

/** @typedef {import('./blocks.js').Block} Block */

/** Longer lines are parsed in parts of this many characters, so that the last part stays short. */
const MAX_LINE_CHARS = 8192;
/** How far the end of a part is moved to leave spaces to the next part: a space at the end of a line is dropped. */
const MAX_MOVED_CHARS = 64;

/**
 * @typedef {{ readonly blocks: readonly Block[], push(text: string): void, close(): void, read(maxChars?: number): number }} BlockStream
 *   push: adds text, which `read` parses, up to about so many characters; `read` returns how many are left; close: no text
 *   follows. The blocks are those of the text that was read. A block stays the same object, and only the last
 *   block of each parent can change or be replaced.
 */

/** @returns {BlockStream} */
export function createBlockStream() {
  const parser = new BlockParser();
  let pending = '';
  let hasCr = false;
  let isContinued = false;
  /** Takes back the unfinished line. @type {(() => void) | null} */
  let takeBack = null;

  /** @param {number} maxChars */
  function read(maxChars = Number.POSITIVE_INFINITY) {
    takeBack?.();
    takeBack = null;
    let at = 0;
    let end = pending.indexOf('\n');
    while (at < maxChars && (end >= 0 || pending.length - at > MAX_LINE_CHARS)) {
      const isWhole = end >= 0 && end - at <= MAX_LINE_CHARS;
      const stop = isWhole ? end : cutBefore(pending, at + MAX_LINE_CHARS);
      parser.feed(pending.slice(at, stop), { isContinued });
      isContinued = !isWhole;
      at = isWhole ? stop + 1 : stop;
      if (isWhole) end = pending.indexOf('\n', at);
    }
    pending = pending.slice(at);
    if (end >= 0 || pending.length > MAX_LINE_CHARS) return pending.length;
    if (pending !== '') {
      takeBack = parser.save();
      parser.feed(pending, { isContinued, isLast: true });
    }
    return 0;
  }

  return {
    blocks: parser.blocks,
    push(text) {
      const joined = hasCr ? `\r${text}` : text;
      hasCr = joined.endsWith('\r');
      pending += (hasCr ? joined.slice(0, -1) : joined).replace(/\r\n?/g, '\n');
    },
    read,
    close() {
      if (hasCr) pending += '\n';
      hasCr = false;
    },
  };
}

/**
 * The end of a part: not within a surrogate pair, and before the spaces there.
 * @param {string} text
 * @param {number} at
 */
function cutBefore(text, at) {
  const isPair = /[\ud800-\udbff]/.test(text.charAt(at - 1));
  let end = isPair ? at - 1 : at;
  while (end > at - MAX_MOVED_CHARS && /\s/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

/**
 * Parses a whole text with any line ends. Never throws.
 * @param {string} text
 * @returns {readonly Block[]}
 */
export function parseBlocks(text) {
  const stream = createBlockStream();
  stream.push(text);
  stream.close();
  stream.read();
  return stream.blocks;
}
