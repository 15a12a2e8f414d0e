/** Parses Markdown that grows. Only the last blocks are parsed again, so that the time is proportional to the length. */
import { parsePlacedBlocks } from './blocks.js';

/** @typedef {import('./blocks.js').Block} Block */

/**
 * Parses a text that arrives in pieces. The line after a block can still change the block (a paragraph becomes a table
 * header, for example), so a block is settled only when two more whole lines have arrived after its end.
 * @returns {{ push(text: string): void, take(): { settled: Block[], open: Block[] }, end(): Block[] }} `take` returns the
 *   blocks settled since the last call, and the open ones, which may change; `end` returns the last blocks
 */
export function createBlockStream() {
  let tail = '';
  let hasCr = false;

  /** @param {string} text */
  function push(text) {
    const joined = hasCr ? `\r${text}` : text;
    hasCr = joined.endsWith('\r');
    tail += (hasCr ? joined.slice(0, -1) : joined).replace(/\r\n?/g, '\n');
  }

  return {
    push,
    take() {
      const placed = parsePlacedBlocks(tail);
      const lastLine = countLines(tail);
      let kept = placed.length - 1;
      while (kept > 0 && (placed[kept]?.line ?? 0) + 1 >= lastLine) kept -= 1;
      if (kept <= 0) return { settled: [], open: placed.map((b) => b.block) };
      tail = tail.slice(lineStart(tail, placed[kept]?.line ?? 0));
      const blocks = placed.map((b) => b.block);
      return { settled: blocks.slice(0, kept), open: blocks.slice(kept) };
    },
    end() {
      if (hasCr) tail += '\n';
      hasCr = false;
      const blocks = parsePlacedBlocks(tail).map((b) => b.block);
      tail = '';
      return blocks;
    },
  };
}

/**
 * The number of line ends, which equals the index of the last line.
 * @param {string} text
 */
function countLines(text) {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/**
 * @param {string} text
 * @param {number} line
 */
function lineStart(text, line) {
  let at = 0;
  for (let i = 0; i < line; i += 1) at = text.indexOf('\n', at) + 1;
  return at;
}
