import { HttpError } from '../errors.ts';

/** A JSON object as it was received: its members are not checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a string that may be absent or null. @throws HttpError 400 `invalid_value` for any other type. */
export function optionalString(body: JsonObject, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalidValue(name, 'a string');
}

/** Reads a string that must be there. @throws HttpError 400 `missing_required_parameter` or `invalid_value`. */
export function requiredString(body: JsonObject, name: string): string {
  const value = optionalString(body, name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

/** Reads a boolean that may be absent or null, which counts as false. @throws HttpError 400 `invalid_value`. */
export function optionalBoolean(body: JsonObject, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw invalidValue(name, 'a boolean');
}

/** Reads a whole number within bounds (both included) that may be absent or null. @throws HttpError 400 `invalid_value`. */
export function optionalInteger(
  body: JsonObject,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) {
    return value;
  }
  throw invalidValue(name, `a whole number from ${bounds.min} to ${bounds.max}`);
}

/** Reads a word from a fixed list; absent or null means the first one. @throws HttpError 400 `invalid_value`. */
export function oneOf<Word extends string>(
  body: JsonObject,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = body[name] ?? words[0];
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw invalidValue(name, `one of ${words.join(', ')}`);
  return word;
}

/** The error for a member that is absent: 400 `missing_required_parameter`. */
export function missingParameter(name: string): HttpError {
  return new HttpError('missing_required_parameter', `Missing required parameter: '${name}'.`, {
    param: name,
  });
}

/**
 * The error for a member of a wrong type or value: 400 `invalid_value`.
 * @example invalidValue('n', 'a number') // 400 `invalid_value`, param `n`
 */
export function invalidValue(name: string, expected: string): HttpError {
  return new HttpError('invalid_value', `Invalid value for '${name}': expected ${expected}.`, {
    param: name,
  });
}
