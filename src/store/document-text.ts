import { BACKSLASH, CLOSE_BRACE, OPEN_BRACE, QUOTE } from '../json/tokens.ts';
import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A member of the document: its JSON text, or for a list the JSON texts of its items. */
export type Member = readonly [name: string, text: string | Iterable<string>];

/**
 * Reads bytes as one JSON object: strict UTF-8 without byte order mark (RFC 8259 section 8.1).
 * @throws DocumentError `damaged` if it is none, `refused` for a byte order mark.
 */
export function parseJsonObject(bytes: Uint8Array): { readonly text: string; readonly object: JsonObject } {
  if (bytes.length === 0) throw new DocumentError('damaged', 'it is empty');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    const fix = 'Save it as UTF-8 without one';
    throw new DocumentError('refused', 'it begins with a byte order mark', { fix });
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const text = orDamaged('is not UTF-8 text', () => decoder.decode(bytes));
  const object: unknown = orDamaged('is not complete JSON', () => JSON.parse(text));
  if (!isRecord(object)) throw new DocumentError('damaged', 'it is JSON, but not an object');
  return { text, object };
}

/** @throws DocumentError `refused` if a member stands twice in one object of a valid JSON text. */
export function refuseDuplicateMembers(text: string): void {
  /** The names seen in each open object. */
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE) open.push(new Set());
    else if (code === CLOSE_BRACE) open.pop();
    if (code !== QUOTE) continue;
    const start = at;
    at = closingQuote(text, start);
    COLON_NEXT.lastIndex = at + 1;
    // A string before a colon is a name, and belongs to the innermost object.
    if (!COLON_NEXT.test(text)) continue;
    const raw = text.slice(start, at + 1);
    const name = raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1);
    const names = open.at(-1);
    if (names?.has(name) === true) {
      throw new DocumentError('refused', `the member ${JSON.stringify(name)} stands twice in one record`);
    }
    names?.add(name);
  }
}

const COLON_NEXT = /[ \t\n\r]*:/y;

/** The position of the closing quote of the string that starts at `start`: the next one after no or paired backslashes. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  for (;;) {
    let before = quote;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
}

/** The text of a document, piece by piece, as it is hashed and written: one member a line, one list item a line. */
export function* layoutPieces(members: Iterable<Member>): Generator<string> {
  let before = '{\n';
  for (const [name, text] of members) {
    yield `${before}${JSON.stringify(name)}:`;
    before = ',\n';
    if (typeof text === 'string') yield text;
    else yield* listPieces(text);
  }
  yield '\n}\n';
}

function* listPieces(texts: Iterable<string>): Generator<string> {
  let before = '[\n';
  for (const text of texts) {
    yield before + text;
    before = ',\n';
  }
  yield before === '[\n' ? '[\n\n]' : '\n]';
}

/**
 * The members of a document. The text of a list item is made when the item is read.
 * @throws DocumentError (also while iterating) `damaged` if it is nested too deeply to be written again.
 */
export function* membersOf(object: JsonObject): Generator<Member> {
  for (const [name, value] of Object.entries(object)) {
    yield [name, Array.isArray(value) ? textsOf(value) : textOf(value)];
  }
}

function* textsOf(items: readonly unknown[]): Generator<string> {
  for (const item of items) yield textOf(item);
}

function textOf(value: unknown): string {
  return orDamaged('is nested too deeply', () => JSON.stringify(value));
}

/** Returns what `read` returns. @throws DocumentError `damaged` with this problem if `read` throws. */
function orDamaged<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DocumentError('damaged', `it ${problem}`, { cause: error });
  }
}
