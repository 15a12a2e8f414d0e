import { HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { recordData } from '../http/sse.ts';
import { SseRecords } from '../http/sse-records.ts';
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

  push(chunk: Buffer): Buffer | null {
    if (this.#error !== null) return null;
    let out = '';
    const parts = this.#records.push(chunk);
    for (const { bytes, begins, ends } of parts) {
      if (!begins || !ends) out += this.#fail(tooLarge());
      else out += this.#take(bytes);
      if (this.#error !== null) return toBytes(out);
    }
    this.#heldBytes = this.#records.isBetweenRecords
      ? 0
      : (parts.length > 0 ? 0 : this.#heldBytes) + chunk.length;
    const heldBytes = this.#heldBytes + this.#options.renderer.heldBytes;
    if (heldBytes > SMALL_BYTES && !this.#options.mayHold(heldBytes)) out += this.#fail(tooLarge());
    return toBytes(out);
  }

  end(): Buffer | null {
    if (this.#error !== null) return null;
    let out = '';
    const last = this.#records.end();
    if (last !== null) out += this.#take(last);
    if (this.#error !== null) return toBytes(out);
    if (this.#isDone) return toBytes(out);
    if (!this.#hasReason) {
      const message = 'The provider ended its stream before the answer was complete.';
      return toBytes(out + this.#fail(new HttpError('upstream_invalid_response', message)));
    }
    return toBytes(out + this.#options.renderer.end());
  }

  fail(error: HttpError): Buffer {
    if (this.#error !== null) return Buffer.alloc(0);
    // A provider that breaks off after its last record has left nothing out.
    return Buffer.from(this.#isDone ? '' : this.#fail(error));
  }

  idle(): Buffer | null {
    // The client has the whole answer, although the provider keeps its own open.
    return this.#isDone ? null : Buffer.from(this.#options.renderer.keepAlive());
  }

  #take(record: Buffer): string {
    const { renderer, meter, secrets } = this.#options;
    const error = findStreamError(record, 'chat');
    if (error !== null) return this.#fail(HttpError.fromUpstream(502, cleanError(error, secrets)));
    meter.lookAtRecords(record);
    const data = recordData(record)?.toString('utf8');
    if (data === undefined || this.#isDone) return '';
    if (data === DONE) {
      this.#isDone = true;
      return renderer.end();
    }
    const chunk = parseJson(data);
    if (!isRecord(chunk)) return '';
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

function hasReason({ choices }: Record<string, unknown>): boolean {
  return (
    Array.isArray(choices) && choices.some((choice) => isRecord(choice) && isText(choice['finish_reason']))
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function toBytes(text: string): Buffer | null {
  return text === '' ? null : Buffer.from(text);
}

function tooLarge(): HttpError {
  return new HttpError(
    'upstream_invalid_response',
    'The answer of the provider is too large to be translated.',
  );
}
