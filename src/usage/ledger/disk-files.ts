import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../logger.ts';
import {
  appendCheckedLines,
  areLinesSound,
  asidePath,
  type LineHandlers,
  ReadBuffer,
  readCheckedLines,
  writeCheckedLines,
} from '../../store/checked-lines.ts';
import { errorCode, type FileOps, orMissing } from '../../store/file-ops.ts';
import { BUDGETS_FILE, packFiles, unpackFiles } from './archive.ts';
import { type Day, dayName, firstDay, type Month, monthName, monthOf } from './calendar.ts';
import { type Cuts, type DayParts, PartReader, partsOf } from './day-parts.ts';
import { merged, regrouped, withDay } from './day-sums.ts';
import { type FileKind, fileName, parseFileName } from './file-names.ts';
import { DAYS_KEPT_DAYS, HOURS_KEPT_DAYS, type LedgerFiles } from './ledger-files.ts';
import { LineReader, toLines } from './lines.ts';
import type { LastNames } from './names.ts';
import { NamesFile } from './names-file.ts';
import { TableCache } from './table-cache.ts';
import type { UsageTable } from './usage-table.ts';

const NAMES = 'names';
const FILE_LIMIT_BYTES = 512 * 1024 * 1024;
const CACHE_LIMIT_BYTES = 32 * 1024 * 1024;
/** An open day's file is rewritten once it is larger than this, and larger by this factor than after its last rewrite. */
const REWRITE_BYTES = 4 * 1024 * 1024;
const REWRITE_FACTOR = 4;

export interface DiskFilesOptions {
  readonly ops: FileOps;
  readonly folder: string;
  readonly logger: Logger;
}

/**
 * The ledger's folder: `hours-DAY.open` gets the lines of a day as they come, `hours-DAY.sealed` holds the hours of a day that
 * is over, `days-MONTH` the sums of each sealed day. One file is read or written at a time.
 */
export class DiskFiles implements LedgerFiles {
  readonly #ops: FileOps;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #namesFile: NamesFile;
  readonly #cache = new TableCache(CACHE_LIMIT_BYTES);
  readonly #open = new Set<Day>();
  readonly #sealed = new Set<Day>();
  readonly #months = new Set<Month>();
  readonly #damaged = new Set<string>();
  /** The size of each open day's file after it was last rewritten. */
  readonly #writtenBytes = new Map<Day, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor({ ops, folder, logger }: DiskFilesOptions) {
    this.#ops = ops;
    this.#folder = folder;
    this.#logger = logger;
    this.#namesFile = new NamesFile(ops, join(folder, NAMES));
  }

  get isDamaged(): boolean {
    return this.#damaged.size > 0;
  }

  hourDays(): Day[] {
    return [...new Set([...this.#open, ...this.#sealed])];
  }

  openDays(): Day[] {
    return [...this.#open];
  }

  months(): Month[] {
    return [...this.#months];
  }

  /** Makes the folder and looks at what is in it. @throws the system's error if nothing can be written there. */
  async open(names: LastNames): Promise<void> {
    await this.#makeFolder();
    await this.#list();
    const probe = join(this.#folder, 'probe.tmp');
    await this.#ops.open(probe, 'w', 0o600).then((file) => file.close());
    await this.#ops.unlink(probe);
    if (await this.#namesFile.load(names)) this.#damaged.add(NAMES);
  }

  /** Looks at the checksums of all files; what is damaged is set aside. Never throws. */
  async check(): Promise<void> {
    const days = (kind: FileKind, set: Set<number>): [FileKind, number][] => [...set].map((at) => [kind, at]);
    const all = [
      ...days('open', this.#open),
      ...days('sealed', this.#sealed),
      ...days('month', this.#months),
    ];
    const buffer = new ReadBuffer();
    for (const [kind, at] of all) {
      await this.#inTurn(async () => {
        if (await areLinesSound(this.#ops, this.#path(kind, at), buffer)) return;
        await this.#read(kind, at);
      }).catch(() => {});
    }
  }

  async loadHours(day: Day): Promise<UsageTable | null> {
    return await this.#inTurn(() => this.#hours(day));
  }

  async loadParts(day: Day, cuts: Cuts): Promise<DayParts | null> {
    const name = `${dayName(day)}/${cuts.join()}`;
    return await this.#inTurn(async () => {
      const cached = this.#cache.get(name);
      const table = cached ?? (await this.#parts(day, partsOf(cuts)));
      if (table === null) return null;
      if (cached === null) this.#cache.set(name, table);
      return { table, starts: cuts };
    });
  }

  async loadMonth(month: Month): Promise<UsageTable | null> {
    return await this.#inTurn(() => this.#month(month));
  }

  async append(day: Day, lines: readonly string[], table: UsageTable): Promise<void> {
    await this.#inTurn(async () => {
      const path = this.#path('open', day);
      this.#open.add(day);
      this.#cache.delete(dayName(day));
      const bytes = await orMissing(appendCheckedLines(this.#ops, path, lines));
      const written = this.#writtenBytes.get(day) ?? 0;
      if (bytes !== null && (bytes < REWRITE_BYTES || bytes < written * REWRITE_FACTOR)) return;
      // Somebody may have removed the folder.
      if (bytes === null) await this.#makeFolder();
      this.#writtenBytes.set(day, await writeCheckedLines(this.#ops, path, toLines(table)));
    });
  }

  async seal(day: Day, table: UsageTable): Promise<void> {
    await this.#inTurn(async () => {
      const month = monthOf(day);
      const days = withDay(await this.#month(month), day, table);
      await writeCheckedLines(this.#ops, this.#path('month', month), toLines(days));
      this.#months.add(month);
      this.#cache.set(monthName(month), days);
      await writeCheckedLines(this.#ops, this.#path('sealed', day), toLines(table));
      this.#sealed.add(day);
      this.#cache.delete(dayName(day));
      await orMissing(this.#ops.unlink(this.#path('open', day)));
      this.#open.delete(day);
      this.#writtenBytes.delete(day);
    });
  }

  async pack(): Promise<Buffer> {
    const newestFirst = (one: number, other: number): number => other - one;
    const months = this.months().sort(newestFirst);
    const days = this.hourDays().sort(newestFirst);
    const names = [
      NAMES,
      BUDGETS_FILE,
      ...months.map((month) => fileName('month', month)),
      ...days.flatMap((day) => [fileName('open', day), fileName('sealed', day)]),
    ];
    return await this.#inTurn(() => packFiles(this.#ops, this.#folder, names));
  }

  async unpack(archive: Buffer): Promise<void> {
    await this.#inTurn(async () => {
      await unpackFiles(this.#ops, this.#folder, archive);
      await this.#list();
    });
  }

  async saveNames(names: LastNames): Promise<void> {
    await this.#inTurn(() => this.#namesFile.save(names));
  }

  async prune(today: Day): Promise<void> {
    // Not by the newest day: a clock that is far ahead for an hour must not remove everything. Nor by files of days to come.
    const [, second] = this.hourDays().sort((one, other) => other - one);
    if (second === undefined) return;
    const reference = Math.min(second, today);
    for (const day of this.#sealed) {
      if (day <= reference - HOURS_KEPT_DAYS) await this.#remove('sealed', day, this.#sealed);
    }
    for (const month of this.#months) {
      if (firstDay(month + 1) <= reference - DAYS_KEPT_DAYS) await this.#remove('month', month, this.#months);
    }
  }

  async #remove(kind: FileKind, at: number, known: Set<number>): Promise<void> {
    await this.#inTurn(async () => {
      await orMissing(this.#ops.unlink(this.#path(kind, at)));
      await orMissing(this.#ops.unlink(asidePath(this.#path(kind, at))));
      known.delete(at);
      this.#cache.delete(kind === 'month' ? monthName(at) : dayName(at));
    });
  }

  async #hours(day: Day): Promise<UsageTable | null> {
    const cached = this.#cache.get(dayName(day));
    if (cached !== null) return cached;
    const table = await this.#readHours(day);
    if (table !== null) this.#cache.set(dayName(day), table);
    return table;
  }

  async #parts(day: Day, parts: readonly number[]): Promise<UsageTable | null> {
    const cached = this.#cache.get(dayName(day));
    if (cached === null && this.#sealed.has(day) && !this.#open.has(day))
      return await this.#table('sealed', day, new PartReader(parts));
    const hours = cached ?? (await this.#readHours(day));
    return hours === null ? null : regrouped(hours, parts);
  }

  async #readHours(day: Day): Promise<UsageTable | null> {
    const tables: UsageTable[] = [];
    // Both are there after a crash while the day was sealed, or where the clock was set back: the open one is newer.
    if (this.#sealed.has(day)) tables.push(await this.#table('sealed', day));
    if (this.#open.has(day)) tables.push(await this.#table('open', day));
    return tables.length === 0 ? null : merged(tables);
  }

  async #month(month: Month): Promise<UsageTable | null> {
    if (!this.#months.has(month)) return null;
    const cached = this.#cache.get(monthName(month));
    if (cached !== null) return cached;
    const table = await this.#table('month', month);
    this.#cache.set(monthName(month), table);
    return table;
  }

  async #table(
    kind: FileKind,
    at: number,
    reader: LineReader | PartReader = new LineReader(),
  ): Promise<UsageTable> {
    const onBytes = (bytes: Buffer): void => {
      if (!reader.read(bytes)) this.#damaged.add(this.#path(kind, at));
    };
    await this.#read(kind, at, { onBytes });
    reader.table.trim();
    return reader.table;
  }

  async #read(kind: FileKind, at: number, handlers: LineHandlers = {}): Promise<void> {
    const path = this.#path(kind, at);
    const options = { limitBytes: FILE_LIMIT_BYTES, ...handlers };
    const isDamaged = await readCheckedLines(this.#ops, path, options);
    if (!isDamaged || this.#damaged.has(path)) return;
    this.#damaged.add(path);
    this.#logger.warn('usage.damaged', { file: path.slice(this.#folder.length + 1) });
  }

  async #makeFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  async #list(): Promise<void> {
    for (const name of await this.#ops.list(this.#folder)) {
      const { kind, at } = parseFileName(name);
      if (kind === 'open') this.#open.add(at);
      else if (kind === 'sealed') this.#sealed.add(at);
      else if (kind === 'month') this.#months.add(at);
      else if (name.endsWith('.damaged')) this.#damaged.add(name);
    }
  }

  #path(kind: FileKind, at: number): string {
    return join(this.#folder, fileName(kind, at));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch((error: unknown) => {
      this.#logger.debug('usage.file_error', { code: errorCode(error) });
    });
    return result;
  }
}
