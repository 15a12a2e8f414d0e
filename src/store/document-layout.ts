import { DocumentError } from './document-error.ts';
import type { JsonObject } from './json-text.ts';

/** A member of the document: its JSON text, or for a list the JSON texts of its items. */
export type Member = readonly [name: string, text: string | Iterable<string>];

/** The text of a document. */
export function layOut(members: Iterable<Member>): string {
  return [...layoutPieces(members)].join('');
}

/** One member a line, one list item a line: the form that is hashed and written, piece by piece. */
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
export function membersOf(object: JsonObject): Member[] {
  return Object.entries(object).map(([name, value]) => [
    name,
    Array.isArray(value) ? textsOf(value) : textOf(value),
  ]);
}

function* textsOf(items: readonly unknown[]): Generator<string> {
  for (const item of items) yield textOf(item);
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new DocumentError('damaged', 'it is nested too deeply', { cause: error });
  }
}
