import { BoundedMap } from '../bounded-map.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import { decodeEntry } from '../usage/log-line.ts';
import type { LogPage, LogQuery } from '../usage/log-pages.ts';
import type { Engine } from './engine.ts';
import { PREFIX } from './scripts.ts';

/** An entry of the stream. */
export interface StreamLine {
  /** Names its place in the stream. */
  readonly id: string;
  readonly line: string;
}

const KEY = `${PREFIX}log`;
const PER_READ = 500;
/** What one page may read; it is continued by its `next`. */
const READS_PER_PAGE = 100;
const CURSORS_LIMIT = 500;
/** Before everything. */
const START = '0-0';

/** Reads the stream of the request log. */
export class LogReader {
  readonly #engine: Engine;
  /** Where the last entries of other pages stand, by their request ids. */
  readonly #cursors = new BoundedMap<string>(CURSORS_LIMIT);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The newest entry's place. @throws EngineAwayError, as all below. */
  async lastId(): Promise<string> {
    return toLines(await this.#engine.command(['XREVRANGE', KEY, '+', '-', 'COUNT', '1']))[0]?.id ?? START;
  }

  /** What stands behind a place, the oldest first. */
  async after(id: string, most: number): Promise<readonly StreamLine[]> {
    return toLines(await this.#engine.command(['XRANGE', KEY, `(${id}`, '+', 'COUNT', String(most)]));
  }

  /** A page, as `RequestLog.page`. */
  async page(query: LogQuery): Promise<LogPage | null> {
    const { before, limit, isVisible, matches, isPast, needles } = query;
    const from = before === null ? '+' : await this.#find(before, query);
    if (from === null) return null;
    const entries: CallEntry[] = [];
    let last = '';
    const stop = await this.#walk(from, ({ id, line }) => {
      if (query.isCancelled()) return 'end';
      const entry = needles.every((needle) => line.includes(needle)) ? decodeEntry(line) : null;
      if (entry === null) return 'on';
      if (isPast?.(entry) === true) return 'end';
      if (!isVisible(entry) || !matches(entry)) return 'on';
      if (entries.length === limit) return 'full';
      entries.push(entry);
      last = id;
      return 'on';
    });
    if (stop === null) return { entries, next: null };
    const newest = entries.at(-1);
    if (stop !== 'full' || newest === undefined) return { entries, next: `at-${stop}` };
    this.#cursors.set(newest.id, last);
    return { entries, next: newest.id };
  }

  /** The place of an entry; null: there is none, or the reader may not see it. */
  async #find(before: string, { isVisible }: LogQuery): Promise<string | null> {
    const [, place] = /^at-(\d{1,15}-\d{1,15})$/.exec(before) ?? [];
    const known = place ?? this.#cursors.get(before);
    if (known !== undefined) return `(${known}`;
    const needle = JSON.stringify(before);
    let found: string | null = null;
    await this.#walk('+', ({ id, line }) => {
      const entry = line.includes(needle) ? decodeEntry(line) : null;
      if (entry?.id !== before) return 'on';
      if (isVisible(entry)) found = `(${id}`;
      return 'end';
    });
    return found;
  }

  /**
   * Visits the lines before a place, the newest first. Returns `full` if a visit said so; the place where the reading stopped; null
   * if there is nothing more to read.
   */
  async #walk(from: string, visit: (line: StreamLine) => 'on' | 'end' | 'full'): Promise<string | null> {
    let end = from;
    for (let reads = 0; reads < READS_PER_PAGE; reads += 1) {
      const lines = toLines(
        await this.#engine.command(['XREVRANGE', KEY, end, '-', 'COUNT', String(PER_READ)]),
      );
      for (const line of lines) {
        const next = visit(line);
        if (next !== 'on') return next === 'full' ? next : null;
        end = `(${line.id}`;
      }
      if (lines.length < PER_READ) return null;
    }
    return end.slice(1);
  }
}

/** The entries of a reply of XRANGE or XREVRANGE. */
function toLines(reply: unknown): StreamLine[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry: unknown) => {
    const [id, fields]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    const line: unknown = Array.isArray(fields) ? fields[1] : undefined;
    return typeof id === 'string' && typeof line === 'string' ? [{ id, line }] : [];
  });
}
