import { HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { recordData } from '../http/sse.ts';
import { LF, SseRecords } from '../http/sse-records.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { AnswerMeter } from '../protocols/answer-meter.ts';
import { findStreamError } from '../protocols/stream-errors.ts';
import { cleanError } from '../protocols/upstream-errors.ts';
import type { StreamRenderer } from './dialect.ts';

export interface TranslatedStreamOptions {
  readonly renderer: StreamRenderer;
  /** The spellings of the provider's keys, removed from its errors. */
  readonly secrets: readonly string[];
  /** Looks at all that the provider sends. */
  readonly meter: AnswerMeter;
  /** Counts the bytes of a record that is still arriving, and what is kept of the answer. False if there is no room. */
  readonly mayHold: (bytes: number) => boolean;
}

/** The longest record that is read. */
const RECORD_BYTES = 32 * 1024 * 1024;
/** A record up to this size is not counted while it arrives. */
const SMALL_BYTES = 64 * 1024;
const DONE = '[DONE]';
/** The first letter of `data:`. */
const LETTER_D = 0x64;

/** Turns a provider's stream of chat chunks into the stream of another protocol. Each record is parsed once. */
export class TranslatedStream implements BodyTransform {
  readonly #options: TranslatedStreamOptions;
  readonly #records = new SseRecords(RECORD_BYTES);
  /** Of the record that is still arriving. */
  #heldBytes = 0;
  #isDone = false;
  #hasReason = false;
  #error: HttpError | null = null;

  constructor(options: TranslatedStreamOptions) {
    this.#options = options;
  }

  get error(): HttpError | null {
    return this.#error;
  }

  get isWhole(): boolean {
    return this.#isDone && this.#error === null;
  }

  push(chunk: Buffer): string {
    if (this.#error !== null) return '';
    const plain = this.#records.isBetweenRecords ? plainData(chunk) : null;
    const out = plain === null ? this.#takeParts(chunk) : this.#takePlain(plain);
    if (this.#error !== null) return out;
    const heldBytes = this.#heldBytes + this.#options.renderer.heldBytes;
    const isTooLarge = heldBytes > SMALL_BYTES && !this.#options.mayHold(heldBytes);
    return isTooLarge ? out + this.#fail(tooLarge()) : out;
  }

  end(): string {
    if (this.#error !== null) return '';
    let out = '';
    const last = this.#records.end();
    if (last !== null) out += this.#take(last);
    if (this.#error !== null || this.#isDone) return out;
    if (!this.#hasReason) {
      const message = 'The provider ended its stream before the answer was complete.';
      return out + this.#fail(new HttpError('upstream_invalid_response', message));
    }
    return out + this.#options.renderer.end();
  }

  fail(error: HttpError): string {
    if (this.#error !== null) return '';
    // A provider that breaks off after its last record has left nothing out.
    return this.#isDone ? '' : this.#fail(error);
  }

  idle(): string | null {
    // The client has the whole answer, although the provider keeps its own open.
    return this.#isDone ? null : this.#options.renderer.keepAlive();
  }

  /** Takes the data of whole records. */
  #takePlain(plain: readonly string[]): string {
    let out = '';
    for (const data of plain) {
      out += this.#takeData(data);
      if (this.#error !== null) break;
    }
    this.#heldBytes = 0;
    return out;
  }

  #takeParts(chunk: Buffer): string {
    let out = '';
    const parts = this.#records.push(chunk);
    for (const { bytes, begins, ends } of parts) {
      out += begins && ends ? this.#take(bytes) : this.#fail(tooLarge());
      if (this.#error !== null) return out;
    }
    this.#heldBytes = this.#records.isBetweenRecords
      ? 0
      : (parts.length > 0 ? 0 : this.#heldBytes) + chunk.length;
    return out;
  }

  #take(record: Buffer): string {
    const plain = plainData(record);
    if (plain !== null) return this.#takePlain(plain);
    const error = findStreamError(record, 'chat');
    if (error !== null)
      return this.#fail(HttpError.fromUpstream(502, cleanError(error, this.#options.secrets)));
    const data = recordData(record);
    return data === null ? '' : this.#takeData(data.toString('utf8'));
  }

  #takeData(data: string): string {
    const { renderer, meter } = this.#options;
    if (data === DONE) {
      if (this.#isDone) return '';
      this.#isDone = true;
      return renderer.end();
    }
    const chunk = parseJson(data);
    if (!isRecord(chunk)) return '';
    meter.lookAtChunk(chunk);
    if (this.#isDone) return '';
    this.#hasReason ||= hasReason(chunk);
    try {
      return renderer.push(chunk);
    } catch (thrown) {
      if (!(thrown instanceof HttpError)) throw thrown;
      return this.#fail(thrown);
    }
  }

  #fail(error: HttpError): string {
    this.#error = error;
    return this.#options.renderer.fail(error);
  }
}

/**
 * The data of each record in a chunk of whole records, each one data line without an error; null for any other chunk. Nearly all
 * chunks are such, and one text is searched faster than its bytes.
 */
function plainData(chunk: Buffer): string[] | null {
  if (chunk[0] !== LETTER_D || chunk[chunk.length - 1] !== LF || chunk[chunk.length - 2] !== LF) return null;
  const text = chunk.toString('utf8');
  // The end of `"error"`, which `findStreamError` looks for: its first letter is rarer in JSON than a quote.
  if (text.includes('rror"') || text.includes('\r')) return null;
  const plain: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    if (!text.startsWith('data:', at) || text[end + 1] !== '\n') return null;
    plain.push(text.slice(text[at + 5] === ' ' ? at + 6 : at + 5, end));
    at = end + 2;
  }
  return plain;
}

function hasReason({ choices }: Record<string, unknown>): boolean {
  return (
    Array.isArray(choices) && choices.some((choice) => isRecord(choice) && isText(choice['finish_reason']))
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function tooLarge(): HttpError {
  return new HttpError(
    'upstream_invalid_response',
    'The answer of the provider is too large to be translated.',
  );
}
