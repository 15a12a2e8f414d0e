import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

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
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new DocumentError('damaged', 'it is not UTF-8 text', { cause: error });
  }
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DocumentError('damaged', 'it is not complete JSON', { cause: error });
  }
  if (!isRecord(value)) throw new DocumentError('damaged', 'it is JSON, but not an object');
  return { text, object: value };
}

/** The first member name that stands twice in one object of a valid JSON text, or null. */
export function findDuplicateMember(text: string): string | null {
  /** One entry per open bracket: the names seen in an object, null in an array. */
  const open: (Set<string> | null)[] = [];
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === OPEN_BRACE) open.push(new Set());
    else if (code === OPEN_BRACKET) open.push(null);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open.pop();
    if (code !== QUOTE) continue;
    const start = position;
    position = closingQuote(text, start);
    const names = open.at(-1);
    if (!(names instanceof Set) || !isFollowedByColon(text, position + 1)) continue;
    const name = decodeName(text.slice(start + 1, position));
    if (names.has(name)) return name;
    names.add(name);
  }
  return null;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The position of the closing quote of the string that starts at `start`. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote;
}

function isEscaped(text: string, quote: number): boolean {
  let position = quote - 1;
  while (text[position] === '\\') position -= 1;
  return (quote - position) % 2 === 0;
}

function isFollowedByColon(text: string, start: number): boolean {
  let position = start;
  let code = text.charCodeAt(position);
  // JSON's white space: space, tab, line feed, carriage return.
  while (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) {
    position += 1;
    code = text.charCodeAt(position);
  }
  return code === COLON;
}

function decodeName(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw;
}
