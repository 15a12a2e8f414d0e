/**
 * Counts the bytes of the model's text in answers, for calls whose provider reports no usage. Streams are searched as bytes:
 * parsing thousands of records would cost more than everything else that is done with them.
 */
import { isRecord } from '../json/value.ts';

const DELTA = Buffer.from('"delta":');
const TEXT = Buffer.from('"text":');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const SPACE = 0x20;
/** Members of a delta that are no text of the model. */
const NAMES = ['role', 'id', 'type', 'object', 'format'].map((name) => Buffer.from(`"${name}"`));

/** The bytes of text in whole records of an event stream: in the deltas of chat and Responses, else in the texts of completions. */
export function streamedTextBytes(records: Buffer): number {
  const counter = new TextCounter(records);
  return counter.count(DELTA) ?? counter.count(TEXT) ?? 0;
}

/** Walks through the values of a member. Uses short loops: calling a native search costs more than looking at fifty bytes. */
class TextCounter {
  readonly #records: Buffer;
  #bytes = 0;

  constructor(records: Buffer) {
    this.#records = records;
  }

  /** The bytes of text in all values of a member; null if there is no such member. `name` ends with a colon. */
  count(name: Buffer): number | null {
    const records = this.#records;
    let at = records.indexOf(name);
    if (at < 0) return null;
    let gap = 0;
    while (at >= 0) {
      const end = this.#countValue(this.#afterSpace(at + name.length));
      // In most streams all that stands between two values is as long as before.
      const next = this.#isAt(end + gap, name) ? end + gap : records.indexOf(name, end);
      gap = next - end;
      at = next;
    }
    return this.#bytes;
  }

  /**
   * Counts the text in a value: a string, or all strings within an object or a list that are not named in `NAMES`. Returns the
   * index behind the value.
   */
  #countValue(start: number): number {
    const records = this.#records;
    const first = records[start];
    if (first === QUOTE) return this.#countString(start);
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return start;
    let depth = 0;
    let isText = true;
    for (let at = start; at < records.length; at++) {
      const byte = records[at];
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) return at + 1;
      } else if (byte === QUOTE) {
        const before = this.#bytes;
        const end = this.#countString(at);
        const isName = records[this.#afterSpace(end)] === COLON;
        if (isName || !isText) this.#bytes = before;
        if (isName) isText = !this.#isOther(at, end);
        at = end - 1;
      }
    }
    return records.length;
  }

  /** Counts a string, in which an escape counts as what it stands for. Returns the index behind its closing quote. */
  #countString(start: number): number {
    const records = this.#records;
    let hasEscapes = false;
    let end = start + 1;
    while (end < records.length && records[end] !== QUOTE) {
      if (records[end] === BACKSLASH) {
        hasEscapes = true;
        end += 1;
      }
      end += 1;
    }
    this.#bytes += hasEscapes ? decodedBytes(records, start, end + 1) : end - start - 1;
    return Math.min(end + 1, records.length);
  }

  #isAt(at: number, bytes: Buffer): boolean {
    for (let index = 0; index < bytes.length; index++) {
      if (this.#records[at + index] !== bytes[index]) return false;
    }
    return true;
  }

  #isOther(start: number, end: number): boolean {
    for (const name of NAMES) if (name.length === end - start && this.#isAt(start, name)) return true;
    return false;
  }

  #afterSpace(from: number): number {
    let at = from;
    while (this.#records[at] === SPACE) at += 1;
    return at;
  }
}

function decodedBytes(records: Buffer, start: number, end: number): number {
  try {
    const text: unknown = JSON.parse(records.toString('utf8', start, end));
    return typeof text === 'string' ? Buffer.byteLength(text) : 0;
  } catch {
    return Math.max(0, end - start - 2);
  }
}

/** The bytes of the model's text in a whole answer: chat, completion, response, transcript or OCR. */
export function answerTextBytes(answer: unknown): number {
  if (!isRecord(answer)) return 0;
  const { choices, output, text } = answer;
  return textIn(choices) + textIn(output) + (typeof text === 'string' ? Buffer.byteLength(text) : 0);
}

const OTHER_MEMBERS = ['role', 'id', 'type', 'object', 'finish_reason', 'status', 'logprobs', 'call_id'];

/** No text of a model is nested deeper, but a hostile answer may be. */
const DEPTH = 64;

function textIn(value: unknown, depth = 0): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (depth === DEPTH) return 0;
  let bytes = 0;
  if (Array.isArray(value)) for (const item of value) bytes += textIn(item, depth + 1);
  else if (isRecord(value)) {
    for (const name in value) if (!OTHER_MEMBERS.includes(name)) bytes += textIn(value[name], depth + 1);
  }
  return bytes;
}
