import { HttpError } from '../errors.ts';
import { parseJson } from '../http/json-value.ts';
import { fieldBaseName } from '../http/multipart.ts';
import { languageName } from './language-names.ts';
import { TRANSCRIPT_FORMATS, type TranscriptFormat } from './transcription.ts';

/** The checked fields of a transcription or translation request. */
export interface TranscriptionForm {
  readonly responseFormat: TranscriptFormat | 'diarized_json';
  /** As the client wrote it: a code or an English name. */
  readonly language: string | null;
  readonly prompt: string | null;
  readonly temperature: number | null;
  readonly granularities: ReadonlySet<'word' | 'segment'>;
  readonly stream: boolean;
}

const FORMATS = [...TRANSCRIPT_FORMATS, 'diarized_json'] as const;
const GRANULARITIES = ['word', 'segment'] as const;

/**
 * Checks the fields of OpenAI's `/v1/audio/transcriptions` that have a fixed set of values. Fields are `[name, value]` in
 * the order of the form; names may be `x`, `x[]` or `x[0]`; an empty value counts as none; unknown fields are let be.
 * `isWhole` is false while more fields may come: what depends on two of them is then not looked at.
 * @throws HttpError `invalid_value` with the field as param.
 */
export function parseTranscriptionForm(
  fields: Iterable<readonly [string, string]>,
  { isWhole = true } = {},
): TranscriptionForm {
  const values = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const base = fieldBaseName(name);
    if (value.trim() !== '') values.set(base, [...(values.get(base) ?? []), value.trim()]);
  }
  const single = (name: string): string | null => {
    const [value = null, second] = values.get(name) ?? [];
    if (second !== undefined) throw wrong(name, `The field ${name} may be given once only.`);
    return value;
  };
  const responseFormat = oneOf(FORMATS, single('response_format') ?? 'json', 'response_format');
  const granularities = parseGranularities(values.get('timestamp_granularities') ?? []);
  if (isWhole && granularities.size > 0 && responseFormat !== 'verbose_json') {
    const message = 'The field timestamp_granularities needs response_format verbose_json.';
    throw wrong('timestamp_granularities', message);
  }
  return {
    responseFormat,
    language: parseLanguage(single('language')),
    prompt: single('prompt'),
    temperature: parseTemperature(single('temperature')),
    granularities,
    stream: single('stream')?.toLowerCase() === 'true',
  };
}

function wrong(param: string, message: string): HttpError {
  return new HttpError('invalid_value', message, { param });
}

function oneOf<T extends string>(known: readonly T[], value: string, param: string): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw wrong(param, `The field ${param} must be one of ${known.join(', ')}.`);
  return found;
}

function parseTemperature(value: string | null): number | null {
  if (value === null) return null;
  const temperature = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (temperature >= 0 && temperature <= 1) return temperature;
  throw wrong('temperature', 'The field temperature must be a number between 0 and 1.');
}

function parseLanguage(value: string | null): string | null {
  if (value === null || languageName(value) !== null || /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i.test(value))
    return value;
  throw wrong('language', 'The field language must be an ISO 639-1 code such as en.');
}

/** Each field holds one word, or a JSON list of them, as some clients send it. */
function parseGranularities(given: readonly string[]): ReadonlySet<'word' | 'segment'> {
  const words = given.flatMap((value) => {
    const list = value.startsWith('[') ? parseJson(value) : [value];
    return Array.isArray(list) ? list.map(String) : [value];
  });
  return new Set(words.map((word) => oneOf(GRANULARITIES, word, 'timestamp_granularities')));
}
