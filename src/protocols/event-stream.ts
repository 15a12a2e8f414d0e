import { type ErrorObject, HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { compilePatterns, scanJson, splice } from '../http/json-scan.ts';
import { isRecord, parseJson } from '../http/json-value.ts';
import { bareLines, dataSpan, recordData, recordEvent, SseRecords, sseRecord } from '../http/sse.ts';
import { findErrorObject, parseErrorJson } from './upstream-errors.ts';

export interface EventStreamOptions {
  /** The name to put wherever an event names its model; null leaves the upstream's. */
  readonly model: string | null;
  /** How a whole stream ends; null: any end is taken. */
  readonly streamEnd: 'chat' | 'responses' | null;
  /** Removes secrets from an error that came in the stream. */
  readonly clean: (error: ErrorObject) => ErrorObject;
}

const RECORD_LIMIT_BYTES = 4 * 1024 * 1024;
/** So many last records are looked at for a finish reason: the usage chunk and comments may follow it. */
const TAIL_RECORDS = 16;
const TAIL_BYTES = 4096;
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
  readonly #renamer: ModelRenamer | null;
  #hasFailed = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#renamer = options.model === null ? null : new ModelRenamer(options.model);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#renamer === null && !this.#hasFailed && this.#records.isBetweenRecords && isPlain(chunk)) {
      this.#keep(chunk);
      return chunk;
    }
    const parts: Buffer[] = [];
    for (const record of this.#records.push(chunk)) this.#take(record, parts);
    const [only] = parts;
    return parts.length > 1 ? Buffer.concat(parts) : (only ?? null);
  }

  end(): Buffer | null {
    const rest = this.#records.end();
    const parts: Buffer[] = [];
    if (rest !== null && !isCutOff(rest)) this.#take(closed(rest), parts);
    if (this.#hasFailed || this.#isWhole()) return parts.length === 0 ? null : Buffer.concat(parts);
    this.#hasFailed = true;
    const error = new HttpError(
      'upstream_invalid_response',
      'The provider ended its stream before the answer was complete.',
    );
    return Buffer.concat([...parts, errorRecord(error.error)]);
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

  /** Adds one whole record: as it is, changed, or not at all, since after an error nothing follows. */
  #take(record: Buffer, parts: Buffer[]): void {
    if (this.#hasFailed) return;
    const error = this.#errorIn(record);
    if (error !== null) {
      this.#hasFailed = true;
      parts.push(errorRecord(this.#options.clean(error)));
      return;
    }
    this.#keep(record);
    if (this.#renamer === null) parts.push(record);
    else this.#renamer.rename(record, parts);
  }

  /**
   * The last bytes tell at the end whether the stream was whole. Small ones are kept as views, which cost no copy for
   * each token: at worst they keep as many reads alive as there are places.
   */
  #keep(bytes: Buffer): void {
    const kept = bytes.length > TAIL_BYTES ? Buffer.from(bytes.subarray(-TAIL_BYTES)) : bytes;
    this.#tail[this.#tailIndex++ % TAIL_RECORDS] = kept;
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
    if (streamEnd === null) return true;
    const records = this.#tail.flatMap((bytes) => new SseRecords(RECORD_LIMIT_BYTES).push(bytes));
    return records.some(
      (record) => isDone(record) || (streamEnd === 'chat' ? hasFinishReason(record) : endsResponse(record)),
    );
  }
}

const LETTER_D = 0x64;
const COLON = 0x3a;

/**
 * True for whole records of which none needs a closer look: data lines or comments, in LF, that do not speak of an error.
 * JSON in a data line holds no line end, so what follows one begins a line.
 */
function isPlain(chunk: Buffer): boolean {
  const { length } = chunk;
  if (chunk[length - 1] !== LINE_FEED || chunk[length - 2] !== LINE_FEED) return false;
  if (chunk[0] !== LETTER_D && chunk[0] !== COLON) return false;
  return (
    !chunk.includes('"error"') && !chunk.includes('\n{') && !chunk.includes('\ne') && !chunk.includes('\r')
  );
}

function isDone(record: Buffer): boolean {
  return record.length < 32 && record.includes('[DONE]');
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

/**
 * Puts the asked-for model into events. The events of one stream are alike up to their model, so after the first one
 * that beginning is compared as bytes, and swapped.
 */
class ModelRenamer {
  readonly #to: string;
  #prefix: Buffer | null = null;
  #renamedPrefix = Buffer.alloc(0);

  constructor(to: string) {
    this.#to = to;
  }

  /** Adds the record, with its model swapped, in one or two pieces. */
  rename(record: Buffer, parts: Buffer[]): void {
    const prefix = this.#prefix;
    if (
      prefix !== null &&
      record.length > prefix.length &&
      prefix.equals(record.subarray(0, prefix.length))
    ) {
      const rest = record.subarray(prefix.length);
      if (!rest.includes('"model"')) {
        parts.push(this.#renamedPrefix, rest);
        return;
      }
    }
    parts.push(record.includes('"model"') ? this.#renameSlowly(record) : record);
  }

  #renameSlowly(record: Buffer): Buffer {
    const span = dataSpan(record);
    if (span === null) return record;
    const data = record.subarray(span.start, span.end);
    const bytes = Buffer.from(JSON.stringify(this.#to));
    try {
      const found = scanJson(data, MODEL_PATTERNS).matches.filter(({ kind }) => kind === 'string');
      const patches = found.map(({ start, end }) => ({
        start: start + span.start,
        end: end + span.start,
        bytes,
      }));
      const [first] = patches;
      if (first === undefined) return record;
      if (patches.length === 1) {
        this.#prefix = Buffer.from(record.subarray(0, first.end));
        this.#renamedPrefix = Buffer.concat([record.subarray(0, first.start), bytes]);
      }
      return Buffer.concat(splice(record, patches));
    } catch {
      // Not JSON: nothing of ours to change.
      return record;
    }
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
