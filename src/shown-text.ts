/** How much of an external text is shown, in UTF-16 units. */
const SHOWN_LENGTH = 200;

/** Control and format characters (bidirectional marks among them), line separators and lone surrogates. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const PLAIN = /^[\x20-\x7e]*$/;
const EVERY_HIDDEN = new RegExp(HIDDEN, 'gu');

/**
 * Makes an external text safe for error messages and the log: cuts it to `limit` UTF-16 units, then escapes characters that
 * could hide or reorder text, such as `\u0085` (Unicode 16, general categories Cc, Cf, Cs, Zl, Zp).
 * @example shownText('a\u202eb') // 'a\\u202eb'
 */
export function shownText(text: string, limit = SHOWN_LENGTH): string {
  return escapeHidden(cutText(text, limit));
}

/** The first `limit` UTF-16 units of a text. A cut text ends with `…`, which counts; no surrogate pair is split. */
export function cutText(text: string, limit = SHOWN_LENGTH): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 2);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return `${text.slice(0, isHalf ? limit - 2 : limit - 1)}…`;
}

/** Escapes hidden characters as JSON does, so a JSON text keeps its meaning. Line feeds count as hidden. */
export function escapeHidden(text: string): string {
  if (PLAIN.test(text) || !HIDDEN.test(text)) return text;
  return text.replace(EVERY_HIDDEN, (character) => {
    let escaped = '';
    for (let at = 0; at < character.length; at++) {
      escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}
