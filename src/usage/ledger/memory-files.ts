import { type Day, dayName, type Month, monthName, monthOf, parseDay, parseMonth } from './calendar.ts';
import { type DayParts, hoursAsParts } from './day-parts.ts';
import { withDay } from './day-sums.ts';
import type { LedgerFiles } from './ledger-files.ts';
import { TableCache } from './table-cache.ts';
import type { UsageTable } from './usage-table.ts';

const LIMIT_BYTES = 16 * 1024 * 1024;

/** Keeps the past in memory, as far as it fits: for a ledger without a folder. */
export class MemoryFiles implements LedgerFiles {
  readonly isDamaged = false;
  readonly #hours = new TableCache(LIMIT_BYTES / 2);
  readonly #months = new TableCache(LIMIT_BYTES / 2);

  hourDays(): Day[] {
    return this.#hours.names().flatMap((name) => parseDay(name) ?? []);
  }

  openDays(): Day[] {
    return [];
  }

  months(): Month[] {
    return this.#months.names().flatMap((name) => parseMonth(name) ?? []);
  }

  async loadHours(day: Day): Promise<UsageTable | null> {
    return this.#hours.get(dayName(day));
  }

  async loadParts(day: Day): Promise<DayParts | null> {
    return hoursAsParts(await this.loadHours(day));
  }

  async loadMonth(month: Month): Promise<UsageTable | null> {
    return this.#months.get(monthName(month));
  }

  async append(): Promise<void> {}

  async seal(day: Day, table: UsageTable): Promise<void> {
    const month = monthName(monthOf(day));
    this.#months.set(month, withDay(this.#months.get(month), day, table));
    table.trim();
    this.#hours.set(dayName(day), table);
  }

  async pack(): Promise<null> {
    return null;
  }

  async unpack(): Promise<void> {}

  async saveNames(): Promise<void> {}

  async prune(): Promise<void> {}
}
