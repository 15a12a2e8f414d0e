import { recordEvent } from '../http/sse.ts';

/** How a whole event stream ends; null: any end is taken, for vendors differ. */
export type StreamEnd = 'chat' | 'responses' | null;

const DONE = Buffer.from('[DONE]');
const FINISH_REASONS = [Buffer.from('"finish_reason":"'), Buffer.from('"finish_reason": "')];
const RESPONSE_ENDS = ['response.completed', 'response.failed', 'response.incomplete', 'error'] as const;
const RESPONSE_END_TYPES = RESPONSE_ENDS.flatMap((type) => [
  Buffer.from(`"type":"${type}"`),
  Buffer.from(`"type": "${type}"`),
]);
/** A mark may lie across two pieces: so much of a piece is looked at again with the next. */
const OVERLAP_BYTES = 40;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

/**
 * Notices the end of an event stream as it passes: OpenAI's chat streams end with a finish reason and `[DONE]`, Responses
 * streams with an event. Marks are found as bytes: inside a JSON string their quotes would be escaped.
 */
export class StreamEndWatch {
  readonly #kind: StreamEnd;
  #isWhole: boolean;
  #isFinal = false;
  #last: Buffer = NOTHING;

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

  /** Looks at one record, or at several, each of them whole. */
  look(records: Buffer): void {
    if (this.#kind === 'chat') this.#lookForChat(records);
    else if (this.#kind === 'responses') this.#lookForResponse(records, recordEvent(records));
  }

  /** Looks at a piece of a long record; `begins`: its first. */
  lookAtPiece(piece: Buffer, begins: boolean): void {
    const joined = begins ? piece : Buffer.concat([this.#last, piece]);
    if (this.#kind === 'chat') this.#lookForChat(joined);
    else if (this.#kind === 'responses') this.#lookForResponse(joined, begins ? recordEvent(piece) : null);
    this.#last = Buffer.from(joined.subarray(-OVERLAP_BYTES));
  }

  #lookForChat(bytes: Buffer): void {
    if (!this.#isFinal && hasDone(bytes)) {
      this.#isFinal = true;
      this.#isWhole = true;
    }
    if (!this.#isWhole) this.#isWhole = FINISH_REASONS.some((mark) => bytes.includes(mark));
  }

  #lookForResponse(bytes: Buffer, event: string | null): void {
    if (this.#isFinal) return;
    const isEnd =
      event === null
        ? hasDone(bytes) || RESPONSE_END_TYPES.some((mark) => bytes.includes(mark))
        : RESPONSE_ENDS.some((end) => end === event);
    if (!isEnd) return;
    this.#isFinal = true;
    this.#isWhole = true;
  }
}

/** `[DONE]` as the whole data of a record; the same letters inside an answer's text do not count. */
function hasDone(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(DONE); at >= 0; at = bytes.indexOf(DONE, at + DONE.length)) {
    const field = bytes.toString('latin1', Math.max(0, at - 7), at);
    const before = /(?:^|[\r\n])data: ?$/.test(field);
    const after = bytes[at + DONE.length];
    if (before && (after === undefined || after === LINE_FEED || after === CARRIAGE_RETURN)) return true;
  }
  return false;
}
