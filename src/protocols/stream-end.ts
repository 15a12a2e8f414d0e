import { recordEvent } from '../http/sse.ts';
import { CR, LF } from '../http/sse-records.ts';

/** How a complete event stream ends; null accepts any end, because vendors differ. */
export type StreamEnd = 'chat' | 'responses' | 'messages' | null;

const DONE = Buffer.from('[DONE]');
/** Without their first quotes: the search for a byte that is rarer than quotes is faster. */
const FINISH_REASONS = [Buffer.from('finish_reason":"'), Buffer.from('finish_reason": "')];
const RESPONSE_ENDS = ['response.completed', 'response.failed', 'response.incomplete', 'error'] as const;
/** The events that end a stream, and the marks by which they are recognised without an event line. */
const END_EVENTS = {
  responses: { events: RESPONSE_ENDS, marks: marksOf(RESPONSE_ENDS) },
  messages: { events: ['message_stop'], marks: marksOf(['message_stop']) },
} as const;
function marksOf(types: readonly string[]): readonly Buffer[] {
  return types.flatMap((type) => [Buffer.from(`"type":"${type}"`), Buffer.from(`"type": "${type}"`)]);
}

/** A mark may be split between two chunks, so this many bytes on both sides of the seam are searched again. */
const SEAM_BYTES = 40;
const NOTHING = Buffer.alloc(0);

/**
 * Notices the end of an event stream that arrives in chunks of any size. OpenAI's chat streams end with a finish reason and
 * `[DONE]`, Responses and Messages streams with an event. The marks are searched as bytes: inside a JSON string their quotes are escaped.
 */
export class StreamEndWatch {
  readonly #kind: StreamEnd;
  #isWhole: boolean;
  #isFinal = false;
  /** The last bytes of an unfinished line; if shorter than a seam, the whole line so far. */
  #before = NOTHING;
  /** The name of the event that is passing. */
  #event: string | null = null;

  constructor(kind: StreamEnd) {
    this.#kind = kind;
    this.#isWhole = kind === null;
  }

  /** True once the response is complete. The usage or `[DONE]` may still follow. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** True once nothing that matters can follow. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Looks at the next chunk of a chat stream. Chunks may begin and end inside records. */
  look(chunk: Buffer): void {
    if (this.#kind !== 'chat' || this.#isFinal) return;
    if (this.#before.length > 0) {
      const seam = Buffer.concat([this.#before, chunk.subarray(0, SEAM_BYTES)]);
      this.#lookForChat(seam, this.#before.length < SEAM_BYTES);
      this.#lookForChat(chunk, false);
    } else this.#lookForChat(chunk, true);
    this.#keepEnd(chunk);
  }

  /** Looks at a record of a Responses or Messages stream, or at a piece of a long record; `begins` marks the first piece. */
  lookAtEvent(bytes: Buffer, begins: boolean): void {
    if (this.#kind === null || this.#kind === 'chat' || this.#isFinal) return;
    const { events, marks } = END_EVENTS[this.#kind];
    if (begins) this.#event = recordEvent(bytes);
    const joined = begins ? bytes : Buffer.concat([this.#before, bytes]);
    this.#isFinal =
      this.#event === null
        ? hasDone(joined, begins) || marks.some((mark) => joined.includes(mark))
        : events.some((end) => end === this.#event);
    if (this.#isFinal) this.#isWhole = true;
    this.#before = Buffer.from(joined.subarray(-SEAM_BYTES));
  }

  #lookForChat(bytes: Buffer, beginsLine: boolean): void {
    if (hasDone(bytes, beginsLine)) this.#isFinal = true;
    this.#isWhole ||= this.#isFinal || FINISH_REASONS.some((mark) => bytes.includes(mark));
  }

  #keepEnd(chunk: Buffer): void {
    if (chunk[chunk.length - 1] === LF) this.#before = NOTHING;
    else if (chunk.length >= SEAM_BYTES) this.#before = Buffer.from(chunk.subarray(-SEAM_BYTES));
    else this.#before = Buffer.concat([this.#before, chunk]).subarray(-SEAM_BYTES);
  }
}

/** `[DONE]` as the whole data of a record; the same letters inside the model's text do not count. */
function hasDone(bytes: Buffer, beginsLine: boolean): boolean {
  for (let at = bytes.indexOf(DONE); at >= 0; at = bytes.indexOf(DONE, at + DONE.length)) {
    const before = bytes.toString('latin1', Math.max(0, at - 7), at);
    const isData = /[\r\n]data: ?$/.test(before) || (beginsLine && /^data: ?$/.test(before) && at < 7);
    const after = bytes[at + DONE.length];
    if (isData && (after === undefined || after === LF || after === CR)) return true;
  }
  return false;
}
