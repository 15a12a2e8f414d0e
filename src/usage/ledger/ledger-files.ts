import type { Day, Month } from './calendar.ts';
import type { Cuts, DayParts } from './day-parts.ts';
import type { LastNames } from './names.ts';
import type { UsageTable } from './usage-table.ts';

/** Where the ledger keeps what is not of the present day: a folder, or memory. Calls may overlap. */
export interface LedgerFiles {
  /** True if a part of what was kept could not be read. */
  readonly isDamaged: boolean;
  /** The days whose hours are kept, in any order. */
  hourDays(): Day[];
  /** The days that are not sealed yet. */
  openDays(): Day[];
  months(): Month[];
  /** The hours of a day; null: none are kept. @throws the system's error. */
  loadHours(day: Day): Promise<UsageTable | null>;
  /** A day in these parts, or in hours where that is cheaper; null: no hours are kept. @throws the system's error. */
  loadParts(day: Day, cuts: Cuts): Promise<DayParts | null>;
  /** The days of a month; null: none are kept. The table must not be changed. @throws the system's error. */
  loadMonth(month: Month): Promise<UsageTable | null>;
  /**
   * Adds lines of rows that changed to an open day. `table` holds all its rows.
   * @throws the system's error.
   */
  append(day: Day, lines: readonly string[], table: UsageTable): Promise<void>;
  /** Keeps the hours of a day that is over, and its sums in its month. May be repeated. @throws the system's error. */
  seal(day: Day, table: UsageTable): Promise<void>;
  /** Writes the names that changed. @throws the system's error. */
  saveNames(names: LastNames): Promise<void>;
  /** All files as one archive; null: there is no folder. @throws the system's error. */
  pack(): Promise<Buffer | null>;
  /** Adds the files of an archive that are not there. @throws ArchiveError, the system's error. */
  unpack(archive: Buffer): Promise<void>;
  /** Removes what is older than the times for which hours and days are kept, up to today. @throws the system's error. */
  prune(today: Day): Promise<void>;
}

export const HOURS_KEPT_DAYS = 90;
export const DAYS_KEPT_DAYS = 731;
