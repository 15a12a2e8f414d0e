/** What single lines of Markdown are: indentation, fences, list markers (CommonMark 0.31, sections 4 and 5). */

// The dot stands for every character: where it could fail at one, the marks before it would be tried in all lengths.
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/s;
export const HEADING = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/s;
export const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
export const QUOTE = /^ {0,3}> ?/;
const MARKER = /^[ \t]*(?:([-*+])|(\d{1,9})([.)]))(?=[ \t]|$)/;

/** @typedef {{ kind: string, start: number | null, indent: number, width: number, rest: string }} Marker */

/** @param {string | undefined} line */
export const isBlank = (line) => line === undefined || line.trim() === '';

/**
 * Columns of white space in front, a tab reaching to the next multiple of four.
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
 * Takes up to that many columns of white space away.
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
 * The list marker in front of a line; columns of its indentation and of it with the space after.
 * @param {string} line
 * @returns {Marker | null}
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
 * Whether a line ends the paragraph before it.
 * @param {string} line
 */
export function interrupts(line) {
  if (openFence(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  const marker = readMarker(line);
  return marker !== null && marker.indent < 4 && !isBlank(marker.rest) && (marker.start ?? 1) === 1;
}
