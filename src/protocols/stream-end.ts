import { recordEvent } from '../http/sse.ts';
import { CR, LF } from '../http/sse-records.ts';

/** How a whole event stream ends; null: any end is taken, for vendors differ. */
export type StreamEnd = 'chat' | 'responses' | null;

const DONE = Buffer.from('[DONE]');
const FINISH_REASONS = [Buffer.from('"finish_reason":"'), Buffer.from('"finish_reason": "')];
const RESPONSE_ENDS = ['response.completed', 'response.failed', 'response.incomplete', 'error'] as const;
const RESPONSE_END_TYPES = RESPONSE_ENDS.flatMap((type) => [
  Buffer.from(`"type":"${type}"`),
  Buffer.from(`"type": "${type}"`),
]);
/** A mark may lie across two chunks: so much on both sides of their seam is looked at once more. */
const SEAM_BYTES = 40;
const NOTHING = Buffer.alloc(0);

/**
 * Notices the end of an event stream as it passes, however it is cut: OpenAI's chat streams end with a finish reason and
 * `[DONE]`, Responses streams with an event. Marks are found as bytes: inside a JSON string their quotes are escaped.
 */
export class StreamEndWatch {
  readonly #kind: StreamEnd;
  #isWhole: boolean;
  #isFinal = false;
  /** What was last seen of a line that is not over; less than a seam: all of it. */
  #before = NOTHING;
  /** The name of the event that is passing. */
  #event: string | null = null;

  constructor(kind: StreamEnd) {
    this.#kind = kind;
    this.#isWhole = kind === null;
  }

  /** True once the answer is complete, although more may follow: the usage, `[DONE]`. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** True once nothing of use can follow. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Looks at the next chunk of a chat stream, wherever its records begin and end. */
  look(chunk: Buffer): void {
    if (this.#kind !== 'chat' || this.#isFinal) return;
    if (this.#before.length > 0) {
      const seam = Buffer.concat([this.#before, chunk.subarray(0, SEAM_BYTES)]);
      this.#lookForChat(seam, this.#before.length < SEAM_BYTES);
      this.#lookForChat(chunk, false);
    } else this.#lookForChat(chunk, true);
    this.#keepEnd(chunk);
  }

  /** Looks at a record of a Responses stream, or at the next piece of a long one; `begins`: its first. */
  lookAtEvent(bytes: Buffer, begins: boolean): void {
    if (this.#kind !== 'responses' || this.#isFinal) return;
    if (begins) this.#event = recordEvent(bytes);
    const joined = begins ? bytes : Buffer.concat([this.#before, bytes]);
    this.#isFinal =
      this.#event === null
        ? hasDone(joined, begins) || RESPONSE_END_TYPES.some((mark) => joined.includes(mark))
        : RESPONSE_ENDS.some((end) => end === this.#event);
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

/** `[DONE]` as the whole data of a record; the same letters inside an answer's text do not count. */
function hasDone(bytes: Buffer, beginsLine: boolean): boolean {
  for (let at = bytes.indexOf(DONE); at >= 0; at = bytes.indexOf(DONE, at + DONE.length)) {
    const before = bytes.toString('latin1', Math.max(0, at - 7), at);
    const isData = /[\r\n]data: ?$/.test(before) || (beginsLine && /^data: ?$/.test(before) && at < 7);
    const after = bytes[at + DONE.length];
    if (isData && (after === undefined || after === LF || after === CR)) return true;
  }
  return false;
}
