import { HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { recordData, sseRecord } from '../http/sse.ts';
import { CR, LF, type SsePart, SseRecords } from '../http/sse-records.ts';
import { parseJson } from '../json/value.ts';
import { redactBytes } from '../redaction.ts';
import type { AnswerMeter } from './answer-meter.ts';
import { EventModelRenamer } from './event-model.ts';
import { UsageHider } from './hidden-usage.ts';
import { ResponsesFailure } from './responses-failure.ts';
import { type StreamEnd, StreamEndWatch } from './stream-end.ts';
import { findResponsesError, findStreamError } from './stream-errors.ts';
import { cleanError } from './upstream-errors.ts';

export interface EventStreamOptions {
  /** The model's id for every event that names its model; null keeps the upstream's name. */
  readonly model: string | null;
  readonly streamEnd: StreamEnd;
  /** True if the usage in the stream was asked for here and not by the client, who must not get it. */
  readonly hideUsage: boolean;
  /** The spellings of the provider's key, removed from records that tell of an error. */
  readonly secrets: readonly string[];
  /** Looks at all that the provider sends. */
  readonly meter: AnswerMeter;
  /** Writes the records that report an error of this server in the client's protocol; absent: in that of `streamEnd`. */
  readonly failedStream?: (error: HttpError) => string;
}

/** A record is held until it is whole, up to this size. A longer record passes in pieces; no error is that long. */
const HELD_BYTES = 64 * 1024;
/** A larger chunk is searched faster than it is walked through. */
const PLAIN_BYTES = 1024;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CAPITAL_D = 0x44;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_D = 0x64;
const LETTER_E = 0x65;
const LETTER_G = 0x67;
const LETTER_N = 0x6e;
const LETTER_O = 0x6f;
const LETTER_R = 0x72;
const CLOSE_BRACE = 0x7d;
/** A comment that keeps a silent stream alive; it may stand between any two records. */
export const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
/** Clients of the Messages API expect pings. */
const PING = Buffer.from('event: ping\ndata: {"type":"ping"}\n\n');
const EMPTY_LINE = Buffer.from('\n\n');

/**
 * Passes an event stream to the client. Each record passes byte for byte as soon as its last byte has arrived; a long record
 * passes in pieces. Changed are only: the model's name, usage to be hidden, errors in dialects that SDKs overlook (vLLM's flat
 * object, Chutes' bare JSON line), and a missing last line end. A stream that stops before its end gets an error.
 */
export class EventStream implements BodyTransform {
  readonly #options: EventStreamOptions;
  readonly #records = new SseRecords(HELD_BYTES);
  readonly #end: StreamEndWatch;
  readonly #renamer: EventModelRenamer | null;
  readonly #hider: UsageHider | null;
  readonly #failure: ResponsesFailure | null;
  /** In Responses and Messages streams every event is examined. */
  readonly #mayBePlain: boolean;
  #error: HttpError | null = null;
  /** An error that passed as an event of the Responses API. That event ends the answer, so no other error follows it. */
  #passedError: HttpError | null = null;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#end = new StreamEndWatch(options.streamEnd);
    this.#renamer = options.model === null ? null : new EventModelRenamer(options.model);
    this.#hider = options.hideUsage ? new UsageHider() : null;
    this.#failure = options.streamEnd === 'responses' ? new ResponsesFailure() : null;
    this.#mayBePlain = options.streamEnd === 'chat' || options.streamEnd === null;
  }

  get error(): HttpError | null {
    return this.#error;
  }

  get isWhole(): boolean {
    const hasFailed = this.#error !== null || this.#passedError !== null;
    return !hasFailed && this.#end.isFinal && this.#records.isBetweenRecords;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#error !== null) return null;
    const isOfRecords = this.#mayBePlain && this.#records.isBetweenRecords && isOfWholeRecords(chunk);
    if (isOfRecords && isPlain(chunk)) {
      this.#options.meter.lookAtText(chunk);
      return this.#renamer === null ? chunk : this.#changed(chunk);
    }
    this.#end.look(chunk);
    if (isOfRecords && hasNoErrors(chunk)) {
      const showsUsage = this.#options.meter.lookAtRecords(chunk);
      return this.#renamer === null && (this.#hider === null || !showsUsage) ? chunk : this.#changed(chunk);
    }
    const out: Buffer[] = [];
    for (const part of this.#records.push(chunk)) this.#take(part, out);
    return joined(out);
  }

  end(): Buffer | null {
    const out: Buffer[] = [];
    const last = this.#records.end();
    const isCut = this.#records.isInsideRecord || (last !== null && isTruncated(last));
    if (last !== null && !isCut) this.#take({ bytes: terminated(last), begins: true, ends: true }, out);
    if (this.#error === null && (!this.#end.isWhole || (isCut && !this.#end.isFinal))) {
      const message = 'The provider ended its stream before the answer was complete.';
      this.#finishWith(new HttpError('upstream_invalid_response', message), out);
    }
    this.#error ??= this.#passedError;
    return joined(out);
  }

  fail(error: HttpError): Buffer {
    const out: Buffer[] = [];
    // An upstream that breaks off after the last record has left nothing out.
    if (this.#error === null && !(this.#end.isFinal && this.#records.isBetweenRecords)) {
      this.#finishWith(error, out);
    }
    this.#error ??= this.#passedError;
    return joined(out) ?? Buffer.alloc(0);
  }

  idle(): Buffer | null {
    return this.#records.isInsideRecord ? null : keepAliveOf(this.#options.streamEnd);
  }

  /** What the client gets of whole records without an error. */
  #changed(records: Buffer): Buffer | null {
    const out: Buffer[] = [];
    for (const { bytes } of this.#records.push(records)) this.#show(bytes, out);
    return joined(out);
  }

  /** Adds to `out` what the client gets of a whole record. */
  #show(record: Buffer, out: Buffer[]): void {
    const shown = this.#hider === null ? record : this.#hider.hide(record);
    if (shown === null) return;
    if (this.#renamer === null) out.push(shown);
    else this.#renamer.rename(shown, out);
  }

  /** Adds a record or a piece of a record to `out`, changed where needed. Nothing is added after an error. */
  #take({ bytes, begins, ends }: SsePart, out: Buffer[]): void {
    if (this.#error !== null) return;
    if (!begins || !ends) {
      this.#end.lookAtEvent(bytes, begins);
      this.#options.meter.lookAtPiece(bytes, { begins, ends });
      const shown = this.#hider === null ? bytes : this.#hider.hidePiece(bytes, { begins });
      if (this.#renamer === null) out.push(shown);
      else this.#renamer.renamePiece(shown, { begins, ends }, out);
      return;
    }
    const error = findStreamError(bytes, this.#options.streamEnd);
    if (error !== null) {
      this.#finishWith(HttpError.fromUpstream(502, cleanError(error, this.#options.secrets)), out);
      return;
    }
    this.#end.lookAtEvent(bytes, true);
    this.#options.meter.lookAtRecords(bytes);
    this.#failure?.note(bytes);
    const reported = this.#failure === null ? null : findResponsesError(bytes);
    if (reported !== null)
      this.#passedError = HttpError.fromUpstream(502, cleanError(reported, this.#options.secrets));
    this.#show(reported === null ? bytes : redactBytes(bytes, this.#options.secrets), out);
  }

  #finishWith(error: HttpError, out: Buffer[]): void {
    this.#error = error;
    if (this.#records.isInsideRecord) {
      this.#renamer?.end(out);
      out.push(EMPTY_LINE);
    }
    const { failedStream: own } = this.#options;
    out.push(
      own === undefined || this.#failure !== null
        ? errorRecords(error, this.#failure)
        : Buffer.from(own(error)),
    );
  }
}

/** What keeps a silent stream alive; it may stand between any two records. */
export function keepAliveOf(streamEnd: StreamEnd): Buffer {
  return streamEnd === 'messages' ? PING : KEEP_ALIVE;
}

/** The records of a stream that holds nothing but an error. */
export function failedStream(error: HttpError, streamEnd: StreamEnd): Buffer {
  return errorRecords(error, streamEnd === 'responses' ? new ResponsesFailure() : null);
}

/** The records that report an error at the end of a stream. */
function errorRecords({ error }: HttpError, failure: ResponsesFailure | null): Buffer {
  return failure === null ? sseRecord(JSON.stringify({ error })) : failure.records(error);
}

/** True if a chunk that follows whole records begins with data or a comment and ends with a whole record. */
function isOfWholeRecords(chunk: Buffer): boolean {
  const { length } = chunk;
  return (
    chunk[length - 1] === LF && chunk[length - 2] === LF && (chunk[0] === LETTER_D || chunk[0] === COLON)
  );
}

/**
 * True if whole records hold no error: nowhere `"error"`, which a bare line has too, and no event line, which may name one and
 * may follow a CR.
 */
function hasNoErrors(records: Buffer): boolean {
  // Not `"error"`: quotes are frequent, and a search that begins with one is five times as slow.
  return !records.includes('rror"') && !records.includes('\ne') && !records.includes('\r');
}

/**
 * True if a small chunk of whole records holds nothing that anybody looks for, apart from the model's text: no error, no usage,
 * no end. To walk through two hundred bytes once costs less than to call eight native searches.
 */
function isPlain(records: Buffer): boolean {
  const { length } = records;
  if (length > PLAIN_BYTES) return false;
  for (let at = 0; at < length; at++) {
    const byte = records[at];
    if (byte === QUOTE) {
      const [last, before] = [records[at - 1], records[at - 2]];
      // As in `error"`, and in `usage"` and `finish_reason"`, which most chunks have without a value.
      if (before === LETTER_O && last === LETTER_R) return false;
      const isNamed =
        (before === LETTER_G && last === LETTER_E) || (before === LETTER_O && last === LETTER_N);
      if (isNamed && mayHaveValueAt(records, at + 1)) return false;
    } else if (byte === LF) {
      if (records[at + 1] === LETTER_E) return false;
    } else if (byte === CR || (byte === OPEN_BRACKET && records[at + 1] === CAPITAL_D)) return false;
  }
  return true;
}

/** True if the string that ends here may name a member with a value. What begins with `n` is null. */
function mayHaveValueAt(records: Buffer, at: number): boolean {
  const next = records[at];
  if (next === COMMA || next === CLOSE_BRACE || next === CLOSE_BRACKET) return false;
  const value = records[at + 1] === SPACE ? records[at + 2] : records[at + 1];
  return next !== COLON || value !== LETTER_N;
}

function joined(parts: readonly Buffer[]): Buffer | null {
  const [only] = parts;
  return parts.length > 1 ? Buffer.concat(parts) : (only ?? null);
}

/** The last record of a stream with the empty line that clients need at its end. */
function terminated(record: Buffer): Buffer {
  const last = record[record.length - 1];
  return Buffer.concat([record, Buffer.from(last === LF ? '\n' : '\n\n')]);
}

/** True if the data is an unfinished JSON object, which no client can read. */
function isTruncated(record: Buffer): boolean {
  const text = (recordData(record) ?? Buffer.alloc(0)).toString('latin1').trimStart();
  return text.startsWith('{') && parseJson(text) === undefined;
}
