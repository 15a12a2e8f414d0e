import type { Logger } from '../../logger.ts';
import type { OwnerKind } from '../../store/entities.ts';
import { errorCode } from '../../store/file-ops.ts';
import type { CallEntry } from '../call-entry.ts';
import { reportReadings } from '../reading-queue.ts';
import { type Day, dayOf } from './calendar.ts';
import type { LedgerFiles } from './ledger-files.ts';
import { dayOfHour, hourOf, LiveDay, LiveHour } from './live-hour.ts';
import { LastNames } from './names.ts';
import type { UsageQuery, UsageResult } from './query.ts';
import { readUsage } from './read-usage.ts';
import { UsageTable } from './usage-table.ts';

/** A call is written after this time if the last writing was long ago. */
const IDLE_MS = 1_000;
/** Under load, rows are written this often. */
const BUSY_MS = 4_000;
/** The hour of booking goes back only if the clock was wrong by more than this. */
const STEP_BACK_HOURS = 24;
const MAINTENANCE_RETRY_MS = 60_000;

export interface LedgerOptions {
  readonly files: LedgerFiles;
  readonly names?: LastNames;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface LedgerStatus {
  /** A part of the files could not be read and is set aside. */
  readonly isDamaged: boolean;
  /** The last writing failed: what was counted since is in memory only. */
  readonly isFailing: boolean;
}

/** What counts calls and answers what was used. */
export type Ledger = Pick<UsageLedger, 'book' | 'query' | 'nameOf' | 'status' | 'close'>;

/** Counts all calls by hour, key, user, provider, model, endpoint and outcome, and answers what was used. */
export class UsageLedger {
  readonly #files: LedgerFiles;
  readonly #names: LastNames;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #days = new Map<Day, LiveDay>();
  #live: LiveHour | null = null;
  /** Hours that are over and whose last rows may still be to be written. */
  #ending: LiveHour[] = [];
  #timer: NodeJS.Timeout | null = null;
  #lastFlush: Promise<void> = Promise.resolve();
  #flushedAtMs = 0;
  #isFailing = false;
  #revision = 0;
  #isClosed = false;
  /** The hour in which the days that are over were last sealed. */
  #maintainedHour = -1;
  /** After a failure, sealing is not tried again before this time. */
  #maintainAtMs = 0;
  readonly #reports = reportReadings();

  constructor({ files, names = new LastNames(), logger, now }: LedgerOptions) {
    this.#files = files;
    this.#names = names;
    this.#logger = logger;
    this.#now = now;
  }

  /** Counts a finished call. Takes some microseconds and never throws. */
  book(call: CallEntry): void {
    if (!call.isCall) return;
    const hour = this.#bookingHour(call.endedAtMs);
    const live = this.#live?.hour === hour ? this.#live : this.#enter(hour);
    live.book(call);
    this.#revision += 1;
    this.#names.note('key', call.keyId, call.keyName);
    this.#names.note('user', call.userId, call.userName);
    if (this.#timer === null) this.#arm();
  }

  /**
   * Answers a query; one at a time.
   * @throws TooManyRowsError; HttpError `server_overloaded` if too many wait.
   */
  async query(query: UsageQuery): Promise<UsageResult> {
    const sources = {
      files: this.#files,
      liveDays: () => [...this.#days.keys()],
      liveTable: (day: Day) => this.#liveTable(day),
    };
    return this.#reports.run(() => readUsage(query, sources));
  }

  /** The last name of a key or user that is known from its calls. */
  nameOf(kind: OwnerKind, id: string): string | null {
    return this.#names.get(kind, id);
  }

  status(): LedgerStatus {
    return { isDamaged: this.#files.isDamaged, isFailing: this.#isFailing };
  }

  /** Grows with each call. */
  get revision(): number {
    return this.#revision;
  }

  /** Everything that is kept, as one archive; null without a folder. @throws the system's error. */
  async exportArchive(): Promise<Buffer | null> {
    await this.flush();
    return await this.#files.pack();
  }

  /** Takes over the files of an archive that the ledger does not have. @throws ArchiveError, the system's error. */
  async importArchive(archive: Buffer): Promise<void> {
    await this.flush();
    await this.#files.unpack(archive);
  }

  /** Loads the present day. Never throws: what cannot be read is tried again later. */
  async open(): Promise<void> {
    const today = dayOf(this.#now());
    if (!this.#files.hourDays().includes(today)) return;
    const day = this.#dayAt(today);
    await this.#load(day).catch(() => {});
  }

  /** Writes everything that was booked, then seals days that are over. Never throws. */
  flush(): Promise<void> {
    this.#disarm();
    this.#lastFlush = this.#lastFlush.then(() => this.#flush());
    return this.#lastFlush;
  }

  /** Writes everything that was booked; afterwards nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    this.#disarm();
  }

  #bookingHour(timeMs: number): number {
    const hour = hourOf(timeMs);
    const last = this.#live?.hour ?? hour;
    return hour < last && last - hour <= STEP_BACK_HOURS ? last : hour;
  }

  #enter(hour: number): LiveHour {
    if (this.#live !== null) this.#ending.push(this.#live);
    const before = this.#ending.find((live) => live.hour === hour);
    this.#ending = this.#ending.filter((live) => live !== before);
    this.#live = before ?? new LiveHour(hour, this.#dayAt(dayOfHour(hour)));
    return this.#live;
  }

  #dayAt(day: Day): LiveDay {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const created = new LiveDay(day, this.#files.hourDays().includes(day) ? null : new UsageTable());
    this.#days.set(day, created);
    return created;
  }

  async #load(day: LiveDay): Promise<void> {
    if (day.isLoaded) return;
    const table = await this.#files.loadHours(day.day);
    // A query may have loaded it meanwhile.
    if (!day.isLoaded) day.load(table);
  }

  async #liveTable(day: Day): Promise<UsageTable | null> {
    const live = this.#days.get(day);
    if (live === undefined) return null;
    await this.#load(live).catch(() => {});
    for (const hour of this.#hours()) if (hour.day === live) hour.fold();
    return live.table;
  }

  #hours(): LiveHour[] {
    return this.#live === null ? this.#ending : [...this.#ending, this.#live];
  }

  #arm(): void {
    if (this.#isClosed) return;
    const sinceMs = Math.max(0, this.#now() - this.#flushedAtMs);
    const delayMs = Math.max(IDLE_MS, Math.min(BUSY_MS, BUSY_MS - sinceMs));
    this.#timer = setTimeout(() => void this.flush(), delayMs).unref();
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #flush(): Promise<void> {
    this.#flushedAtMs = this.#now();
    try {
      for (const hour of this.#hours()) await this.#save(hour);
      await this.#files.saveNames(this.#names);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#logger.warn('usage.not_written', { code: errorCode(error) });
      this.#isFailing = true;
    }
    await this.#maintain();
    const isDirty = this.#hours().some((hour) => hour.isDirty);
    if (isDirty && this.#timer === null) this.#arm();
  }

  async #save(hour: LiveHour): Promise<void> {
    const { day } = hour;
    await this.#load(day);
    await hour.save((lines) => this.#files.append(day.day, lines, day.table));
    if (hour !== this.#live && !hour.isDirty) this.#ending = this.#ending.filter((other) => other !== hour);
  }

  /** Seals the days that are over, once an hour. */
  async #maintain(): Promise<void> {
    const nowMs = this.#now();
    const hour = this.#live?.hour ?? hourOf(nowMs);
    if (hour === this.#maintainedHour || nowMs < this.#maintainAtMs) return;
    const today = dayOfHour(hour);
    try {
      for (const day of new Set([...this.#files.openDays(), ...this.#days.keys()])) {
        if (day < today) await this.#seal(day);
      }
      await this.#files.prune(today);
      this.#maintainedHour = hour;
    } catch (error) {
      this.#maintainAtMs = nowMs + MAINTENANCE_RETRY_MS;
      this.#logger.warn('usage.not_sealed', { code: errorCode(error) });
    }
  }

  /** Seals a day, unless some of its rows are not written yet. */
  async #seal(day: Day): Promise<void> {
    const live = this.#days.get(day);
    if (this.#hours().some((hour) => hour.day === live)) return;
    if (live !== undefined) await this.#load(live);
    const table = live?.table ?? (await this.#files.loadHours(day));
    if (table !== null) await this.#files.seal(day, table);
    // A call may have come for this day meanwhile, where the clock was set back.
    if (!this.#hours().some((hour) => hour.day === live)) this.#days.delete(day);
  }
}
