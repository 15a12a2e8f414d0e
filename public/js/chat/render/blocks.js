/**
 * Parses the block structure of Markdown into plain objects. Has no DOM, so it also runs in tests. Follows CommonMark 0.31
 * and the tables and task items of GFM, with two exceptions for the output of language models (see `readItem`). The depth
 * is bounded.
 */
import {
  closesFence,
  HEADING,
  indentOf,
  interrupts,
  isBlank,
  openFence,
  QUOTE,
  RULE,
  readMarker,
  stripIndent,
} from './lines.js';
import { isDelimiterRow, readTable } from './tables.js';

/**
 * @typedef {{ type: 'heading', level: number, text: string } | { type: 'paragraph', text: string }
 *   | { type: 'code', info: string, text: string, isClosed: boolean } | { type: 'quote', blocks: Block[] }
 *   | { type: 'list', start: number | null, isTight: boolean, items: ListItem[] }
 *   | { type: 'table', align: string[], header: string[], rows: string[][] } | { type: 'rule' }} Block
 * @typedef {{ blocks: Block[], isChecked: boolean | null }} ListItem `isChecked` null: not a task
 * @typedef {{ block: Block, line: number }} PlacedBlock `line` counts from 0
 * @typedef {{ block: Block, next: number }} Reading `next` is the first line after the block
 * @typedef {{ lines: string[], at: number, depth: number }} Place
 */

const MAX_DEPTH = 12;
const TASK = /^\[([ xX])\][ \t]+/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readFence({ lines, at }) {
  const fence = openFence(lines[at] ?? '');
  if (!fence) return null;
  const indent = indentOf(lines[at] ?? '');
  let end = at + 1;
  while (end < lines.length && !closesFence(lines[end] ?? '', fence.mark)) end += 1;
  const text = lines.slice(at + 1, end).map((line) => stripIndent(line, indent));
  const isClosed = end < lines.length;
  return {
    block: { type: 'code', info: fence.info, text: text.join('\n'), isClosed },
    next: isClosed ? end + 1 : end,
  };
}

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readIndented({ lines, at }) {
  let end = at;
  let next = at;
  while (next < lines.length && (isBlank(lines[next]) || indentOf(lines[next] ?? '') >= 4)) {
    next += 1;
    if (!isBlank(lines[next - 1])) end = next;
  }
  if (end === at) return null;
  const text = lines.slice(at, end).map((line) => stripIndent(line, 4));
  return { block: { type: 'code', info: '', text: text.join('\n'), isClosed: true }, next: end };
}

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readHeading({ lines, at }) {
  const m = HEADING.exec(lines[at] ?? '');
  if (!m) return null;
  const text = (m[2] ?? '').trim();
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  const hasClosing = end === 0 || /\s/.test(text[end - 1] ?? '');
  const block = {
    type: /** @type {const} */ ('heading'),
    level: (m[1] ?? '').length,
    text: hasClosing ? text.slice(0, end).trimEnd() : text,
  };
  return { block, next: at + 1 };
}

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readQuote({ lines, at, depth }) {
  let end = at;
  while (QUOTE.test(lines[end] ?? '')) end += 1;
  if (end === at) return null;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { block: { type: 'quote', blocks: readLines(inner, depth + 1).map((b) => b.block) }, next: end };
}

/**
 * Reads the lines of one list item. Two exceptions to CommonMark: a marker indented by two columns starts a nested list
 * even if the item's text starts further right, and an open fence continues until it is closed, whatever the indentation.
 * @param {string[]} lines @param {number} at @param {import('./lines.js').Marker} marker
 */
function readItem(lines, at, marker) {
  const inner = [marker.rest];
  const textIndent = marker.indent + marker.width;
  let fence = openFence(marker.rest);
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    const isInside = isBlank(line) || indentOf(line) >= textIndent;
    if (!isInside && !fence) {
      const nested = readMarker(line);
      const isNested = nested !== null && nested.indent >= marker.indent + 2;
      const isLazy = nested === null && !isBlank(lines[next - 1]) && !interrupts(line);
      if (!isNested && !isLazy) break;
    }
    const stripped = stripIndent(line, textIndent);
    if (fence) fence = closesFence(stripped, fence.mark) ? null : fence;
    else fence = openFence(stripped);
    inner.push(stripped);
  }
  let trailing = 0;
  while (inner.length > 1 && isBlank(inner.at(-1))) {
    inner.pop();
    trailing += 1;
  }
  return { inner, next, isFollowedByBlank: trailing > 0 };
}

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readList({ lines, at, depth }) {
  const first = readMarker(lines[at] ?? '');
  if (!first) return null;
  /** @type {ListItem[]} */ const items = [];
  let isTight = true;
  let next = at;
  for (let marker = first; marker?.kind === first.kind; ) {
    const item = readItem(lines, next, marker);
    const task = TASK.exec(item.inner[0] ?? '');
    if (task) item.inner[0] = (item.inner[0] ?? '').slice(task[0].length);
    const placed = readLines(item.inner, depth + 1);
    items.push({ blocks: placed.map((b) => b.block), isChecked: task ? task[1] !== ' ' : null });
    if (placed.some((b) => b.line > 0 && isBlank(item.inner[b.line - 1]))) isTight = false;
    next = item.next;
    const following = readMarker(lines[next] ?? '');
    if (following?.kind !== first.kind) break;
    if (item.isFollowedByBlank) isTight = false;
    marker = following;
  }
  return { block: { type: 'list', start: first.start, isTight, items }, next };
}

/**
 * @param {Place} place
 * @returns {Reading}
 */
function readParagraph({ lines, at, depth }) {
  let end = at + 1;
  for (; end < lines.length && !isBlank(lines[end]); end += 1) {
    const line = lines[end] ?? '';
    if (depth >= MAX_DEPTH) continue;
    const underline = UNDERLINE.exec(line);
    if (underline) {
      const level = underline[1]?.startsWith('=') ? 1 : 2;
      return { block: { type: 'heading', level, text: joinLines(lines.slice(at, end)) }, next: end + 1 };
    }
    if (interrupts(line) || isDelimiterRow(lines, end + 1)) break;
  }
  return { block: { type: 'paragraph', text: joinLines(lines.slice(at, end)) }, next: end };
}

/** @param {string[]} lines */
function joinLines(lines) {
  return lines.map((line) => line.trim()).join('\n');
}

/**
 * @param {string[]} lines
 * @param {number} depth
 * @returns {PlacedBlock[]}
 */
function readLines(lines, depth) {
  /** @type {PlacedBlock[]} */ const placed = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const place = { lines, at, depth };
    const reading = (depth < MAX_DEPTH ? readContainer(place) : null) ?? readParagraph(place);
    placed.push({ block: reading.block, line: at });
    at = reading.next;
  }
  return placed;
}

/**
 * @param {Place} place
 * @returns {Reading | null}
 */
function readContainer(place) {
  const line = place.lines[place.at] ?? '';
  if (indentOf(line) >= 4) return readIndented(place);
  if (RULE.test(line)) return { block: { type: 'rule' }, next: place.at + 1 };
  return readFence(place) ?? readHeading(place) ?? readQuote(place) ?? readList(place) ?? readTable(place);
}

/**
 * Parses a text and keeps the line where each block starts. Never throws; the time is proportional to the length.
 * @param {string} text with LF line ends only
 * @returns {PlacedBlock[]}
 */
export function parsePlacedBlocks(text) {
  return readLines(text.split('\n'), 0);
}

/**
 * Parses a text with any line ends.
 * @param {string} text
 * @returns {Block[]}
 */
export function parseBlocks(text) {
  return parsePlacedBlocks(text.replace(/\r\n?/g, '\n')).map((b) => b.block);
}
