import { HttpError } from '../errors.ts';
import { fieldBaseName } from '../http/multipart-headers.ts';
import { parseJson } from '../json/value.ts';
import { languageName } from './language-names.ts';
import { TRANSCRIPT_FORMATS, type TranscriptFormat } from './transcription.ts';

/** The checked fields of a transcription or translation request. */
export interface TranscriptionForm {
  readonly responseFormat: TranscriptFormat | 'diarized_json';
  /** A code or an English name, as the client wrote it. */
  readonly language: string | null;
  readonly prompt: string | null;
  readonly temperature: number | null;
  readonly granularities: ReadonlySet<'word' | 'segment'>;
  readonly stream: boolean;
}

const FORMATS = [...TRANSCRIPT_FORMATS, 'diarized_json'] as const;
const GRANULARITIES = ['word', 'segment'] as const;

/** Size limits, in bytes, of fields whose values are short. Other fields share the limit of the whole form. */
export const TRANSCRIPTION_FIELD_BYTES: Readonly<Record<string, number>> = {
  response_format: 64,
  language: 64,
  temperature: 64,
  timestamp_granularities: 256,
  stream: 64,
};

/**
 * Reads the fields of OpenAI's `/v1/audio/transcriptions`. Names may be `x`, `x[]` or `x[0]`. An empty value counts as absent;
 * unknown fields are ignored.
 */
export class TranscriptionFields {
  readonly task: 'transcribe' | 'translate';
  readonly #granularities = new Set<'word' | 'segment'>();
  readonly #taken = new Set<string>();
  #form: TranscriptionForm = {
    responseFormat: 'json',
    language: null,
    prompt: null,
    temperature: null,
    granularities: this.#granularities,
    stream: false,
  };

  constructor(task: 'transcribe' | 'translate') {
    this.task = task;
  }

  /** Takes the next field. @throws HttpError `invalid_value` with the field as param. */
  take(name: string, value: string): void {
    const base = fieldBaseName(name);
    if (Buffer.byteLength(value) > (TRANSCRIPTION_FIELD_BYTES[base] ?? Number.POSITIVE_INFINITY))
      throw fieldTooLong(base);
    const text = value.trim();
    if (text === '') return;
    if (base === 'timestamp_granularities') {
      for (const word of parseGranularities(text)) this.#granularities.add(word);
      return;
    }
    if (this.#taken.has(base) && SINGLE_FIELDS.has(base)) {
      throw invalidField(base, `The field ${base} may be given only once.`);
    }
    this.#taken.add(base);
    this.#form = { ...this.#form, ...parseField(base, text) };
  }

  /** The fields read so far. */
  get form(): TranscriptionForm {
    return this.#form;
  }

  /** Checks conditions that span several fields, once all fields are read. @throws HttpError `invalid_value`. */
  finish(): void {
    if (this.#granularities.size === 0 || this.#form.responseFormat === 'verbose_json') return;
    const message = 'The field timestamp_granularities needs response_format verbose_json.';
    throw invalidField('timestamp_granularities', message);
  }
}

const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'response_format',
  'language',
  'prompt',
  'temperature',
  'stream',
]);

function parseField(name: string, text: string): Partial<TranscriptionForm> {
  switch (name) {
    case 'response_format':
      return { responseFormat: oneOf(FORMATS, text, name) };
    case 'language':
      return { language: parseLanguage(text) };
    case 'prompt':
      return { prompt: text };
    case 'temperature':
      return { temperature: parseTemperature(text) };
    case 'stream':
      return { stream: text.toLowerCase() === 'true' };
    default:
      return {};
  }
}

/** The error for a field that is longer than any valid value. */
export function fieldTooLong(name: string): HttpError {
  return invalidField(name, `The field ${name} is longer than any valid value.`);
}

function invalidField(param: string, message: string): HttpError {
  return new HttpError('invalid_value', message, { param });
}

function oneOf<T extends string>(known: readonly T[], value: unknown, param: string): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined)
    throw invalidField(param, `The field ${param} must be one of ${known.join(', ')}.`);
  return found;
}

function parseTemperature(value: string): number {
  const temperature = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (temperature >= 0 && temperature <= 1) return temperature;
  throw invalidField('temperature', 'The field temperature must be a number between 0 and 1.');
}

function parseLanguage(value: string): string {
  if (languageName(value) !== null || /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i.test(value)) return value;
  throw invalidField('language', 'The field language must be an ISO 639-1 code such as en.');
}

/** A single word, or a JSON list of words, as some clients send. */
function parseGranularities(value: string): ('word' | 'segment')[] {
  const list = value.startsWith('[') ? parseJson(value) : [value];
  const words: readonly unknown[] = Array.isArray(list) ? list : [value];
  return words.map((word) => oneOf(GRANULARITIES, word, 'timestamp_granularities'));
}
