import { isRecord } from '../../protocols/json-value.ts';
import type { ProviderOptions } from '../../store/entities.ts';
import { refuseUnbuilt, toBoolean, toInteger, toOneOf, toText, wrong } from '../fields.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

type Readers = {
  readonly [K in keyof ProviderOptions]-?: (value: unknown, param: string) => NonNullable<ProviderOptions[K]>;
};

const toTimeout = (value: unknown, param: string): number =>
  toInteger(value, param, { least: 1, most: DAY_MS });

const READERS: Readers = {
  pathMode: (value, param) => toOneOf(value, param, ['auto', 'append-v1', 'exact']),
  transcribePath: (value, param) => {
    const path = toText(value, param, 512);
    if (/^\/[\w./~-]*$/.test(path) && !path.startsWith('//')) return path;
    throw wrong(param, 'must be a path such as /transcribe');
  },
  chutesLanguageHint: toBoolean,
  connectTimeoutMs: toTimeout,
  headersTimeoutMs: toTimeout,
  idleTimeoutMs: toTimeout,
};

/**
 * Reads a provider's options: members given replace those before, null removes one, unknown ones are ignored.
 * @throws HttpError `invalid_value`, `unsupported_parameter`.
 */
export function toProviderOptions(value: unknown, before: ProviderOptions): ProviderOptions {
  if (value === null) return {};
  if (!isRecord(value)) throw wrong('options', 'must be an object');
  const { includeUsage } = value;
  if (includeUsage !== 'auto')
    refuseUnbuilt(new Map([['options.includeUsage', includeUsage]]), ['options.includeUsage']);
  const options: Record<string, unknown> = { ...before };
  for (const [name, read] of Object.entries(READERS)) {
    const given = value[name];
    if (given === null) delete options[name];
    else if (given !== undefined) options[name] = read(given, `options.${name}`);
  }
  return options;
}
