import { type ErrorObject, HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { bareLines, recordData, recordEvent, sseRecord } from '../http/sse.ts';
import { LF, type SsePart, SseRecords } from '../http/sse-records.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { EventModelRenamer } from './event-model.ts';
import { ResponseFailure } from './response-failure.ts';
import { type StreamEnd, StreamEndWatch } from './stream-end.ts';
import { findErrorObject, parseErrorJson } from './upstream-errors.ts';

export interface EventStreamOptions {
  /** The name to put wherever an event names its model; null leaves the upstream's. */
  readonly model: string | null;
  readonly streamEnd: StreamEnd;
  /** Removes secrets from an error that came in the stream. */
  readonly clean: (error: ErrorObject) => ErrorObject;
  /** Removes the provider's key from a record that passes as it is and tells of an error. */
  readonly withoutKey: (record: Buffer) => Buffer;
}

/** So much of an unfinished record is held until it is whole; of a longer one no error is. */
const HELD_BYTES = 64 * 1024;
const COLON = 0x3a;
/** The first letter of `data:`. */
const LETTER_D = 0x64;
/** The first letter of `event:`. */
const LETTER_E = 0x65;
const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
const EMPTY_LINE = Buffer.from('\n\n');

/**
 * An event stream on its way to the client. Records pass as their own bytes in the moment their last byte is there, long
 * ones in pieces; only what a client could not read is changed: the model's name, errors in dialects that SDKs overlook
 * (vLLM's flat object, Chutes' bare JSON line), a missing last line end. A stream that stops before its end gets an error.
 */
export class EventStream implements BodyTransform {
  readonly #options: EventStreamOptions;
  readonly #records = new SseRecords(HELD_BYTES);
  readonly #end: StreamEndWatch;
  readonly #renamer: EventModelRenamer | null;
  readonly #failure: ResponseFailure | null;
  #error: HttpError | null = null;
  /** An error that passed in the form of the Responses API, which ends the answer by itself. */
  #told: HttpError | null = null;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#end = new StreamEndWatch(options.streamEnd);
    this.#renamer = options.model === null ? null : new EventModelRenamer(options.model);
    this.#failure = options.streamEnd === 'responses' ? new ResponseFailure() : null;
  }

  get error(): HttpError | null {
    return this.#error;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#error !== null) return null;
    this.#end.look(chunk);
    if (
      this.#renamer === null &&
      this.#failure === null &&
      this.#records.isBetweenRecords &&
      mayPassUnread(chunk)
    ) {
      return chunk;
    }
    const out: Buffer[] = [];
    for (const part of this.#records.push(chunk)) this.#take(part, out);
    return joined(out);
  }

  end(): Buffer | null {
    const out: Buffer[] = [];
    const rest = this.#records.end();
    const isCut = this.#records.isInsideRecord || (rest !== null && isCutOff(rest));
    if (rest !== null && !isCut) this.#take({ bytes: closed(rest), begins: true, ends: true }, out);
    if (this.#error === null && (!this.#end.isWhole || (isCut && !this.#end.isFinal))) {
      const message = 'The provider ended its stream before the answer was complete.';
      this.#finishWith(new HttpError('upstream_invalid_response', message), out);
    }
    this.#error ??= this.#told;
    return joined(out);
  }

  fail(error: HttpError): Buffer {
    const out: Buffer[] = [];
    // Whoever breaks off after the last record has left nothing out.
    if (this.#error === null && !(this.#end.isFinal && this.#records.isBetweenRecords)) {
      this.#finishWith(error, out);
    }
    this.#error ??= this.#told;
    return joined(out) ?? Buffer.alloc(0);
  }

  idle(): Buffer | null {
    return this.#records.isInsideRecord ? null : KEEP_ALIVE;
  }

  /** Adds a record or a piece of one: as it is, changed, or not at all, since after an error nothing follows. */
  #take({ bytes, begins, ends }: SsePart, out: Buffer[]): void {
    if (this.#error !== null) return;
    if (!begins || !ends) {
      this.#end.lookAtEvent(bytes, begins);
      if (this.#renamer === null) out.push(bytes);
      else this.#renamer.renamePiece(bytes, { begins, ends }, out);
      return;
    }
    const error = this.#errorIn(bytes);
    if (error !== null) {
      this.#finishWith(HttpError.fromUpstream(502, this.#options.clean(error)), out);
      return;
    }
    this.#end.lookAtEvent(bytes, true);
    this.#failure?.note(bytes);
    const told = this.#toldIn(bytes);
    if (told !== null) this.#told = HttpError.fromUpstream(502, this.#options.clean(told));
    const record = told === null ? bytes : this.#options.withoutKey(bytes);
    if (this.#renamer === null) out.push(record);
    else this.#renamer.rename(record, out);
  }

  #finishWith(error: HttpError, out: Buffer[]): void {
    this.#error = error;
    if (this.#records.isInsideRecord) {
      this.#renamer?.end(out);
      out.push(EMPTY_LINE);
    }
    out.push(
      this.#failure === null
        ? sseRecord(JSON.stringify({ error: error.error }))
        : this.#failure.records(error.error),
    );
  }

  /** Parsed only where the bytes could be an error: every token of a long answer passes here. */
  #errorIn(record: Buffer): ErrorObject | null {
    const isTyped = record[0] === LETTER_E && recordEvent(record) === 'error';
    if (!isTyped && !record.includes('"error"')) return null;
    const data = bareLines(record)[0] ?? recordData(record);
    if (data === null || this.#isOwnKind(recordEvent(record))) return null;
    const value = parseErrorJson(data);
    return findErrorObject(value) ?? (isTyped ? findErrorObject({ error: value }) : null);
  }

  /** The error in an `error` or `response.failed` event of a Responses stream. */
  #toldIn(record: Buffer): ErrorObject | null {
    if (this.#failure === null || !(record.includes('"error"') || record.includes('event: error')))
      return null;
    const value = parseErrorJson(recordData(record) ?? '');
    if (!isRecord(value)) return null;
    const type = recordEvent(record) ?? value['type'];
    if (type === 'error') return findErrorObject({ error: value });
    const response = type === 'response.failed' ? value['response'] : null;
    return isRecord(response) ? findErrorObject(response) : null;
  }

  /** The events of the Responses API tell of errors in a form of their own, which its clients read. */
  #isOwnKind(event: string | null): boolean {
    return this.#options.streamEnd === 'responses' && event !== null;
  }
}

/**
 * True for whole records that need not be read: data lines or comments, with LF, without an error. JSON in a data line holds
 * no line end, so the byte after a line end begins a line.
 */
function mayPassUnread(chunk: Buffer): boolean {
  const { length } = chunk;
  if (chunk[length - 1] !== LF || chunk[length - 2] !== LF) return false;
  if (chunk[0] !== LETTER_D && chunk[0] !== COLON) return false;
  return (
    !chunk.includes('"error"') && !chunk.includes('\n{') && !chunk.includes('\ne') && !chunk.includes('\r')
  );
}

function joined(parts: readonly Buffer[]): Buffer | null {
  const [only] = parts;
  return parts.length > 1 ? Buffer.concat(parts) : (only ?? null);
}

/** The last record of a stream that ends without an empty line, which clients need. */
function closed(rest: Buffer): Buffer {
  const last = rest[rest.length - 1];
  return Buffer.concat([rest, Buffer.from(last === LF ? '\n' : '\n\n')]);
}

/** Half an object: no client could read it. */
function isCutOff(rest: Buffer): boolean {
  const text = (recordData(rest) ?? Buffer.alloc(0)).toString('latin1').trimStart();
  return text.startsWith('{') && parseJson(text) === undefined;
}
