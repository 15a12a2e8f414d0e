/** Parses tables (GFM, "Tables"). A row with more cells than the header keeps them, so that no cell is lost. */

const UNFINISHED_ROW = /^ {0,3}\|[ \t:|-]*$/;
const MAX_COLUMNS = 100;

/**
 * Splits a row into cells. `\|` is a bar inside a cell.
 * @param {string} line
 */
export function splitRow(line) {
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
 * Whether a line has the form of a delimiter row: dashes, colons and bars. Not a regular expression, because two parts
 * that both match white space would take quadratic time.
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
 * The index of the first character at or after `at` that is not in `characters`.
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
 * Whether a line is the delimiter row under a table header.
 * @param {string} header
 * @param {string} row
 * @param {boolean} isLast the row may be unfinished
 * @returns {boolean}
 */
export function isDelimiterRow(header, row, isLast) {
  if (!header.includes('|')) return false;
  if (isLast && header.trim().startsWith('|') && UNFINISHED_ROW.test(row)) return true;
  return isDelimiters(row) && splitRow(row).length === splitRow(header).length;
}

/** @param {string} cell of the delimiter row */
export function toAlign(cell) {
  if (cell.endsWith(':')) return cell.startsWith(':') ? 'center' : 'right';
  return cell.startsWith(':') ? 'left' : '';
}
