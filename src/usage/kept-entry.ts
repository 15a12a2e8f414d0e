import type { CallEntry } from './call-entry.ts';
import type { Position } from './log-files.ts';
import { decodeEntry, encodeEntry } from './log-line.ts';

const CHUNK_BYTES = 64 * 1024;
/** The most bytes that UTF-8 takes for a unit of a string. */
const BYTES_PER_UNIT = 3;

/** Where a line stands: `end` is the byte behind its last one. */
interface KeptLine {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Memory for the lines of entries. It is not in V8's heap: thousands of objects or strings that outlive their calls would
 * make the heap grow and keep the garbage collector busy. A chunk is free once no entry points into it.
 */
export class LineMemory {
  #chunk = Buffer.alloc(0);
  #used = 0;

  /** Copies a line into the memory. */
  keep(line: string): KeptLine {
    const most = line.length * BYTES_PER_UNIT;
    if (this.#used + most > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += this.#chunk.write(line, start);
    return { chunk: this.#chunk, start, end: this.#used };
  }
}

/** An entry in memory, as the line that stands for it in the files. */
export class KeptEntry {
  readonly id: string;
  /** Where it stands in the files; null: it is not written. */
  position: Position | null = null;
  readonly #chunk: Buffer;
  readonly #start: number;
  readonly #end: number;

  private constructor(id: string, { chunk, start, end }: KeptLine) {
    this.id = id;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  static of(entry: CallEntry, memory: LineMemory): KeptEntry {
    return new KeptEntry(entry.id, memory.keep(encodeEntry(entry)));
  }

  /** The entry of a line in the files. */
  static at(position: Position, entry: CallEntry, line: string): KeptEntry {
    const chunk = Buffer.from(line);
    const kept = new KeptEntry(entry.id, { chunk, start: 0, end: chunk.length });
    kept.position = position;
    return kept;
  }

  /** The line, in UTF-8. */
  get bytes(): Buffer {
    return this.#chunk.subarray(this.#start, this.#end);
  }

  get text(): string {
    return this.#chunk.toString('utf8', this.#start, this.#end);
  }

  /** Made anew each time. @throws Error if the text is no entry, which `of` and `at` rule out. */
  toEntry(): CallEntry {
    const entry = decodeEntry(this.text);
    if (entry === null) throw new Error('The text of an entry cannot be read.');
    return entry;
  }
}
