/** A command: letters, or one other character. */
export const COMMAND = /\\([A-Za-z]+\*?|[^A-Za-z])/y;
export const NUMBER = /\d+(?:\.\d+)?/y;
/** A group without groups in it. */
export const GROUP_TEXT = /\s*\{([^{}]*)\}/y;
/** White space and comments. */
const SKIPPED = /(?:\s|%[^\n]*)*/y;

/** Reads a formula from its beginning to its end. */
export class TexReader {
  #text;
  #at = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** Reads what a pattern finds here; null: nothing. @param {RegExp} sticky */
  match(sticky) {
    sticky.lastIndex = this.#at;
    const m = sticky.exec(this.#text);
    if (m) this.#at += m[0].length;
    return m;
  }

  /** The next character that counts, which stays unread; '' at the end. */
  peek() {
    this.match(SKIPPED);
    return this.#text.charAt(this.#at);
  }

  /** The next command, which stays unread; '' if something else follows. */
  command() {
    if (this.peek() !== '\\') return '';
    COMMAND.lastIndex = this.#at;
    return COMMAND.exec(this.#text)?.[1] ?? '';
  }

  /** The whole character that comes next, which stays unread. */
  character() {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
  }

  /** @param {number} length in units of the text */
  skip(length) {
    this.#at += length;
  }
}
