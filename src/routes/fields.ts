import { HttpError } from '../errors.ts';
import { queryValue } from '../http/request-target.ts';
import { parseBaseUrl, withScheme } from '../providers/base-url.ts';
import type { Fields } from './json-body.ts';

/** Ids of providers, models and the like; they stand in URLs and in log lines. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/;
const RESERVED_IDS: readonly string[] = ['__proto__', 'constructor', 'prototype'];
const NAME_LIMIT = 200;
/** Of all entries together: a thousand keys with lists must fit into the database. */
const MODEL_LIST_CHARS = 32 * 1024;

/** @throws HttpError `missing_required_parameter` where a field is absent or null. */
export function requireField(fields: Fields, name: string): unknown {
  const value = fields.get(name);
  if (value !== undefined && value !== null && value !== '') return value;
  throw new HttpError('missing_required_parameter', `\`${name}\` is required.`, { param: name });
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * A yes or no in the query: `true`, `false`, `1` or `0`; null where it is absent.
 * @throws HttpError `invalid_value` for any other value, so that `?dryRun=yes` never runs for real.
 */
export function readQueryFlag(query: string, name: string): boolean | null {
  const value = queryValue(query, name);
  if (value === null) return null;
  const flag = FLAGS.get(value);
  if (flag !== undefined) return flag;
  throw wrong(name, 'must be true, false, 1 or 0');
}

/** One of some values in the query; null where it is absent. @throws HttpError `invalid_value`. */
export function readQueryChoice<T extends string>(
  query: string,
  name: string,
  allowed: readonly T[],
): T | null {
  const value = queryValue(query, name);
  return value === null ? null : toOneOf(value, name, allowed);
}

/** Text without control characters, trimmed, of 1 to `limit` characters. @throws HttpError `invalid_value`. */
export function toText(value: unknown, param: string, limit = NAME_LIMIT): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.length <= limit && !/\p{Cc}/u.test(text)) return text;
  throw wrong(param, `must be text of 1 to ${limit} characters`);
}

/** @throws HttpError `invalid_value`. */
export function toId(value: unknown, param: string): string {
  if (typeof value === 'string' && ID.test(value) && !RESERVED_IDS.includes(value)) return value;
  throw wrong(
    param,
    'must be 1 to 128 characters: letters, digits and . _ : / @ + -, beginning with a letter or digit',
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

/** An http(s) address without user name, password or fragment, as it was written but for spaces. @throws HttpError `invalid_value`. */
export function toBaseUrl(value: unknown, param: string): string {
  const text = toText(value, param, 2048);
  if (parseBaseUrl(text) === null)
    throw wrong(param, 'must be an http or https address such as https://api.openai.com/v1');
  return withScheme(text);
}

/** A list of model ids, `*` allowed at an entry's end; null: all. @throws HttpError `invalid_value`. */
export function toModelList(value: unknown, param: string): readonly string[] | null {
  if (value === null) return null;
  const isEntry = (entry: unknown): entry is string =>
    typeof entry === 'string' && (entry === '*' || ID.test(entry.replace(/\*$/, '')));
  if (!Array.isArray(value) || !value.every(isEntry))
    throw wrong(param, 'must be null (all models) or a list of model ids, * allowed at the end of one');
  const list = [...new Set(value)];
  if (list.join('').length > MODEL_LIST_CHARS)
    throw wrong(
      param,
      `must have ${MODEL_LIST_CHARS} characters at most: shorten it with patterns such as gpt-4*`,
    );
  return list;
}

/** A time as an ISO 8601 UTC string, or null. @throws HttpError `invalid_value`. */
export function toTime(value: unknown, param: string): string | null {
  if (value === null || value === '') return null;
  const time = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(time) && time > 0) return new Date(time).toISOString();
  throw wrong(param, 'must be a time such as 2030-01-31T00:00:00Z, or null');
}

/** Refuses a value for a part that this server does not have: never accepted without effect. */
export function refuseUnbuilt(fields: Fields, names: readonly string[]): void {
  for (const name of names) {
    if (!isNothing(fields.get(name))) {
      throw new HttpError('unsupported_parameter', `\`${name}\` is not available on this server yet.`, {
        param: name,
      });
    }
  }
}

/** Null, or made of nothing else: what a form sends whose fields are all empty. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.values(value).every(isNothing);
}

/** The value of a field where it is given, made by `read`; else what was there before. */
export function given<T>(
  fields: Fields,
  name: string,
  before: T,
  read: (value: unknown, param: string) => T,
): T {
  return fields.has(name) ? read(fields.get(name), name) : before;
}

/** The error `invalid_value` of a field; `rule` goes on after its name: `must be text`. */
export function wrong(param: string, rule: string): HttpError {
  return new HttpError('invalid_value', `\`${param}\` ${rule}.`, { param });
}
