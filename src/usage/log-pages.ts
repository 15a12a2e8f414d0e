import type { BoundedMap } from '../bounded-map.ts';
import type { CallEntry } from './call-entry.ts';
import { KeptEntry } from './kept-entry.ts';
import type { LogFiles, LogLine, Position } from './log-files.ts';
import { decodeEntry } from './log-line.ts';

export interface LogQuery {
  readonly limit: number;
  /** The `next` of another page, or the id of an entry; null: from the newest on. */
  readonly before: string | null;
  /** False for entries that do not exist for who asks. */
  readonly isVisible: (entry: CallEntry) => boolean;
  readonly matches: (entry: CallEntry) => boolean;
  /** True for an entry before which there is nothing that matches. */
  readonly isPast?: (entry: CallEntry) => boolean;
  /** Texts that stand in the line of each entry that matches, so that others need not be decoded. */
  readonly needles: readonly string[];
  /** True if nobody waits for the page any more. */
  readonly isCancelled: () => boolean;
}

export interface LogPage {
  /** The newest ended first. */
  readonly entries: readonly CallEntry[];
  /** `before` of the next page; null: there are no older entries. */
  readonly next: string | null;
}

/** What a page is read from: the entries in memory, the oldest first, and the end of the files at the same moment. */
export interface LogSource {
  readonly recent: readonly KeptEntry[];
  readonly files: LogFiles | null;
  readonly end: Position | null;
  /** The last entries of other pages, by their ids. */
  readonly cursors: BoundedMap<KeptEntry>;
  /** What one page may read of the files. A page that ends there is continued by its `next`. */
  readonly piecesPerPage: number;
}

/** Where a page begins: behind an entry in memory, or before a position in the files. */
type Cursor = { readonly index: number } | { readonly position: Position };

/** The part of a page that is in memory; null: the files must be read. */
export function readRecent(source: LogSource, query: LogQuery): LogPage | null {
  const { recent } = source;
  const index = query.before === null ? recent.length : recent.findLastIndex(({ id }) => id === query.before);
  if (index === -1 || (query.before !== null && !isSeen(recent[index], query))) return null;
  const page = new Page(source, query);
  return page.takeRecent(index) || source.files === null ? page.end(null) : null;
}

/** Reads a page from memory and files; null: there is no entry with the id `before`. @throws the system's error. */
export async function readPage(source: LogSource, query: LogQuery): Promise<LogPage | null> {
  const cursor = await findCursor(source, query);
  if (cursor === null) return null;
  const page = new Page(source, query);
  if ('index' in cursor && page.takeRecent(cursor.index)) return page.end(null);
  const from = 'position' in cursor ? cursor.position : startInFiles(source);
  if (source.files === null || from === null) return page.end(null);
  let pieces = 0;
  for await (const { lines, start } of source.files.piecesBefore(from)) {
    if (query.isCancelled() || lines.some((line) => page.takeLine(line))) return page.end(null);
    pieces += 1;
    if (pieces === source.piecesPerPage) return page.end(start);
  }
  return page.end(null);
}

/** Collects the entries of a page. */
class Page {
  readonly #source: LogSource;
  readonly #query: LogQuery;
  readonly #entries: CallEntry[] = [];
  #last: KeptEntry | null = null;
  #hasMore = false;

  constructor(source: LogSource, query: LogQuery) {
    this.#source = source;
    this.#query = query;
  }

  /** Takes the entries in memory that are older than the one at `index`. True if the page is full. */
  takeRecent(index: number): boolean {
    const { recent } = this.#source;
    for (let at = index - 1; at >= 0; at--) {
      const kept = recent[at];
      if (kept !== undefined && this.#take(kept.toEntry(), kept)) return true;
    }
    return false;
  }

  /** Takes a line of the files. True if the page is full. */
  takeLine({ text, position }: LogLine): boolean {
    if (!this.#query.needles.every((needle) => text.includes(needle))) return false;
    const entry = decodeEntry(text);
    return entry !== null && this.#take(entry, KeptEntry.at(position, entry, text));
  }

  /** The page. `stop`: where the reading stopped before the oldest entry; null: it did not. */
  end(stop: Position | null): LogPage {
    const last = this.#last;
    if (!this.#hasMore || last === null)
      return { entries: this.#entries, next: stop === null ? null : toCursorText(stop) };
    this.#source.cursors.set(last.id, last);
    return { entries: this.#entries, next: last.id };
  }

  /** True if there is one more entry than the page takes, or no older one can match. */
  #take(entry: CallEntry, kept: KeptEntry): boolean {
    const { isVisible, matches, isPast, limit } = this.#query;
    if (isPast?.(entry) === true) return true;
    if (!isVisible(entry) || !matches(entry)) return false;
    if (this.#entries.length === limit) {
      this.#hasMore = true;
      return true;
    }
    this.#entries.push(entry);
    this.#last = kept;
    return false;
  }
}

/** The end of the lines that are not in memory; null: there are no files. */
function startInFiles({ recent, end }: LogSource): Position | null {
  return recent.find(({ position }) => position !== null)?.position ?? end;
}

async function findCursor(source: LogSource, query: LogQuery): Promise<Cursor | null> {
  const { recent, files, cursors } = source;
  const { before } = query;
  if (before === null) return { index: recent.length };
  const index = recent.findLastIndex(({ id }) => id === before);
  if (index !== -1) return isSeen(recent[index], query) ? { index } : null;
  if (files === null) return null;
  const known = cursors.get(before);
  const position = known === undefined ? fromCursorText(before) : known.position;
  if (position === null) return findInFiles(source, query, before);
  const isGone = !files.holds(position) || (known !== undefined && !isSeen(known, query));
  return isGone ? null : { position };
}

/** Finds the line of an id. */
async function findInFiles(source: LogSource, query: LogQuery, id: string): Promise<Cursor | null> {
  const from = startInFiles(source);
  if (source.files === null || from === null) return null;
  const needle = JSON.stringify(id);
  for await (const { lines } of source.files.piecesBefore(from)) {
    for (const { text, position } of lines) {
      const entry = text.includes(needle) ? decodeEntry(text) : null;
      if (entry?.id === id) return query.isVisible(entry) ? { position } : null;
    }
    if (query.isCancelled()) return null;
  }
  return null;
}

function isSeen(kept: KeptEntry | undefined, query: LogQuery): boolean {
  return kept !== undefined && query.isVisible(kept.toEntry());
}

/** A cursor for a page that ends between two entries that matched. No request has such an id. */
function toCursorText({ generation, offset }: Position): string {
  return `at-${generation}-${offset}`;
}

function fromCursorText(text: string): Position | null {
  const [, generation, offset] = /^at-(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (generation === undefined || offset === undefined) return null;
  return { generation: Number(generation), offset: Number(offset) };
}
