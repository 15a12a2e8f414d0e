import type { CallEntry } from './call-entry.ts';
import type { Position } from './log-files.ts';
import { decodeEntry, encodeEntry } from './log-line.ts';

/**
 * An entry in memory, as the text of its line: the objects of a thousand entries that outlive their calls would keep the
 * garbage collector busy.
 */
export class KeptEntry {
  readonly id: string;
  readonly text: string;
  /** Where it stands in the files; null: it is not written. */
  position: Position | null = null;

  private constructor(id: string, text: string) {
    this.id = id;
    this.text = text;
  }

  static of(entry: CallEntry): KeptEntry {
    return new KeptEntry(entry.id, encodeEntry(entry));
  }

  /** The entry of a line in the files. */
  static at(entry: CallEntry, text: string, position: Position): KeptEntry {
    const kept = new KeptEntry(entry.id, text);
    kept.position = position;
    return kept;
  }

  /** Made anew each time. @throws Error if the text is no entry, which `of` and `at` rule out. */
  toEntry(): CallEntry {
    const entry = decodeEntry(this.text);
    if (entry === null) throw new Error('The text of an entry cannot be read.');
    return entry;
  }
}
