import { type ErrorObject, HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { compilePatterns, readString, scanJson, splice } from '../http/json-scan.ts';
import { bareLines, dataSpan, recordData, recordEvent, SseRecords, sseRecord } from '../http/sse.ts';
import { isRecord, parseJson } from './json-value.ts';
import { findErrorObject } from './upstream-errors.ts';

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
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
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
  #hasError = false;
  #isBetweenRecords = true;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): Buffer | null {
    const records = this.#records.push(chunk);
    const last = chunk[chunk.length - 1];
    this.#isBetweenRecords = last === NEWLINE || last === CARRIAGE_RETURN;
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
    const taken = rest === null ? null : this.#take(Buffer.concat([rest, closingOf(rest)]));
    if (this.#hasError || this.#isWhole()) return taken;
    const error = new HttpError(
      'upstream_invalid_response',
      'The provider ended its stream before the answer was complete.',
    );
    return Buffer.concat([taken ?? Buffer.alloc(0), errorRecord(error.error)]);
  }

  fail(error: HttpError): Buffer | null {
    return this.#hasError ? Buffer.alloc(0) : errorRecord(error.error);
  }

  idle(): Buffer | null {
    return this.#isBetweenRecords ? KEEP_ALIVE : null;
  }

  /** One whole record: as it is, changed, or dropped (null). */
  #take(record: Buffer): Buffer | null {
    if (record.length < 32 && record.includes('[DONE]')) {
      this.#isDone = true;
      return this.#hasError ? null : record;
    }
    const error = this.#errorIn(record);
    if (error !== null) {
      this.#hasError = true;
      return errorRecord(this.#options.clean(error));
    }
    this.#tail[this.#tailIndex++ % TAIL_RECORDS] = record;
    const { rename } = this.#options;
    return rename !== null && record.includes('"model"') ? renameModel(record, rename) : record;
  }

  /** Parsed only where the bytes could be an error: every token of a long answer passes here. */
  #errorIn(record: Buffer): ErrorObject | null {
    if (!record.includes('"error"')) return null;
    const bare = bareLines(record)[0];
    const data = bare ?? recordData(record);
    const event = recordEvent(record);
    if (data === null || this.#isOwnKind(event)) return null;
    return findErrorObject(parseJson(data));
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

function closingOf(rest: Buffer): Buffer {
  const last = rest[rest.length - 1];
  return Buffer.from(last === NEWLINE || last === CARRIAGE_RETURN ? '\n' : '\n\n');
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
