/**
 * Parses inline Markdown into plain objects. Has no DOM, so it also runs in tests. Follows CommonMark 0.31 and GFM, with
 * three exceptions for the output of language models: a line end is a line break, emphasis works beside punctuation of
 * any script, and TeX is kept as it is. Every loop is bounded: the time is proportional to the length.
 */
import { addText, charBefore, MarkStack, readRun, WORD } from './marks.js';
import { scanSpans, toSafeHref } from './spans.js';

/**
 * @typedef {{ type: 'text', text: string } | { type: 'code', text: string } | { type: 'math', text: string }
 *   | { type: 'strong' | 'em' | 'del', children: Inline[] }
 *   | { type: 'link', href: string, children: Inline[] }
 *   | { type: 'image', alt: string, source: string, href: string | null } | { type: 'br' }
 *   | { type: 'note', label: string }} Inline a formula's text includes its delimiters
 */

const PLAIN = /[^\\`<&h!$[*_~\n]+/y;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const BARE_URL = /https?:\/\/[^\s<>`\u3000-\u303f\uff00-\uffef]+/y;
const ANGLE_URL = /<(https?:\/\/[^\s<>]{1,2000})>/y;
const LINE_BREAK_TAG = /<br[ \t]{0,4}\/?>/iy;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/y;
const ENTITIES = new Map(
  Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    nbsp: '\u00a0',
    hellip: '…',
    mdash: '—',
    ndash: '–',
    lsquo: '‘',
    rsquo: '’',
    ldquo: '“',
    rdquo: '”',
    laquo: '«',
    raquo: '»',
    bull: '•',
    middot: '·',
    copy: '©',
    reg: '®',
    trade: '™',
    sect: '§',
    deg: '°',
    euro: '€',
    pound: '£',
    times: '×',
    divide: '÷',
    plusmn: '±',
    minus: '−',
    micro: 'µ',
    larr: '←',
    rarr: '→',
    harr: '↔',
    le: '≤',
    ge: '≥',
    ne: '≠',
    infin: '∞',
  }),
);

/**
 * @param {RegExp} sticky
 * @param {string} text
 * @param {number} at
 */
function matchAt(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

/**
 * The length of a bare URL without the punctuation that ends its sentence (GFM, extended autolinks).
 * @param {string} url
 */
function urlLength(url) {
  let end = url.length;
  let unopened = url.split(')').length - url.split('(').length;
  while (end > 0) {
    const last = url[end - 1] ?? '';
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!/[?!.,:;*_~'"\]|]/.test(last)) break;
    end -= 1;
  }
  return end;
}

/**
 * Reads a line break, an escape, a tag or an entity; null if the character is plain text.
 * @param {string} text
 * @param {number} at
 * @returns {{ length: number, node: Inline } | null}
 */
function readSpecial(text, at) {
  const first = text.charAt(at);
  if (first === '\n') return { length: 1, node: { type: 'br' } };
  if (first === '\\') {
    const next = text.charAt(at + 1);
    if (next === '\n') return { length: 2, node: { type: 'br' } };
    return ESCAPABLE.test(next) ? { length: 2, node: { type: 'text', text: next } } : null;
  }
  if (first === '<') {
    const tag = matchAt(LINE_BREAK_TAG, text, at);
    if (tag) return { length: tag[0].length, node: { type: 'br' } };
    const angle = matchAt(ANGLE_URL, text, at);
    return angle ? toLink(angle[1] ?? '', angle[0].length) : null;
  }
  if (first === '&') {
    const m = matchAt(ENTITY, text, at);
    if (!m) return null;
    const code = m[1] ? Number.parseInt(m[1], 10) : m[2] ? Number.parseInt(m[2], 16) : -1;
    if (code > 0x10ffff || code === 0 || (code >= 0xd800 && code <= 0xdfff)) return null;
    const character = code < 0 ? ENTITIES.get(m[3] ?? '') : String.fromCodePoint(code);
    if (character === undefined) return null;
    return { length: m[0].length, node: { type: 'text', text: character } };
  }
  return null;
}

/**
 * Reads a bare URL that ends before `to`. After a failure, later positions in the same URL are not tried: each try would
 * read to its end, which takes quadratic time.
 * @param {string} text
 * @param {number} at
 * @param {{ to: number, failedUntil: number }} range
 * @returns {{ length: number, node: Inline } | null}
 */
function readBareUrl(text, at, range) {
  if (at < range.failedUntil || text.charAt(at) !== 'h' || WORD.test(charBefore(text, at))) return null;
  const bare = matchAt(BARE_URL, text, at);
  if (!bare) return null;
  const length = urlLength(bare[0]);
  const link = at + length > range.to ? null : toLink(bare[0].slice(0, length), length);
  if (!link) range.failedUntil = at + bare[0].length;
  return link;
}

/**
 * @param {string} url
 * @param {number} length
 * @returns {{ length: number, node: Inline } | null}
 */
function toLink(url, length) {
  const href = toSafeHref(url);
  return href ? { length, node: { type: 'link', href, children: [{ type: 'text', text: url }] } } : null;
}

/**
 * Parses the text of one paragraph, heading or table cell. Never throws. Adjacent texts are joined into one node.
 * @param {string} text
 * @returns {Inline[]}
 */
export function parseInline(text) {
  return parseRange(text, scanSpans(text), 0, text.length);
}

/**
 * @param {string} text
 * @param {Map<number, import('./spans.js').Span>} spans
 * @param {number} from
 * @param {number} to
 * @returns {Inline[]}
 */
function parseRange(text, spans, from, to) {
  const stack = new MarkStack();
  const range = { to, failedUntil: 0 };
  let at = from;
  while (at < to) {
    const plain = matchAt(PLAIN, text, at);
    const plainEnd = plain ? Math.min(to, at + plain[0].length) : at;
    addText(stack.children, text.slice(at, plainEnd));
    at = plainEnd;
    if (at >= to) break;
    const span = spans.get(at);
    if (span && span.end <= to) {
      const node = span.node ?? {
        type: 'link',
        href: span.href,
        children: parseRange(text, spans, at + 1, span.labelEnd),
      };
      stack.children.push(node);
      at = span.end;
      continue;
    }
    const mark = text.charAt(at);
    const run = mark === '*' || mark === '_' || mark === '~' ? readRun(text, at) : null;
    if (run) {
      at += run.count;
      stack.take(run);
      continue;
    }
    const special = readSpecial(text, at) ?? readBareUrl(text, at, range);
    if (!special || at + special.length > to) {
      addText(stack.children, mark);
      at += 1;
    } else {
      if (special.node.type === 'text') addText(stack.children, special.node.text);
      else stack.children.push(special.node);
      at += special.length;
    }
  }
  return stack.finish();
}
