/**
 * Finds the spans that take precedence over emphasis: code, TeX, images and links (CommonMark 0.31, section 6).
 */

/**
 * @typedef {import('./inline.js').Inline} Inline
 * @typedef {{ end: number, node: Inline } | { end: number, node: null, href: string, labelEnd: number }} Span
 */

const MAX_DESTINATION_CHARS = 2000;
/** Nested parentheses in an address. A text full of parentheses would otherwise take quadratic time. */
const MAX_PARENTHESES = 32;
const POINT = /[\\`[\]$]/g;
const NOTE = /\[\^([^\]\s]{1,40})\]/y;
/** A formula between single dollar signs: prices must stay text. */
const MAX_DOLLAR_CHARS = 200;
const FORMULA_SIGN = /[\\^_{}=<>+]|^[A-Za-z]$|^[A-Za-z]'*\([A-Za-z, ]*\)$/;
/** Two words side by side. */
const PROSE = /(^|[^\\A-Za-z])[A-Za-z]{3,}[,.]? +[A-Za-z]{3,}/;
const SPACE = /[ \t\n]{0,8}/y;
const TITLE = /[ \t\n]{1,8}(?:"[^"]{0,500}"|'[^']{0,500}'|\([^()]{0,500}\))/y;

/**
 * The normalised form of an absolute http or https address; null for any other address, which must not become a link.
 * @param {string} address
 * @returns {string | null}
 */
export function toSafeHref(address) {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}

/**
 * @param {RegExp} sticky
 * @param {string} text
 * @param {number} at
 * @returns {number} the end of the match; `at` without a match
 */
function skip(sticky, text, at) {
  sticky.lastIndex = at;
  return at + (sticky.exec(text)?.[0].length ?? 0);
}

/**
 * @param {string} text
 * @param {number} at index of the first character
 * @returns {number} the end of the link destination, or -1
 */
function destinationEnd(text, at) {
  const limit = Math.min(text.length, at + MAX_DESTINATION_CHARS);
  let depth = 0;
  for (let i = at; i < limit; i += 1) {
    const c = text.charCodeAt(i);
    if (c <= 32 || c === 60) return depth === 0 ? i : -1;
    if (c === 40) depth += 1;
    if (depth > MAX_PARENTHESES) return -1;
    if (c === 41) {
      if (depth === 0) return i;
      depth -= 1;
    }
  }
  return -1;
}

/**
 * Reads `(address "title")`.
 * @param {string} text
 * @param {number} at index of the parenthesis
 * @returns {{ address: string, end: number } | null}
 */
function readDestination(text, at) {
  if (text.charAt(at) !== '(') return null;
  const start = skip(SPACE, text, at + 1);
  const end = destinationEnd(text, start);
  if (end < 0) return null;
  const close = skip(SPACE, text, skip(TITLE, text, end));
  return text.charAt(close) === ')' ? { address: text.slice(start, end), end: close + 1 } : null;
}

/**
 * Finds all runs of backticks: length of the run -> start positions.
 * @param {string} text
 */
function findTickRuns(text) {
  /** @type {Map<number, { starts: number[], next: number }>} */ const runs = new Map();
  for (const m of text.matchAll(/`+/g)) {
    const known = runs.get(m[0].length);
    if (known) known.starts.push(m.index);
    else runs.set(m[0].length, { starts: [m.index], next: 0 });
  }
  return runs;
}

/** @param {string} raw */
function toCodeText(raw) {
  const text = raw.replaceAll('\n', ' ');
  const isPadded = text.startsWith(' ') && text.endsWith(' ') && text.trim() !== '';
  return isPadded ? text.slice(1, -1) : text;
}

/**
 * Finds the spans of a text in one pass. The label of a link is not parsed yet.
 * @param {string} text
 * @returns {Map<number, Span>} by the index of the first character
 */
export function scanSpans(text) {
  /** @type {Map<number, Span>} */ const spans = new Map();
  /** @type {number[]} */ let brackets = [];
  /** @type {Set<string>} */ const missing = new Set();
  const tickRuns = findTickRuns(text);
  const point = new RegExp(POINT);

  /**
   * @param {number} at
   * @param {string} open
   * @param {string} close
   * @returns {number} where to continue
   */
  function takeMath(at, open, close) {
    const end = missing.has(close) ? -1 : text.indexOf(close, at + open.length);
    if (end < 0) {
      missing.add(close);
      return at + open.length;
    }
    const stop = end + close.length;
    spans.set(at, { end: stop, node: { type: 'math', text: text.slice(at, stop) } });
    return stop;
  }

  /**
   * A formula between single dollar signs: on one line, without spaces inside the signs, with no digit after the second
   * one (as in Pandoc), and with something that is no prose.
   * @param {number} at
   * @returns {number}
   */
  function takeDollars(at) {
    const end = text.indexOf('$', at + 1);
    if (end < 0 || end - at > MAX_DOLLAR_CHARS) return at + 1;
    const tex = text.slice(at + 1, end);
    const isOpening = !/[\w\\]/.test(text.charAt(at - 1)) && /\S/.test(tex.charAt(0));
    const isClosing = /[^\s\\]/.test(tex.at(-1) ?? ' ') && !/[\w$]/.test(text.charAt(end + 1));
    if (!isOpening || !isClosing || tex.includes('\n') || !FORMULA_SIGN.test(tex) || PROSE.test(tex))
      return at + 1;
    spans.set(at, { end: end + 1, node: { type: 'math', text: text.slice(at, end + 1) } });
    return end + 1;
  }

  /**
   * @param {number} at
   * @returns {number}
   */
  function takeTicks(at) {
    let start = at;
    while (text.charAt(start) === '`') start += 1;
    const run = tickRuns.get(start - at);
    while (run && (run.starts[run.next] ?? text.length) < start) run.next += 1;
    const close = run?.starts[run.next];
    if (close === undefined) return start;
    const end = close + start - at;
    spans.set(at, { end, node: { type: 'code', text: toCodeText(text.slice(start, close)) } });
    return end;
  }

  /**
   * @param {number} at
   * @returns {number}
   */
  function takeOpening(at) {
    NOTE.lastIndex = at;
    const note = text.charAt(at + 1) === '^' ? NOTE.exec(text) : null;
    if (!note) {
      brackets.push(at);
      return at + 1;
    }
    spans.set(at, { end: NOTE.lastIndex, node: { type: 'note', label: note[1] ?? '' } });
    return NOTE.lastIndex;
  }

  /**
   * @param {number} at
   * @returns {number}
   */
  function takeClosing(at) {
    const open = brackets.pop();
    const found = open === undefined ? null : readDestination(text, at + 1);
    if (open === undefined || !found) return at + 1;
    const href = toSafeHref(found.address);
    if (text.charAt(open - 1) === '!' && text.charAt(open - 2) !== '\\') {
      const [alt, source] = [text.slice(open + 1, at), text.slice(open - 1, found.end)];
      spans.set(open - 1, { end: found.end, node: { type: 'image', alt, source, href } });
      return found.end;
    }
    if (!href) return at + 1;
    spans.set(open, { end: found.end, node: null, href, labelEnd: at });
    brackets = [];
    return found.end;
  }

  for (let m = point.exec(text); m; m = point.exec(text)) {
    const at = m.index;
    const pair = text.slice(at, at + 2);
    if (pair === '\\(') point.lastIndex = takeMath(at, pair, '\\)');
    else if (pair === '\\[') point.lastIndex = takeMath(at, pair, '\\]');
    else if (pair === '$$') point.lastIndex = takeMath(at, pair, '$$');
    else if (m[0] === '\\') point.lastIndex = at + 2;
    else if (m[0] === '`') point.lastIndex = takeTicks(at);
    else if (m[0] === '$') point.lastIndex = takeDollars(at);
    else if (m[0] === '[') point.lastIndex = takeOpening(at);
    else if (m[0] === ']') point.lastIndex = takeClosing(at);
  }
  return spans;
}
