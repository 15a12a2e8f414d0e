import { HttpError } from '../errors.ts';
import { queryValue } from '../http/request-target.ts';
import { parseBaseUrl, withScheme } from '../providers/base-url.ts';
import type { Fields } from './json-body.ts';

/** The longest value of each kind of field, in characters. `auth/` has the limits of passwords and API keys. */
export const FIELD_LIMITS = {
  id: 128,
  name: 200,
  username: 64,
  baseUrl: 2048,
  upstreamModel: 512,
  providerKey: 4096,
  /** All entries of a list together: a thousand keys with lists must fit into the database. */
  modelList: 32 * 1024,
  /** Bounds what a sign-in compares and hashes. A UI_USERNAME may be longer than a user's name. */
  signIn: 1024,
} as const;

/** Ids stand in URLs and in log lines. */
const ID = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,${FIELD_LIMITS.id - 1}}$`);
const RESERVED_IDS: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** Reads the value of a field. `param` names the field in the error. @throws HttpError `invalid_value`. */
export type FieldReader<T> = (value: unknown, param: string) => T;

/**
 * The value of a required field. @throws HttpError `missing_required_parameter` if it is absent, null or empty.
 * @example requireField(fields, 'id') // the id, still unchecked, or 400 `missing_required_parameter`
 */
export function requireField(fields: Fields, name: string): unknown {
  const value = fields.get(name);
  if (!isBlank(value)) return value;
  throw new HttpError('missing_required_parameter', `\`${name}\` is required.`, { param: name });
}

/** The value of a field, read by `read`; `before` if the field is absent. */
export function given<T>(fields: Fields, name: string, before: T, read: FieldReader<T>): T {
  return fields.has(name) ? read(fields.get(name), name) : before;
}

/** True for an absent, null or empty value: forms send "" for a field that is left empty. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Makes a reader that also accepts null and "", and returns null for both. */
export function orNull<T>(read: FieldReader<T>): FieldReader<T | null> {
  return (value, param) => (isBlank(value) ? null : read(value, param));
}

/** Text without control characters, trimmed, of 1 to `limit` characters. @throws HttpError `invalid_value`. */
export function toText(value: unknown, param: string, limit: number = FIELD_LIMITS.name): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.length <= limit && !/\p{Cc}/u.test(text)) return text;
  throw wrong(param, `must be text of 1 to ${limit} characters`);
}

/** @throws HttpError `invalid_value`. */
export function toId(value: unknown, param: string): string {
  if (typeof value === 'string' && ID.test(value) && !RESERVED_IDS.includes(value)) return value;
  throw wrong(
    param,
    `must be 1 to ${FIELD_LIMITS.id} characters: letters, digits and . _ : / @ + -, starting with a letter or digit`,
  );
}

/** @throws HttpError `invalid_value`. */
export function toBoolean(value: unknown, param: string): boolean {
  if (typeof value === 'boolean') return value;
  throw wrong(param, 'must be true or false');
}

/** @throws HttpError `invalid_value`. */
export function toOneOf<T extends string>(value: unknown, param: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found !== undefined) return found;
  throw wrong(param, `must be one of ${allowed.join(', ')}`);
}

/**
 * An http or https URL without user name, password or fragment. It stays as written, without spaces at the ends and with
 * a scheme. @throws HttpError `invalid_value`.
 */
export function toBaseUrl(value: unknown, param: string): string {
  const text = toText(value, param, FIELD_LIMITS.baseUrl);
  if (parseBaseUrl(text) !== null) return withScheme(text);
  throw wrong(param, 'must be an http or https address such as https://api.openai.com/v1');
}

/** A list of model ids, each of which may end in `*`; null: all models. @throws HttpError `invalid_value`. */
export function toModelList(value: unknown, param: string): readonly string[] | null {
  if (value === null) return null;
  if (!Array.isArray(value) || !value.every(isModelEntry))
    throw wrong(param, 'must be null (all models) or a list of model ids, each of which may end in *');
  const list = [...new Set(value)];
  if (list.join('').length <= FIELD_LIMITS.modelList) return list;
  throw wrong(
    param,
    `must have at most ${FIELD_LIMITS.modelList} characters in all: shorten the list with patterns such as gpt-4*`,
  );
}

function isModelEntry(entry: unknown): entry is string {
  return typeof entry === 'string' && (entry === '*' || ID.test(entry.replace(/\*$/, '')));
}

/** A time as an ISO 8601 UTC string, or null. @throws HttpError `invalid_value`. */
export function toTime(value: unknown, param: string): string | null {
  if (value === null || value === '') return null;
  const time = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(time) && time > 0) return new Date(time).toISOString();
  throw wrong(param, 'must be a time such as 2030-01-31T00:00:00Z, or null');
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * A flag in the query: `true`, `false`, `1` or `0`; null if it is absent.
 * @throws HttpError `invalid_value` for any other value, so that `?dryRun=yes` never changes anything.
 */
export function readQueryFlag(query: string, name: string): boolean | null {
  const value = queryValue(query, name);
  if (value === null) return null;
  const flag = FLAGS.get(value);
  if (flag !== undefined) return flag;
  throw wrong(name, 'must be true, false, 1 or 0');
}

/** One of the allowed values in the query; null if it is absent. @throws HttpError `invalid_value`. */
export function readQueryChoice<T extends string>(
  query: string,
  name: string,
  allowed: readonly T[],
): T | null {
  const value = queryValue(query, name);
  return value === null ? null : toOneOf(value, name, allowed);
}

/**
 * The error `invalid_value` of a field. `rule` completes the sentence after the name: `must be text`.
 * @example throw wrong('name', 'must be text'); // 400 `invalid_value`, "`name` must be text."
 */
export function wrong(param: string, rule: string): HttpError {
  return new HttpError('invalid_value', `\`${param}\` ${rule}.`, { param });
}
