import type { ErrorObject } from '../errors.ts';
import { recordData, recordEvent } from '../http/sse.ts';
import { SseRecords } from '../http/sse-records.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { StreamEnd } from './stream-end.ts';
import { findResponsesError, findStreamError } from './stream-errors.ts';

/** What the bytes of a stream have shown so far: its content begins, it reports an error, or neither. */
export type StreamFinding =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'content' }
  | { readonly kind: 'error'; readonly error: ErrorObject };

/** A stream that has sent this much counts as begun. */
const START_BYTES = 64 * 1024;
const NOTHING: StreamFinding = { kind: 'nothing' };
const CONTENT: StreamFinding = { kind: 'content' };
/** Events of the Responses and Messages APIs that say only that the request was accepted, or that the connection is alive. */
const EARLY_EVENTS: ReadonlySet<string> = new Set([
  'message_start',
  'response.created',
  'response.in_progress',
  'response.queued',
  'keepalive',
  'ping',
]);

/**
 * Finds the first record of an event stream that has content. Until then another provider can be tried, because the client has
 * seen nothing. Content is every record but comments, errors, and chunks without choices or with nothing but a role or empty
 * content; a tool call, reasoning, a refusal, a finish reason and `[DONE]` are content.
 */
export class StreamStart {
  readonly #streamEnd: StreamEnd;
  readonly #records = new SseRecords(START_BYTES);
  #bytes = 0;

  constructor(streamEnd: StreamEnd) {
    this.#streamEnd = streamEnd;
  }

  /** Looks at the next bytes. Once it has found something, it must not be called again. */
  push(chunk: Buffer): StreamFinding {
    this.#bytes += chunk.length;
    for (const { bytes, begins, ends } of this.#records.push(chunk)) {
      const found = begins && ends ? this.#look(bytes) : CONTENT;
      if (found.kind !== 'nothing') return found;
    }
    return this.#bytes >= START_BYTES ? CONTENT : NOTHING;
  }

  /** The stream has ended cleanly; its last record may lack its empty line, or may have been cut off. */
  end(): StreamFinding {
    const last = this.#records.end();
    if (last === null) return NOTHING;
    const found = this.#look(last);
    return found.kind === 'content' && isCutOff(last) ? NOTHING : found;
  }

  #look(record: Buffer): StreamFinding {
    const isResponses = this.#streamEnd === 'responses';
    const error =
      findStreamError(record, this.#streamEnd) ?? (isResponses ? findResponsesError(record) : null);
    if (error !== null) return { kind: 'error', error };
    const data = recordData(record);
    if (data === null || data.length === 0) return NOTHING;
    if (this.#streamEnd === 'chat') return hasChatContent(data) ? CONTENT : NOTHING;
    const hasEvents = isResponses || this.#streamEnd === 'messages';
    return hasEvents && EARLY_EVENTS.has(eventOf(record, data)) ? NOTHING : CONTENT;
  }
}

function eventOf(record: Buffer, data: Buffer): string {
  const event = recordEvent(record);
  if (event !== null) return event;
  const value = parseJson(data);
  return isRecord(value) ? String(value['type']) : '';
}

/** Data that is no object, such as `[DONE]`, is content. */
function hasChatContent(data: Buffer): boolean {
  const value = parseJson(data);
  if (!isRecord(value)) return true;
  const { choices } = value;
  return Array.isArray(choices) && choices.some((choice) => isRecord(choice) && isChoiceWithContent(choice));
}

function isChoiceWithContent({
  delta,
  message,
  text,
  finish_reason: reason,
}: Record<string, unknown>): boolean {
  return isFilled(text) || isFilled(reason) || isMessageWithContent(delta) || isMessageWithContent(message);
}

function isMessageWithContent(message: unknown): boolean {
  if (!isRecord(message)) return false;
  for (const name in message) if (name !== 'role' && isFilled(message[name])) return true;
  return false;
}

/** True for a text, a list or an object that is not empty. */
function isFilled(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) && Object.keys(value).length > 0;
}

/** True if the data begins as an object and is not JSON. */
function isCutOff(record: Buffer): boolean {
  const text = recordData(record)?.toString('utf8').trimStart() ?? '';
  return text.startsWith('{') && parseJson(text) === undefined;
}
