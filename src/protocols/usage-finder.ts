import { parseJson } from '../json/value.ts';
import type { Usage } from '../usage/usage.ts';
import { readUsage } from './usage-dialects.ts';

/** Answers up to this size are kept whole. */
const HELD_BYTES = 64 * 1024;
/** How much of the beginning and of the end of a longer answer is searched. */
const ENDS_BYTES = 16 * 1024;
const USAGE = Buffer.from('"usage"');
const PICTURE_NAMES = [Buffer.from('"b64_json"'), Buffer.from('"url"')];
const LONGEST_NAME = 10;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NOTHING = Buffer.alloc(0);

/**
 * Finds the usage in JSON that passes in pieces and is too long to be held: in its first and last bytes, where providers write it.
 * Quotes within JSON strings are escaped, so `"usage":` is always a member; one without known numbers is passed over.
 */
export class UsageFinder {
  #start: Buffer[] = [];
  #startBytes = 0;
  #tail = NOTHING;
  #length = 0;
  #pictures = 0;

  /** The pictures so far. */
  get images(): number {
    return this.#pictures;
  }

  push(piece: Buffer): void {
    if (this.#startBytes < HELD_BYTES) {
      const kept = Buffer.from(piece.subarray(0, HELD_BYTES - this.#startBytes));
      this.#start.push(kept);
      this.#startBytes += kept.length;
    }
    const seam = Buffer.concat([this.#tail.subarray(-LONGEST_NAME + 1), piece.subarray(0, LONGEST_NAME - 1)]);
    this.#pictures += picturesIn(piece) + (this.#length > 0 ? picturesIn(seam) : 0);
    this.#length += piece.length;
    this.#tail =
      piece.length >= ENDS_BYTES
        ? Buffer.from(piece.subarray(-ENDS_BYTES))
        : Buffer.concat([this.#tail.subarray(-(ENDS_BYTES - piece.length)), piece]);
  }

  /** The whole answer, if it was short enough; else null. */
  wholeAnswer(): Buffer | null {
    return this.#length <= HELD_BYTES ? Buffer.concat(this.#start) : null;
  }

  /** The usage, from the end or the beginning; null if it stands nowhere there. */
  find(): Usage | null {
    return lastUsage(this.#tail) ?? lastUsage(Buffer.concat(this.#start).subarray(0, ENDS_BYTES));
  }
}

function picturesIn(bytes: Buffer): number {
  let count = 0;
  for (const name of PICTURE_NAMES) {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + name.length)) count += 1;
  }
  return count;
}

function lastUsage(bytes: Buffer): Usage | null {
  let at = bytes.lastIndexOf(USAGE);
  while (at >= 0) {
    const usage = usageAt(bytes, at + USAGE.length);
    if (usage !== null) return usage;
    at = at === 0 ? -1 : bytes.lastIndexOf(USAGE, at - 1);
  }
  return null;
}

function usageAt(bytes: Buffer, from: number): Usage | null {
  let start = from;
  while (bytes[start] === COLON || (bytes[start] ?? 0x21) <= 0x20) start += 1;
  if (bytes[start] !== OPEN_BRACE) return null;
  const end = endOfObject(bytes, start);
  return end === null ? null : readUsage(parseJson(bytes.subarray(start, end)));
}

/** The index behind the object that begins at `start`; null if it does not end within the bytes. */
function endOfObject(bytes: Buffer, start: number): number | null {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === OPEN_BRACE) depth += 1;
    else if (byte === CLOSE_BRACE) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return null;
}
