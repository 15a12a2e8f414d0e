/** Tables (GFM, "Tables"). A row wider than its header widens the table: no cell of an answer may get lost. */

const UNFINISHED_ROW = /^ {0,3}\|[ \t:|-]*$/;
const MAX_COLUMNS = 100;
/** Rows of a table with more cells than this are not filled up to its width: a short text would make millions. */
const MAX_FILLED_CELLS = 100_000;

/**
 * Cells of a row; `\|` is a bar inside a cell.
 * @param {string} line
 */
function splitRow(line) {
  const row = line.trim();
  /** @type {string[]} */ const cells = [];
  let from = row.startsWith('|') ? 1 : 0;
  for (let at = row.indexOf('|', from); at >= 0; at = row.indexOf('|', at + 1)) {
    if (row[at - 1] === '\\' || cells.length === MAX_COLUMNS - 1) continue;
    cells.push(row.slice(from, at));
    from = at + 1;
  }
  if (from < row.length) cells.push(row.slice(from));
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/**
 * Whether a line is nothing but dashes, colons and bars as under a table's header. Written by hand: as a
 * pattern, white space that two parts may take costs quadratic time.
 * @param {string} line
 */
function isDelimiters(line) {
  let at = 0;
  while (at < 3 && line[at] === ' ') at += 1;
  if (line[at] === '|') at += 1;
  for (;;) {
    at = skipAll(line, at, ' \t');
    if (line[at] === ':') at += 1;
    const dashes = at;
    at = skipAll(line, at, '-');
    if (at === dashes) return false;
    if (line[at] === ':') at += 1;
    at = skipAll(line, at, ' \t');
    if (at === line.length) return true;
    if (line[at] !== '|') return false;
    at += 1;
    if (skipAll(line, at, ' \t') === line.length) return true;
  }
}

/**
 * The index of the first character from `at` on that is not one of `characters`.
 * @param {string} text
 * @param {number} at
 * @param {string} characters
 */
function skipAll(text, at, characters) {
  let end = at;
  while (end < text.length && characters.includes(text.charAt(end))) end += 1;
  return end;
}

/**
 * Whether the line is the row of dashes under a table's header. The last line of the text may be a row in the making.
 * @param {string[]} lines
 * @param {number} at index of the line
 * @returns {boolean}
 */
export function isDelimiterRow(lines, at) {
  const [header, row] = [lines[at - 1] ?? '', lines[at] ?? ''];
  if (!header.includes('|')) return false;
  if (at === lines.length - 1 && header.trim().startsWith('|') && UNFINISHED_ROW.test(row)) return true;
  return isDelimiters(row) && splitRow(row).length === splitRow(header).length;
}

/** @param {string} cell */
function toAlign(cell) {
  if (cell.endsWith(':')) return cell.startsWith(':') ? 'center' : 'right';
  return cell.startsWith(':') ? 'left' : '';
}

/**
 * Reads the table that starts on a line, if one does.
 * @param {import('./markdown-blocks.js').Place} place
 * @returns {import('./markdown-blocks.js').Reading | null}
 */
export function readTable({ lines, at }) {
  if (!isDelimiterRow(lines, at + 1)) return null;
  const header = splitRow(lines[at] ?? '');
  /** @type {string[][]} */ const rows = [];
  let next = at + 2;
  for (; (lines[next] ?? '').includes('|'); next += 1) rows.push(splitRow(lines[next] ?? ''));
  const width = rows.reduce((widest, row) => Math.max(widest, row.length), header.length);
  const isFilled = width * rows.length <= MAX_FILLED_CELLS;
  for (const row of isFilled ? [header, ...rows] : [header]) while (row.length < width) row.push('');
  const align = splitRow(lines[at + 1] ?? '').map(toAlign);
  return { block: { type: 'table', align, header, rows }, next };
}
