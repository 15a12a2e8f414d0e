import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { ChatEvent } from './chat-events.ts';

/** A piece of a tool call, as one chunk has it. */
export interface CallPiece {
  readonly index: number | null;
  readonly id: string | null;
  readonly name: string | null;
  readonly arguments: string;
}

type TextKind = 'reasoning' | 'text' | 'refusal';

interface Call {
  readonly index: number | null;
  /** The provider's id; null: it has not sent one. */
  upstreamId: string | null;
  name: string | null;
  arguments: string;
  readonly end: JsonEnd;
}

type Item = Call | { readonly kind: TextKind; text: string };

/** Far more than any answer has. */
const CALLS_LIMIT = 4096;
const HELD_CHARS = 32 * 1024 * 1024;
/** What an item takes in memory beside its text. */
const ITEM_CHARS = 64;

/**
 * Brings the calls and texts of an answer into a sequence. Providers may send the arguments of several calls by turns, but
 * clients can follow only one at a time: whatever comes after an unfinished call waits until its arguments are complete, or the
 * answer ends. Nothing is lost.
 */
export class CallSequence {
  readonly #emit: (event: ChatEvent) => void;
  /** Gives a call the id by which the client knows it. */
  readonly #idFor: (upstreamId: string | null) => string;
  #callCount = 0;
  #lastCall: Call | null = null;
  readonly #lastByIndex = new Map<number, Call>();
  /** By index and id. */
  readonly #byId = new Map<string, Call>();
  #open: Call | null = null;
  #waiting: Item[] = [];
  #chars = 0;
  #hasBegun = false;

  constructor(emit: (event: ChatEvent) => void, idFor: (upstreamId: string | null) => string) {
    this.#emit = emit;
    this.#idFor = idFor;
  }

  /** About how many characters are kept. */
  get heldChars(): number {
    return this.#chars;
  }

  /** True if the client was told of a call. */
  get hasCalls(): boolean {
    return this.#hasBegun;
  }

  text(kind: TextKind, text: string): void {
    if (this.#open !== null && this.#waiting.length === 0 && this.#open.end.isComplete)
      this.#close(this.#open);
    if (this.#open === null && this.#waiting.length === 0) {
      this.#emit({ kind, text });
      return;
    }
    this.#count(text.length);
    const last = this.#waiting.at(-1);
    if (last !== undefined && 'kind' in last && last.kind === kind) last.text += text;
    else {
      this.#count(ITEM_CHARS);
      this.#waiting.push({ kind, text });
    }
  }

  /** @throws HttpError `upstream_invalid_response` for more calls or arguments than any model makes. */
  call(piece: CallPiece): void {
    const call = this.#find(piece) ?? this.#add(piece);
    if (call.upstreamId === null && piece.id !== null) {
      call.upstreamId = piece.id;
      if (call.index !== null) this.#byId.set(keyOf(call.index, piece.id), call);
    }
    call.name ??= piece.name;
    if (piece.arguments !== '') {
      this.#count(piece.arguments.length);
      call.arguments += piece.arguments;
      call.end.push(piece.arguments);
      if (call === this.#open) this.#emit({ kind: 'arguments', text: piece.arguments });
    }
    if (this.#waiting.length > 0) this.#advance(false);
  }

  /** The answer ends: everything that waits comes now. */
  finish(): void {
    this.#advance(true);
    if (this.#open !== null) this.#close(this.#open);
  }

  /** Without an index, or with the same index for all calls, a new id or a new name after complete arguments is a new call. */
  #find({ index, id, name, arguments: text }: CallPiece): Call | null {
    const last = index === null ? this.#lastCall : (this.#lastByIndex.get(index) ?? null);
    if (last === null) return null;
    if (id !== null && last.upstreamId !== null && id !== last.upstreamId)
      return index === null ? null : (this.#byId.get(keyOf(index, id)) ?? null);
    const isNext = index === null && id === null && name !== null && text !== '' && last.end.isComplete;
    return isNext ? null : last;
  }

  #add({ index }: CallPiece): Call {
    if (this.#callCount >= CALLS_LIMIT) throw tooLarge();
    this.#callCount += 1;
    const call: Call = { index, upstreamId: null, name: null, arguments: '', end: new JsonEnd() };
    this.#lastCall = call;
    if (index !== null) this.#lastByIndex.set(index, call);
    this.#waiting.push(call);
    return call;
  }

  /** Sends what waits, as far as possible; with `isLast` all of it. */
  #advance(isLast: boolean): void {
    const waiting = this.#waiting;
    let done = 0;
    for (const item of waiting) {
      if (this.#open !== null) {
        if (!isLast && !this.#open.end.isComplete) break;
        this.#close(this.#open);
      }
      if ('kind' in item) this.#emit({ kind: item.kind, text: item.text });
      else if (item.name !== null) this.#begin(item, item.name);
      // Its name is still to come; without a name, nobody could run it.
      else if (!isLast) break;
      done += 1;
    }
    if (done > 0) this.#waiting = waiting.slice(done);
  }

  #begin(call: Call, name: string): void {
    this.#open = call;
    this.#hasBegun = true;
    this.#emit({ kind: 'call', id: this.#idFor(call.upstreamId), name });
    if (call.arguments !== '') this.#emit({ kind: 'arguments', text: call.arguments });
  }

  #close(call: Call): void {
    this.#open = null;
    const isWhole = call.arguments.trim() === '' || isRecord(parseJson(call.arguments));
    this.#emit({ kind: 'call_end', arguments: call.arguments, isWhole });
  }

  #count(chars: number): void {
    this.#chars += chars;
    if (this.#chars > HELD_CHARS) throw tooLarge();
  }
}

function keyOf(index: number, id: string): string {
  return `${index} ${id}`;
}

function tooLarge(): HttpError {
  return new HttpError('upstream_invalid_response', 'The tool calls of the provider are too large.');
}

/** Notices the end of a JSON object or array that arrives in pieces, without parsing it again with every piece. */
class JsonEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #hasBegun = false;

  get isComplete(): boolean {
    return this.#hasBegun && this.#depth <= 0;
  }

  push(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === 0x5c) this.#isEscaped = true;
        else if (code === 0x22) this.#isInString = false;
      } else if (code === 0x22) this.#isInString = true;
      else if (code === 0x7b || code === 0x5b) {
        this.#depth += 1;
        this.#hasBegun = true;
      } else if (code === 0x7d || code === 0x5d) this.#depth -= 1;
    }
  }
}
