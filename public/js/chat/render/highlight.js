/**
 * Colours for code: comments, strings, numbers, keywords, and names of functions or keys. A scanner, not a parser: it reads
 * each character once, and what it does not know stays plain. Has no DOM.
 */
import { LANGUAGES } from './languages.js';

/**
 * @typedef {'' | 'c' | 's' | 'n' | 'k' | 'f'} TokenType plain text, comment, string, number, keyword, function or key
 * @typedef {[TokenType, string]} Token
 * @typedef {{ type: TokenType, end: string } | null} State the comment or string that is open at the end of a text
 * @typedef {{ extension: string, keywords: ReadonlySet<string>, scan: RegExp, ends: ReadonlyMap<string, string>, description: import('./languages.js').Description }} Language
 */

/** @type {Map<string, Language>} */
const known = new Map();
const NUMBER = '\\d[\\w.]*';
const BEFORE_PAREN = /[ \t]*\(/y;
const BEFORE_COLON = /[ \t]*[:=](?![:=])/y;

/**
 * @param {string} name as after the fence, such as `ts`
 * @returns {Language | null}
 */
export function findLanguage(name) {
  const wanted = name.toLowerCase();
  const found = known.get(wanted);
  if (found) return found;
  const description = LANGUAGES.find(({ names }) => names.split(' ').includes(wanted));
  if (!description) return null;
  const language = compile(description);
  known.set(wanted, language);
  return language;
}

/** @param {string} text */
const escapeRegExp = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
/** @param {string} list @returns {string[]} */
const split = (list) => list.split(' ').filter((part) => part !== '');

/**
 * One regular expression with a group for each kind of token. None of its parts can match a text in two ways.
 * @param {import('./languages.js').Description} description
 * @returns {Language}
 */
function compile(description) {
  const {
    comments,
    multiline = [],
    strings = '" \'',
    word = '',
    keywords,
    extension,
    ignoresCase,
  } = description;
  const never = '(?!)';
  const line = split(comments).map((mark) => (mark === '#' ? '(?<![^\\s;])#' : escapeRegExp(mark)));
  const before = description.isMarkup ? '(?<==)' : '';
  const quotes = split(strings).map((mark) => `${before}${mark}(?:[^${mark}\\\\\\n]|\\\\[^\\n])*${mark}?`);
  const marks = multiline.map(([open]) => escapeRegExp(open));
  const extra = escapeRegExp(word).replace('-', '\\-');
  const scan = [
    `(${line.length > 0 ? `(?:${line.join('|')})[^\\n]*` : never})`,
    `(${marks.length > 0 ? marks.join('|') : never})`,
    `(${description.isMarkup ? '<\\/?[A-Za-z][\\w:-]*|\\/?>' : never})`,
    `(${quotes.length > 0 ? quotes.join('|') : never})`,
    `((?<![\\w${extra}])${NUMBER})`,
    `([\\p{L}_${extra}][\\p{L}\\p{N}_${extra}]*)`,
  ].join('|');
  const fold = (/** @type {string} */ text) => (ignoresCase ? text.toLowerCase() : text);
  return {
    extension,
    keywords: new Set(split(keywords).map(fold)),
    scan: new RegExp(scan, 'gu'),
    ends: new Map(multiline),
    description,
  };
}

/**
 * Splits code into tokens. Their texts together are the code.
 * @param {Language} language
 * @param {string} text whole lines; the last may be unfinished
 * @param {State} before the state at the end of the text before
 * @returns {{ tokens: Token[], state: State }}
 */
export function highlight({ scan, keywords, ends, description }, text, before) {
  /** @type {Token[]} */ const tokens = [];
  let state = before;
  let at = 0;
  /** @param {TokenType} type @param {number} end */
  const add = (type, end) => {
    if (end <= at) return;
    const last = tokens.at(-1);
    if (last?.[0] === type) last[1] += text.slice(at, end);
    else tokens.push([type, text.slice(at, end)]);
    at = end;
  };
  const close = () => {
    if (state === null) return;
    const { type, end } = state;
    const found = endOf(text, at, end);
    add(type, found < 0 ? text.length : found);
    if (found >= 0) state = null;
  };

  close();
  while (at < text.length) {
    scan.lastIndex = at;
    const m = scan.exec(text);
    add('', m ? m.index : text.length);
    if (!m) break;
    const [whole, comment, open, tag, string, number] = m;
    const stop = m.index + whole.length;
    if (open !== undefined) {
      state = { type: open.startsWith('/') || /^[<=]/.test(open) ? 'c' : 's', end: ends.get(open) ?? '' };
      add(state.type, stop);
      close();
    } else if (comment !== undefined) add('c', stop);
    else if (tag !== undefined) add('k', stop);
    else if (number !== undefined) add('n', stop);
    else if (string !== undefined)
      add(description.hasKeys && isBefore(BEFORE_COLON, text, stop) ? 'f' : 's', stop);
    else add(typeOfWord(whole, stop), stop);
  }
  return { tokens, state };

  /** @param {string} word @param {number} stop @returns {TokenType} */
  function typeOfWord(word, stop) {
    if (keywords.has(description.ignoresCase ? word.toLowerCase() : word)) return 'k';
    const next = description.isMarkup || description.hasKeys ? BEFORE_COLON : BEFORE_PAREN;
    return isBefore(next, text, stop) ? 'f' : '';
  }
}

/** @param {RegExp} sticky @param {string} text @param {number} at */
function isBefore(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.test(text);
}

/**
 * The index after the end mark of a comment or string; -1 without it. A backslash before the mark hides it in strings.
 * @param {string} text @param {number} at @param {string} end
 */
function endOf(text, at, end) {
  const isString = /^[`'"]/.test(end);
  for (let found = text.indexOf(end, at); found >= 0; found = text.indexOf(end, found + 1)) {
    let slashes = 0;
    while (isString && text[found - 1 - slashes] === '\\' && found - 1 - slashes >= at) slashes += 1;
    if (slashes % 2 === 0) return found + end.length;
  }
  return -1;
}
