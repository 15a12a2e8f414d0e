import { type ErrorObject, HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { compilePatterns, readString, scanJson, splice } from '../http/json-scan.ts';
import { bareLines, dataSpan, recordData, recordEvent, SseRecords, sseRecord } from '../http/sse.ts';
import { isRecord, parseJson } from './json-value.ts';
import { findErrorObject, parseErrorJson } from './upstream-errors.ts';

export interface EventStreamOptions {
  /** Put in place of `from` wherever an event names its model; null leaves events as they are. */
  readonly rename: { readonly from: string; readonly to: string } | null;
  /** How a whole stream ends; null: any end is taken. */
  readonly streamEnd: 'chat' | 'responses' | null;
  /** Removes secrets from an error that came in the stream. */
  readonly clean: (error: ErrorObject) => ErrorObject;
}

const RECORD_LIMIT_BYTES = 4 * 1024 * 1024;
/** So many last records are looked at for a finish reason: the usage chunk and comments may follow it. */
const TAIL_RECORDS = 16;
const MODEL_PATTERNS = compilePatterns(['model', 'response.model']);
const LINE_FEED = 0x0a;
/** The first letter of `event:`. */
const LETTER_E = 0x65;
const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
const RESPONSES_END = ['response.completed', 'response.failed', 'response.incomplete', 'error'];

/**
 * An event stream on its way to the client. Records pass as their own bytes in the moment their last byte is there;
 * only what a client could not read is changed: the model's name, errors in dialects that SDKs overlook (vLLM's flat
 * object, Chutes' bare JSON line), a missing last line end. A stream that stops before its end gets an error record.
 */
export class EventStream implements BodyTransform {
  readonly #options: EventStreamOptions;
  readonly #records = new SseRecords(RECORD_LIMIT_BYTES);
  readonly #tail: Buffer[] = [];
  #tailIndex = 0;
  #isDone = false;
  #hasFailed = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  push(chunk: Buffer): Buffer | null {
    const records = this.#records.push(chunk);
    const [only] = records;
    if (only !== undefined && records.length === 1) return this.#take(only);
    const parts: Buffer[] = [];
    for (const record of records) {
      const taken = this.#take(record);
      if (taken !== null) parts.push(taken);
    }
    return parts.length === 0 ? null : Buffer.concat(parts);
  }

  end(): Buffer | null {
    const rest = this.#records.end();
    const taken = rest === null || isCutOff(rest) ? null : this.#take(closed(rest));
    if (this.#hasFailed || this.#isWhole()) return taken;
    this.#hasFailed = true;
    const error = new HttpError(
      'upstream_invalid_response',
      'The provider ended its stream before the answer was complete.',
    );
    return Buffer.concat([taken ?? Buffer.alloc(0), errorRecord(error.error)]);
  }

  fail(error: HttpError): Buffer | null {
    if (this.#hasFailed) return Buffer.alloc(0);
    this.#hasFailed = true;
    return errorRecord(error.error);
  }

  /** Always in place: the client has been sent whole records only. */
  idle(): Buffer | null {
    return KEEP_ALIVE;
  }

  /** One whole record: as it is, changed, or dropped (null): after an error nothing follows. */
  #take(record: Buffer): Buffer | null {
    if (this.#hasFailed) return null;
    if (record.length < 32 && record.includes('[DONE]')) {
      this.#isDone = true;
      return record;
    }
    const error = this.#errorIn(record);
    if (error !== null) {
      this.#hasFailed = true;
      return errorRecord(this.#options.clean(error));
    }
    this.#tail[this.#tailIndex++ % TAIL_RECORDS] = record;
    const { rename } = this.#options;
    return rename !== null && record.includes('"model"') ? renameModel(record, rename) : record;
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

  /** The events of the Responses API tell of errors in a form of their own, which its clients read. */
  #isOwnKind(event: string | null): boolean {
    return this.#options.streamEnd === 'responses' && event !== null;
  }

  #isWhole(): boolean {
    const { streamEnd } = this.#options;
    if (this.#isDone || streamEnd === null) return true;
    return this.#tail.some((record) =>
      streamEnd === 'chat' ? hasFinishReason(record) : endsResponse(record),
    );
  }
}

function errorRecord(error: ErrorObject): Buffer {
  return sseRecord(JSON.stringify({ error }));
}

/** The last record of a stream that ends without an empty line, which clients need. */
function closed(rest: Buffer): Buffer {
  const last = rest[rest.length - 1];
  return Buffer.concat([rest, Buffer.from(last === LINE_FEED ? '\n' : '\n\n')]);
}

/** Half an object: no client could read it. */
function isCutOff(rest: Buffer): boolean {
  const text = (recordData(rest) ?? Buffer.alloc(0)).toString('latin1').trimStart();
  return text.startsWith('{') && parseJson(text) === undefined;
}

function renameModel(record: Buffer, rename: { readonly from: string; readonly to: string }): Buffer {
  const span = dataSpan(record);
  if (span === null) return record;
  const data = record.subarray(span.start, span.end);
  try {
    const scan = scanJson(data, MODEL_PATTERNS);
    const patches = scan.matches.flatMap((match) =>
      match.kind === 'string' && readString(data, match) !== rename.to
        ? [
            {
              start: match.start + span.start,
              end: match.end + span.start,
              bytes: Buffer.from(JSON.stringify(rename.to)),
            },
          ]
        : [],
    );
    return patches.length === 0 ? record : Buffer.concat(splice(record, patches));
  } catch {
    // Not JSON: nothing of ours to change.
    return record;
  }
}

function hasFinishReason(record: Buffer): boolean {
  if (!record.includes('"finish_reason"')) return false;
  const value = parseJson(recordData(record) ?? Buffer.alloc(0));
  const choices = isRecord(value) && Array.isArray(value['choices']) ? value['choices'] : [];
  return choices.some((choice: unknown) => isRecord(choice) && typeof choice['finish_reason'] === 'string');
}

function endsResponse(record: Buffer): boolean {
  const event = recordEvent(record);
  if (event !== null) return RESPONSES_END.includes(event);
  const value = parseJson(recordData(record) ?? Buffer.alloc(0));
  return isRecord(value) && RESPONSES_END.includes(String(value['type']));
}
