import type { JsonObject } from './fields.ts';

/** What made-up values are taken from, so that an answer has something to do with the question. */
export interface SampleHints {
  /** The user's text. */
  readonly text: string;
}

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  time: '12:00:00Z',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT1H',
  email: 'demo@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

const MAX_STRING_LENGTH = 10_000;

/** Makes a number within a schema's bounds: the first of the text that fits, else the nearest one allowed. */
export function sampleNumber(schema: JsonObject, hints: SampleHints): number {
  const isInteger = schema['type'] === 'integer' || [schema['type']].flat().includes('integer');
  const step = positive(schema['multipleOf']) ?? (isInteger ? 1 : undefined);
  const tick = step ?? 1;
  const low = Math.max(
    numberOr(schema['minimum'], -Infinity),
    numberOr(schema['exclusiveMinimum'], -Infinity),
  );
  const high = Math.min(
    numberOr(schema['maximum'], Infinity),
    numberOr(schema['exclusiveMaximum'], Infinity),
  );
  const fits = (value: number): boolean =>
    value >= low &&
    value <= high &&
    value !== schema['exclusiveMinimum'] &&
    value !== schema['exclusiveMaximum'] &&
    (step === undefined || Number.isInteger(value / step));
  const mentioned = (hints.text.slice(0, MAX_STRING_LENGTH).match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  const nearLow = Math.ceil(low / tick) * tick;
  const nearHigh = Math.floor(high / tick) * tick;
  const candidates = [
    ...mentioned,
    tick,
    0,
    nearLow,
    nearLow + tick,
    nearHigh,
    nearHigh - tick,
    (low + high) / 2,
    low,
  ];
  return candidates.find((value) => Number.isFinite(value) && fits(value)) ?? 0;
}

/** Makes a string of a schema's format and length: a phrase of the user's text where no format is asked for. */
export function sampleString(schema: JsonObject, name: string, hints: SampleHints): string {
  const minLength = Math.min(numberOr(schema['minLength'], 0), MAX_STRING_LENGTH);
  const maxLength = numberOr(schema['maxLength'], MAX_STRING_LENGTH);
  const format = schema['format'];
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return FORMATS[format] ?? '';
  const phrase = phraseOf(hints.text) || `demo ${name || 'text'}`;
  const padded = phrase.padEnd(minLength, '.');
  return [...padded].slice(0, maxLength).join('');
}

/**
 * Finds what a request is about: a quoted phrase, else what stands after "in", "for", "of" and the like,
 * else the text's first 80 characters.
 */
function phraseOf(text: string): string {
  const start = text.slice(0, 1000).trim();
  const quoted = /["“']([^"”']{1,80})["”']/.exec(start)?.[1];
  const after = /\b(?:in|for|of|at|to|about|named)\s+([^?.!,;\n]{1,80})/i.exec(start)?.[1];
  return (quoted ?? after ?? start.slice(0, 80)).trim();
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
