import { isRecord } from '../json/value.ts';
import type { IncludeUsage, ModelOptions, PathMode, ProtocolMode, ProviderOptions } from './entities.ts';

/** What a value must be: in words and as a check. */
export interface Rule {
  /** Continues the sentence "NAME is not ..." or "NAME must be ...". */
  readonly expected: string;
  isRight(value: unknown): boolean;
  /**
   * Turns a value from a plain file of an earlier program into today's form; undefined: the member counts as absent. A
   * wrong value stays as it is.
   */
  fromPlain?(value: unknown): unknown;
}

/** Longest text in a record: far above any real text, far below what would hurt. */
const TEXT_LIMIT = 64 * 1024;
const ID_LIMIT = 256;
const DAY_MS = 24 * 60 * 60 * 1000;

export const TEXT = {
  expected: 'a text',
  isRight: isText,
  fromPlain: (value) => (typeof value === 'number' ? String(value) : value),
} satisfies Rule;

export const ID: Rule = {
  ...TEXT,
  expected: `1 to ${ID_LIMIT} printable characters other than "." and ".."`,
  isRight: (value) =>
    isText(value) &&
    value !== '' &&
    value.length <= ID_LIMIT &&
    !/[\p{Cc}\p{Cs}]/u.test(value) &&
    // No URL can name "." and ".." (WHATWG URL, section 4.1, dot segments): the panel could not delete such a record.
    value !== '.' &&
    value !== '..',
};

export const FLAG = {
  expected: 'true or false',
  isRight: (value) => typeof value === 'boolean',
  fromPlain: (value) => (value === 1 || value === 0 ? value === 1 : value),
} satisfies Rule;

export const NUMBER: Rule = { expected: 'a number', isRight: (value) => typeof value === 'number' };

export const LIST: Rule = { expected: 'a list', isRight: (value) => Array.isArray(value) };

/** A time in ISO 8601; plain files hold other forms too, and milliseconds since the epoch. */
export const TIME = {
  expected: 'a time such as 2026-01-31T12:00:00.000Z',
  isRight: (value) => isText(value) && !Number.isNaN(Date.parse(value)),
  fromPlain: (value) => {
    if (value === '') return undefined;
    const time = new Date(typeof value === 'number' || typeof value === 'string' ? value : Number.NaN);
    return Number.isNaN(time.getTime()) ? value : time.toISOString();
  },
} satisfies Rule;

export const DIGEST: Rule = {
  expected: 'a SHA-256 in lower-case hex',
  isRight: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
};

/** Ids of models; null: all of them. In plain files an empty list, `*` and `all` mean all. */
export const MODEL_LIST: Rule = {
  expected: 'a list of texts, or null',
  isRight: (value) => value === null || (Array.isArray(value) && value.every((id) => typeof id === 'string')),
  fromPlain: (value) => {
    const isAll = Array.isArray(value)
      ? value.length === 0 || value.includes('*')
      : value === '*' || value === 'all';
    return isAll ? null : value;
  },
};

/** The same rule, and null; in plain files an empty text means null. */
export function orNull(rule: Rule): Rule {
  return {
    expected: `${rule.expected}, or null`,
    isRight: (value) => value === null || rule.isRight(value),
    fromPlain: (value) => (value === '' ? null : (rule.fromPlain?.(value) ?? value)),
  };
}

export function oneOf(...values: readonly string[]): Rule {
  return {
    expected: `one of ${values.join(', ')}`,
    isRight: (value) => values.some((known) => known === value),
  };
}

const TIMEOUT: Rule = {
  expected: `a whole number from 1 to ${DAY_MS}`,
  isRight: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= DAY_MS,
};
const PATH_MODES: readonly PathMode[] = ['auto', 'append-v1', 'exact'];
const INCLUDE_USAGE: readonly IncludeUsage[] = ['auto', 'always', 'never'];
const PROTOCOL_MODES: readonly ProtocolMode[] = ['auto', 'native', 'translate'];

/** The rules of a provider's options, for values from the API and from a file. */
export const OPTION_RULES: Readonly<Record<keyof ProviderOptions, Rule>> = {
  pathMode: oneOf(...PATH_MODES),
  transcribePath: {
    expected: 'a path such as /transcribe',
    isRight: (value) => typeof value === 'string' && value.length <= 512 && /^\/(?!\/)[\w./~-]*$/.test(value),
  },
  chutesLanguageHint: FLAG,
  includeUsage: oneOf(...INCLUDE_USAGE),
  responses: oneOf(...PROTOCOL_MODES),
  messages: oneOf(...PROTOCOL_MODES),
  connectTimeoutMs: TIMEOUT,
  headersTimeoutMs: TIMEOUT,
  idleTimeoutMs: TIMEOUT,
};

const WEIGHT_LIMIT = 1000;

/** A part of the load. */
export const WEIGHT: Rule = {
  expected: `a number over 0, at most ${WEIGHT_LIMIT}`,
  isRight: (value) => typeof value === 'number' && value > 0 && value <= WEIGHT_LIMIT,
};

const FIELDS_LIMIT = 64;
const FIELD_NAME_LIMIT = 128;
const DEFAULTS_LIMIT = 16 * 1024;
const OUTPUT_TOKENS_LIMIT = 100_000_000;
/** The server reads these itself: what was checked must be what is sent. Some providers ignore the case of letters. */
const FIXED_FIELDS: readonly string[] = ['model', 'messages', 'input', 'stream'];
const FIELD_NAME = `a name of 1 to ${FIELD_NAME_LIMIT} characters other than ${FIXED_FIELDS.join(', ')}`;

/** The rules of a model's options, for values from the API and from a file. */
export const MODEL_OPTION_RULES: Readonly<Record<keyof ModelOptions, Rule>> = {
  maxOutputTokens: {
    expected: `a whole number from 1 to ${OUTPUT_TOKENS_LIMIT}`,
    isRight: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= OUTPUT_TOKENS_LIMIT,
  },
  maxTokensField: oneOf('max_tokens', 'max_completion_tokens'),
  reasoningEffort: FLAG,
  reasoningContent: {
    expected: 'true, false or "reasoning"',
    isRight: (value) => typeof value === 'boolean' || value === 'reasoning',
  },
  pdf: FLAG,
  defaults: {
    expected: `an object of at most ${FIELDS_LIMIT} fields and ${DEFAULTS_LIMIT} characters of JSON, each with ${FIELD_NAME}`,
    isRight: (value) =>
      isRecord(value) && areFieldNames(Object.keys(value)) && JSON.stringify(value).length <= DEFAULTS_LIMIT,
  },
  drop: {
    expected: `a list of at most ${FIELDS_LIMIT} fields, each with ${FIELD_NAME}`,
    isRight: (value) => Array.isArray(value) && areFieldNames(value),
  },
  rename: {
    expected: `an object of at most ${FIELDS_LIMIT} new names by field, each ${FIELD_NAME}`,
    isRight: (value) =>
      isRecord(value) && areFieldNames(Object.keys(value)) && areFieldNames(Object.values(value)),
  },
};

function areFieldNames(names: readonly unknown[]): boolean {
  return names.length <= FIELDS_LIMIT && names.every(isFieldName);
}

function isFieldName(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    name !== '' &&
    name.length <= FIELD_NAME_LIMIT &&
    !/[\p{Cc}\p{Cs}]/u.test(name) &&
    name !== '__proto__' &&
    !FIXED_FIELDS.includes(name.toLowerCase())
  );
}

/** Options that this version does not know must be plain values. */
export const OPTIONS: Rule = {
  expected: 'an object of plain values',
  isRight: (value) =>
    isRecord(value) && Object.values(value).every((item) => item === null || typeof item !== 'object'),
};

/** Options of a model, also of newer versions. */
export const MODEL_OPTIONS: Rule = { expected: 'an object', isRight: isRecord };

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_LIMIT;
}
