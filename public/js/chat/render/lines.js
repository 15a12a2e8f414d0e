/** Recognises single lines of Markdown: indentation, fences, list markers, formulas (CommonMark 0.31, sections 4 and 5). */

// The flag `s` lets the dot match every character. Otherwise a failing match would try all lengths of the marks before it.
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/s;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/s;
export const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
export const QUOTE = /^ {0,3}> ?/;
export const FOOTNOTE = /^ {0,3}\[\^([^\]\s]{1,40})\]:[ \t]+/;
const FORMULA = /^ {0,3}(\$\$|\\\[)/;
/** Punctuation may follow a formula that stands alone. */
export const AFTER_FORMULA = /^[.,;:]?[ \t]*$/;
const MARKER = /^[ \t]*(?:([-*+])|(\d{1,9})([.)]))(?=[ \t]|$)/;

/** @typedef {{ kind: string, start: number | null, indent: number, width: number, rest: string }} Marker */

/** @param {string | undefined} line */
export const isBlank = (line) => line === undefined || line.trim() === '';

/**
 * The indentation in columns; a tab extends to the next multiple of four.
 * @param {string} line
 */
export function indentOf(line) {
  let columns = 0;
  for (const c of line) {
    if (c === '\t') columns += 4 - (columns % 4);
    else if (c === ' ') columns += 1;
    else break;
  }
  return columns;
}

/**
 * Removes up to this many columns of indentation.
 * @param {string} line
 * @param {number} columns
 */
export function stripIndent(line, columns) {
  let seen = 0;
  let i = 0;
  while (seen < columns && (line[i] === ' ' || line[i] === '\t')) {
    seen += line[i] === '\t' ? 4 - (seen % 4) : 1;
    i += 1;
  }
  return ' '.repeat(Math.max(0, seen - columns)) + line.slice(i);
}

/**
 * @param {string} line
 * @returns {{ mark: string, info: string } | null}
 */
export function openFence(line) {
  const m = FENCE.exec(line);
  if (!m) return null;
  const [mark, info] = [m[1] ?? '', m[2] ?? ''];
  return mark[0] === '`' && info.includes('`') ? null : { mark, info: info.trim() };
}

/**
 * @param {string} line
 * @param {string} mark
 */
export function closesFence(line, mark) {
  const found = FENCE.exec(line);
  return found?.[1]?.startsWith(mark) === true && isBlank(found[2]);
}

/**
 * Reads the list marker at the start of a line.
 * @param {string} line
 * @returns {Marker | null} indent: columns before the marker; width: columns of the marker and the space after it
 */
export function readMarker(line) {
  const m = RULE.test(line) ? null : MARKER.exec(line);
  if (!m) return null;
  const rest = line.slice(m[0].length);
  const indent = indentOf(line);
  const gap = indentOf(rest);
  const width = m[0].trimStart().length + (isBlank(rest) || gap > 4 ? 1 : gap);
  return {
    kind: m[1] ?? m[3] ?? '',
    start: m[2] ? Number(m[2]) : null,
    indent,
    width,
    rest: stripIndent(rest, isBlank(rest) || gap > 4 ? 1 : gap),
  };
}

/**
 * @param {string} line
 * @returns {{ type: 'heading', level: number, text: string } | null}
 */
export function readHeading(line) {
  const m = HEADING.exec(line);
  if (!m) return null;
  const text = (m[2] ?? '').trim();
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  const hasClosing = end === 0 || /\s/.test(text[end - 1] ?? '');
  return {
    type: 'heading',
    level: (m[1] ?? '').length,
    text: hasClosing ? text.slice(0, end).trimEnd() : text,
  };
}

/**
 * Whether a line starts a formula that stands alone: between `$$` and `$$`, or `\[` and `\]`, to the end of a line.
 * @param {string} line
 */
export function startsFormula(line) {
  const m = FORMULA.exec(line);
  if (!m) return false;
  const rest = line.slice(m[0].length);
  const close = rest.indexOf(closingOf(m[1] ?? ''));
  // Prices and ratings start like that too.
  if (close < 0) return isBlank(rest) || (/[\\^_{}=]/.test(rest) && !rest.startsWith('$'));
  return !isBlank(rest.slice(0, close)) && AFTER_FORMULA.test(rest.slice(close + 2));
}

/**
 * The delimiter that ends a formula.
 * @param {string} text of the formula, from its opening delimiter on
 */
export function closingOf(text) {
  return text.startsWith('$') ? '$$' : '\\]';
}

/**
 * Whether a line interrupts the paragraph before it.
 * @param {string} line
 */
export function interrupts(line) {
  if (openFence(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  if (FOOTNOTE.test(line) || startsFormula(line)) return true;
  const marker = readMarker(line);
  return marker !== null && marker.indent < 4 && !isBlank(marker.rest) && (marker.start ?? 1) === 1;
}
