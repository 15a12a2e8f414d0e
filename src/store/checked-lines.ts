import { giveTurn, Pace } from '../turns.ts';
import { discard, FILE_MODE, readWholeFile, writeWholeFile } from './atomic-file.ts';
import { CRC_START, crc32, finishCrc, nextCrc } from './crc32.ts';
import type { FileOps } from './file-ops.ts';

/** A line is the CRC-32 of its text in 8 hex digits, a space, the text in UTF-8, and a line feed. */
const HEAD_BYTES = 9;
const NEWLINE = 10;
const SPACE = 32;
/** The work between two turns of the event loop. */
const BYTES_PER_TURN = 256 * 1024;
/** The damaged parts of one file that are kept for people. */
const ASIDE_LIMIT_BYTES = 1024 * 1024;

export interface ReadLinesOptions {
  /** A larger file counts as damaged as a whole. */
  readonly limitBytes: number;
  /** Gets the text of each sound line, in order. */
  readonly onText?: (text: string) => void;
  /** Gets the bytes of each sound line's text instead; they are valid during the call only. */
  readonly onBytes?: (bytes: Buffer) => void;
}

/** What gets each sound line; without both members, lines are only checked. */
export type LineHandlers = Pick<ReadLinesOptions, 'onText' | 'onBytes'>;

/** The name under which the damaged parts of a file are set aside. */
export function asidePath(path: string): string {
  return `${path}.damaged`;
}

/** The text of a line, as such or in UTF-8. */
export type LineText = string | Buffer;

/** The size of a line in the file. */
export function sizeOfCheckedLine(text: LineText): number {
  return HEAD_BYTES + Buffer.byteLength(text) + 1;
}

/** One line of a file. @throws if the text holds a line feed. */
export function toCheckedLine(text: LineText): Buffer {
  if (typeof text === 'string' ? text.includes('\n') : text.includes(NEWLINE))
    throw new Error('A checked line cannot hold a line feed.');
  const line = Buffer.allocUnsafe(sizeOfCheckedLine(text));
  if (typeof text === 'string') line.write(text, HEAD_BYTES);
  else line.set(text, HEAD_BYTES);
  const sum = crc32(line.subarray(HEAD_BYTES, -1));
  line.write(`${sum.toString(16).padStart(8, '0')} `, 0, 'latin1');
  line[line.length - 1] = NEWLINE;
  return line;
}

/**
 * Reads a file line by line. Damaged parts are left out: they are moved to `asidePath(path)`, where the disk allows it, and the
 * file is rewritten without them. Nobody may write to the file meanwhile.
 * @returns true if a part was damaged, now or at an earlier time; false also if there is no file.
 * @throws the system's error if the file cannot be read.
 */
export async function readCheckedLines(
  ops: FileOps,
  path: string,
  { limitBytes, ...handlers }: ReadLinesOptions,
): Promise<boolean> {
  const bytes = await readWholeFile(ops, path, limitBytes);
  if (bytes === null) return false;
  if (bytes === 'too-large') {
    await ops.rename(path, asidePath(path)).catch(() => {});
    return true;
  }
  const damaged = await scanCheckedLines(bytes, handlers);
  if (damaged.length > 0) await setAside(ops, path, bytes, damaged).catch(() => {});
  return damaged.length > 0 || (await exists(ops, asidePath(path)));
}

/** Memory in which many files are read, one after the other. */
export class ReadBuffer {
  #bytes = Buffer.alloc(0);

  /** Reads a whole file; the bytes are valid until the next call. @throws the system's error. */
  async read(ops: FileOps, path: string): Promise<Buffer> {
    const file = await ops.open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(size);
      const { bytesRead } = await file.read(this.#bytes, 0, size, 0);
      return this.#bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

/** True if every line of a file is sound. Changes nothing. @throws the system's error. */
export async function areLinesSound(ops: FileOps, path: string, buffer: ReadBuffer): Promise<boolean> {
  return (await scanCheckedLines(await buffer.read(ops, path), {})).length === 0;
}

/** A part of a file: its first byte, and the byte after its last one. */
type Range = readonly [start: number, end: number];

/** Hands each sound line on. Returns the damaged parts, in order. */
export async function scanCheckedLines(bytes: Buffer, handlers: LineHandlers): Promise<Range[]> {
  const damaged: Range[] = [];
  const pace = new Pace(BYTES_PER_TURN, giveTurn);
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    scanLine(bytes, [start, end], { ...handlers, damaged });
    if (pace.isDue(end - start)) await pace.giveTurn();
    start = end + 1;
  }
  return damaged;
}

interface Findings extends LineHandlers {
  readonly damaged: Range[];
}

/** Reads one line. If its line feed was damaged, what looks like one line holds several: each is found by its checksum. */
function scanLine(bytes: Buffer, [first, end]: Range, { onText, onBytes, damaged }: Findings): void {
  let start = first;
  while (start < end) {
    const sum = headOf(bytes, start, end);
    const textStart = start + HEAD_BYTES;
    // Looked at once only: for each of many lines it would take the square of their time.
    const isWhole = sum !== null && start === first && crc32(bytes.subarray(textStart, end)) === sum;
    const textEnd = sum === null || isWhole ? end : prefixEnd(bytes, [textStart, end], sum);
    if (sum === null || textEnd === null) {
      damaged.push([start, end]);
      return;
    }
    onText?.(bytes.toString('utf8', textStart, textEnd));
    onBytes?.(bytes.subarray(textStart, textEnd));
    if (textEnd === end) return;
    damaged.push([textEnd, textEnd + 1]);
    start = textEnd + 1;
  }
}

/** The checksum that a line begins with, or null. */
function headOf(bytes: Buffer, start: number, end: number): number | null {
  if (end - start < HEAD_BYTES || bytes[start + HEAD_BYTES - 1] !== SPACE) return null;
  const digits = bytes.toString('latin1', start, start + HEAD_BYTES - 1);
  return /^[0-9a-f]{8}$/.test(digits) ? Number.parseInt(digits, 16) : null;
}

/** Where the text of this checksum ends, if it is a beginning of the range or all of it; else null. */
function prefixEnd(bytes: Buffer, [start, end]: Range, sum: number): number | null {
  let running = CRC_START;
  for (let index = start; index < end; index++) {
    if (index > start && finishCrc(running) === sum) return index;
    running = nextCrc(running, bytes[index] ?? 0);
  }
  return finishCrc(running) === sum ? end : null;
}

/** The text of one line, which is given without its line feed; null if the line is not sound. */
export function readCheckedLine(line: Buffer): string | null {
  const sum = headOf(line, 0, line.length);
  if (sum === null || crc32(line.subarray(HEAD_BYTES)) !== sum) return null;
  return line.toString('utf8', HEAD_BYTES);
}

/** Appends the damaged parts to their own file, then writes the file without them. */
async function setAside(ops: FileOps, path: string, bytes: Buffer, damaged: readonly Range[]): Promise<void> {
  const bad = damaged.map(([start, end]) => Buffer.concat([bytes.subarray(start, end), LINE_FEED]));
  const aside = await ops.open(asidePath(path), 'a', FILE_MODE);
  try {
    const { size } = await aside.stat();
    const room = Math.max(0, ASIDE_LIMIT_BYTES - size);
    await aside.appendFile(Buffer.concat(bad).subarray(0, room));
    await aside.sync();
  } finally {
    await aside.close();
  }
  const sound: Buffer[] = [];
  let start = 0;
  for (const [from, to] of damaged) {
    sound.push(bytes.subarray(start, from), LINE_FEED);
    start = to;
  }
  await replaceFile(ops, path, Buffer.concat([...sound, bytes.subarray(start)]));
}

const LINE_FEED = Buffer.from('\n');

/**
 * Appends lines. The file is made if there is none. Calls for one file must not overlap.
 * @param isDurable wait until the lines are on the disk; false: a power failure may lose the last of them
 * @returns the size of the file. @throws the system's error; the last line may then be torn, which the next call ends.
 */
export async function appendCheckedLines(
  ops: FileOps,
  path: string,
  texts: readonly LineText[],
  { isDurable = true } = {},
): Promise<number> {
  const lines = texts.map(toCheckedLine);
  const file = await ops.open(path, 'a+', FILE_MODE);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1, NEWLINE);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    if (last[0] !== NEWLINE) lines.unshift(LINE_FEED);
    const bytes = Buffer.concat(lines);
    await file.appendFile(bytes);
    if (isDurable) await file.datasync();
    return size + bytes.length;
  } finally {
    await file.close();
  }
}

/**
 * Replaces a file as a whole: after a crash all of the old or all of the new lines are there. Calls must not overlap.
 * @returns the size of the file. @throws the system's error; the old file stays then.
 */
export async function writeCheckedLines(
  ops: FileOps,
  path: string,
  texts: Iterable<string>,
): Promise<number> {
  const lines: Buffer[] = [];
  const pace = new Pace(BYTES_PER_TURN, giveTurn);
  for (const text of texts) {
    const line = toCheckedLine(text);
    lines.push(line);
    if (pace.isDue(line.length)) await pace.giveTurn();
  }
  const bytes = Buffer.concat(lines);
  await replaceFile(ops, path, bytes);
  return bytes.length;
}

async function replaceFile(ops: FileOps, path: string, bytes: Buffer): Promise<void> {
  const temp = `${path}.tmp`;
  // A crash may have left one.
  await discard(ops, temp);
  await writeWholeFile(ops, { path, temp }, bytes);
}

async function exists(ops: FileOps, path: string): Promise<boolean> {
  return await ops.stat(path).then(
    () => true,
    () => false,
  );
}
