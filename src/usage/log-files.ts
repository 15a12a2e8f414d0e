import { type FileHandle, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  appendCheckedLines,
  type LineText,
  readCheckedLine,
  sizeOfCheckedLine,
} from '../store/checked-lines.ts';
import { type FileOps, orMissing } from '../store/file-ops.ts';

/** The log is split into this many files, because space is made by deleting the oldest. */
const FILES = 8;
const PIECE_BYTES = 64 * 1024;
const NEWLINE = 10;
const NAME = /^requests-(\d{1,15})\.log$/;

/** Where a line begins. */
export interface Position {
  /** The number of its file; newer files have higher numbers. */
  readonly generation: number;
  readonly offset: number;
}

export interface LogLine {
  readonly text: string;
  readonly position: Position;
}

/** A part of a file, read at once. */
export interface LogPiece {
  /** The sound lines, the last first. */
  readonly lines: readonly LogLine[];
  /** The lines before the piece are those before this position. */
  readonly start: Position;
}

export interface LogFilesOptions {
  readonly folder: string;
  /** What all files together may hold. */
  readonly limitBytes: number;
  readonly ops: FileOps;
}

/** The files of the request log: lines are appended to the newest and read backwards. Damaged lines are skipped. */
export class LogFiles {
  readonly #options: LogFilesOptions;
  /** The bytes of each file, by its generation, the oldest first. */
  readonly #sizes: Map<number, number>;
  /** True after a failed write: the newest file may then hold more than its size here. */
  #isUncertain = false;

  private constructor(options: LogFilesOptions, sizes: Iterable<readonly [number, number]>) {
    this.#options = options;
    this.#sizes = new Map(sizes);
  }

  /** Finds the files of earlier runs; the oldest are deleted if there is more than the limit. @throws the system's error. */
  static async open(options: LogFilesOptions): Promise<LogFiles> {
    const { ops, folder } = options;
    const names = (await orMissing(ops.list(folder))) ?? [];
    const found: [number, number][] = [];
    for (const name of names) {
      const generation = NAME.exec(name)?.[1];
      if (generation === undefined) continue;
      const { size } = await ops.stat(join(folder, name));
      found.push([Number(generation), Number(size)]);
    }
    const files = new LogFiles(
      options,
      found.sort(([one], [other]) => one - other),
    );
    await files.#makeRoom(0);
    return files;
  }

  get sizeBytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  /** False for a position in a file that was deleted for newer ones. */
  holds({ generation }: Position): boolean {
    return this.#sizes.has(generation);
  }

  /** The end of what is written. */
  end(): Position {
    const generation = this.#newest();
    return { generation, offset: this.#sizes.get(generation) ?? 0 };
  }

  /**
   * Appends lines. Calls must not overlap.
   * @param onWritten gets the position of each line, before any other code sees the new end
   * @throws the system's error; none of the lines counts as written then.
   */
  async append(
    texts: readonly LineText[],
    onWritten: (positions: readonly Position[]) => void = () => {},
  ): Promise<void> {
    const { ops } = this.#options;
    const sizes = texts.map(sizeOfCheckedLine);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const generation = await this.#fileFor(bytes);
    const path = this.#path(generation);
    if (this.#isUncertain) await this.#repair(path, this.#sizes.get(generation) ?? 0);
    this.#isUncertain = true;
    // Not worth a wait for the disk several times a second.
    const end = await appendCheckedLines(ops, path, texts, { isDurable: false });
    this.#isUncertain = false;
    this.#sizes.set(generation, end);
    let offset = end - bytes;
    onWritten(
      sizes.map((size) => {
        const position = { generation, offset };
        offset += size;
        return position;
      }),
    );
  }

  /** The pieces before a position, the last first. A file that is deleted meanwhile is left out. @throws the system's error. */
  async *piecesBefore(before: Position): AsyncGenerator<LogPiece> {
    for (const [generation, size] of [...this.#sizes].reverse()) {
      if (generation > before.generation) continue;
      const end = generation === before.generation ? Math.min(size, before.offset) : size;
      yield* this.#piecesOf(generation, end);
    }
  }

  async *#piecesOf(generation: number, end: number): AsyncGenerator<LogPiece> {
    const file = await orMissing(this.#options.ops.open(this.#path(generation), 'r'));
    if (file === null) return;
    try {
      let at = end;
      /** The end of a line whose beginning is in the piece before. */
      let rest: Buffer = Buffer.alloc(0);
      while (at > 0) {
        const start = Math.max(0, at - PIECE_BYTES);
        const bytes = Buffer.concat([await readAt(file, start, at - start), rest]);
        const first = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
        yield {
          lines: linesOf(bytes, first, { generation, offset: start }),
          start: { generation, offset: start + first },
        };
        // Without a line feed in a whole piece there is no line in it: lines are shorter.
        rest = bytes.subarray(0, first);
        at = start;
      }
    } finally {
      await file.close();
    }
  }

  /** The file for the next lines: the newest, or a new one if that is full. */
  async #fileFor(bytes: number): Promise<number> {
    const newest = this.#newest();
    const size = this.#sizes.get(newest);
    const fileLimit = this.#options.limitBytes / FILES;
    if (size !== undefined && (size === 0 || size + bytes <= fileLimit)) return newest;
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    await this.#makeRoom(fileLimit);
    this.#sizes.set(newest + 1, 0);
    return newest + 1;
  }

  /** Deletes the oldest files until so many bytes are free. */
  async #makeRoom(bytes: number): Promise<void> {
    let total = this.sizeBytes;
    for (const [generation, size] of [...this.#sizes]) {
      if (total + bytes <= this.#options.limitBytes) return;
      await orMissing(this.#options.ops.unlink(this.#path(generation)));
      this.#sizes.delete(generation);
      total -= size;
    }
  }

  /** Takes away what a failed write may have left. The folder may be gone, too. */
  async #repair(path: string, size: number): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const file = await orMissing(this.#options.ops.open(path, 'r+'));
    if (file === null) return;
    try {
      await file.truncate(size);
    } finally {
      await file.close();
    }
  }

  #newest(): number {
    let newest = 0;
    for (const generation of this.#sizes.keys()) newest = generation;
    return newest;
  }

  #path(generation: number): string {
    return join(this.#options.folder, `requests-${generation}.log`);
  }
}

/** Up to `length` bytes from `start` on; fewer at the file's end. */
async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** The sound lines from the byte `first` on, the last first. `start` is the position of the bytes. */
function linesOf(bytes: Buffer, first: number, { generation, offset }: Position): LogLine[] {
  const lines: LogLine[] = [];
  for (let at = first; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline;
    const text = end === at ? null : readCheckedLine(bytes.subarray(at, end));
    if (text !== null) lines.push({ text, position: { generation, offset: offset + at } });
    at = end + 1;
  }
  return lines.reverse();
}
