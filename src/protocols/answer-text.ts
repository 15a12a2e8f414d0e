import { isRecord } from '../json/value.ts';

/**
 * Counts the bytes of the model's text in answers, for calls whose provider reports no usage. Streams are searched as bytes,
 * because to parse each of thousands of records would cost more than all else that is done with them.
 */

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
  let bytes = 0;
  let at = records.indexOf(DELTA);
  if (at < 0) return valueBytes(records, TEXT);
  for (; at >= 0; at = records.indexOf(DELTA, at + DELTA.length)) {
    bytes += bytesOfValue(records, afterSpace(records, at + DELTA.length));
  }
  return bytes;
}

function valueBytes(records: Buffer, name: Buffer): number {
  let bytes = 0;
  for (let at = records.indexOf(name); at >= 0; at = records.indexOf(name, at + name.length)) {
    bytes += bytesOfValue(records, afterSpace(records, at + name.length));
  }
  return bytes;
}

/** The bytes of text in a value: a string, or all strings within an object or a list that are not named in `NAMES`. */
function bytesOfValue(records: Buffer, start: number): number {
  if (records[start] === QUOTE) return stringBytes(records, start, endOfString(records, start));
  if (records[start] !== OPEN_BRACE && records[start] !== OPEN_BRACKET) return 0;
  let bytes = 0;
  let depth = 0;
  let isText = true;
  for (let at = start; at < records.length; at++) {
    const byte = records[at];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) break;
    } else if (byte === QUOTE) {
      const end = endOfString(records, at);
      if (records[afterSpace(records, end)] === COLON) isText = !isNamed(records, at, end);
      else if (isText) bytes += stringBytes(records, at, end);
      at = end - 1;
    }
  }
  return bytes;
}

/** The index behind the closing quote. */
function endOfString(records: Buffer, start: number): number {
  for (let at = records.indexOf(QUOTE, start + 1); at >= 0; at = records.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (records[at - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return records.length;
}

/** The bytes of a string as text: an escape counts as what it stands for. */
function stringBytes(records: Buffer, start: number, end: number): number {
  const firstEscape = records.indexOf(BACKSLASH, start);
  if (firstEscape < 0 || firstEscape >= end) return Math.max(0, end - start - 2);
  try {
    const text: unknown = JSON.parse(records.toString('utf8', start, end));
    return typeof text === 'string' ? Buffer.byteLength(text) : 0;
  } catch {
    return Math.max(0, end - start - 2);
  }
}

function isNamed(records: Buffer, start: number, end: number): boolean {
  for (const name of NAMES) {
    if (name.length === end - start && name.compare(records, start, end) === 0) return true;
  }
  return false;
}

function afterSpace(records: Buffer, from: number): number {
  let at = from;
  while (records[at] === SPACE) at += 1;
  return at;
}

/** The bytes of the model's text in a whole answer: chat, completion, response, transcript or OCR. */
export function answerTextBytes(answer: unknown): number {
  if (!isRecord(answer)) return 0;
  const { choices, output, text } = answer;
  return textIn(choices) + textIn(output) + (typeof text === 'string' ? Buffer.byteLength(text) : 0);
}

const OTHER_MEMBERS = ['role', 'id', 'type', 'object', 'finish_reason', 'status', 'logprobs', 'call_id'];

function textIn(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  let bytes = 0;
  if (Array.isArray(value)) for (const item of value) bytes += textIn(item);
  else if (isRecord(value)) {
    for (const name in value) if (!OTHER_MEMBERS.includes(name)) bytes += textIn(value[name]);
  }
  return bytes;
}
