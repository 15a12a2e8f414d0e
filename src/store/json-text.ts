import { DocumentError } from './document-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** True for what JSON writes in braces. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads bytes as one JSON object: strict UTF-8 without byte order mark (RFC 8259 section 8.1).
 * @throws DocumentError `damaged` where it is none, `refused` for a byte order mark.
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
  if (!isJsonObject(value)) throw new DocumentError('damaged', 'it is JSON, but not an object');
  return { text, object: value };
}

/** The first member name that stands twice in one object of a valid JSON text, or null. */
export function findDuplicateMember(text: string): string | null {
  /** One entry per open bracket: the names seen in an object, null in an array. */
  const open: (Set<string> | null)[] = [];
  let position = 0;
  while (position < text.length) {
    const character = text[position];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    if (character !== '"') {
      position += 1;
      continue;
    }
    const end = endOfString(text, position);
    const names = open.at(-1);
    if (names instanceof Set && isFollowedByColon(text, end)) {
      const name = String(JSON.parse(text.slice(position, end)));
      if (names.has(name)) return name;
      names.add(name);
    }
    position = end;
  }
  return null;
}

/** The position after the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}

function isFollowedByColon(text: string, start: number): boolean {
  let position = start;
  while (' \n\r\t'.includes(text[position] ?? ':')) position += 1;
  return text[position] === ':';
}
