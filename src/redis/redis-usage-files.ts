import { Pace } from '../turns.ts';
import { type Day, type Month, monthOf } from '../usage/ledger/calendar.ts';
import { type DayParts, hoursAsParts } from '../usage/ledger/day-parts.ts';
import { DAYS_KEPT_DAYS, HOURS_KEPT_DAYS, type LedgerFiles } from '../usage/ledger/ledger-files.ts';
import { LineReader } from '../usage/ledger/lines.ts';
import { TableCache } from '../usage/ledger/table-cache.ts';
import type { UsageTable } from '../usage/ledger/usage-table.ts';
import type { Engine } from './engine.ts';
import { PREFIX } from './scripts.ts';

const REVISIONS_KEY = `${PREFIX}usage:revisions`;
const CACHE_LIMIT_BYTES = 32 * 1024 * 1024;
const ROWS_PER_TURN = 500;

/** Reads the sums that all instances keep in the engine. */
export class RedisUsageFiles
  implements Pick<LedgerFiles, 'hourDays' | 'openDays' | 'months' | 'loadHours' | 'loadParts' | 'loadMonth'>
{
  readonly #engine: Engine;
  readonly #cache = new TableCache(CACHE_LIMIT_BYTES);
  /** How often each hash was changed when it was last looked at. */
  #revisions = new Map<string, string>();
  /** The same, for the tables in the cache. */
  readonly #cached = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Looks which days and months there are, and which have changed. @throws EngineAwayError. */
  async refresh(today: Day): Promise<void> {
    const reply = await this.#engine.command(['HGETALL', REVISIONS_KEY]);
    const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const revisions = new Map<string, string>();
    const gone: string[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      const name = String(flat[at]);
      if (isKept(name, today)) revisions.set(name, String(flat[at + 1]));
      else gone.push(name);
    }
    if (gone.length > 0) await this.#engine.command(['HDEL', REVISIONS_KEY, ...gone]);
    for (const [name, revision] of this.#cached) {
      if (revisions.get(name) === revision) continue;
      this.#cache.delete(name);
      this.#cached.delete(name);
    }
    this.#revisions = revisions;
  }

  hourDays(): Day[] {
    return this.#numbersOf('hours:');
  }

  /** The sums of days are always there, so no day counts as open. */
  openDays(): Day[] {
    return [];
  }

  months(): Month[] {
    return this.#numbersOf('days:');
  }

  loadHours(day: Day): Promise<UsageTable | null> {
    return this.#load(`hours:${day}`);
  }

  async loadParts(day: Day): Promise<DayParts | null> {
    return hoursAsParts(await this.loadHours(day));
  }

  loadMonth(month: Month): Promise<UsageTable | null> {
    return this.#load(`days:${month}`);
  }

  #numbersOf(prefix: string): number[] {
    const names = [...this.#revisions.keys()].filter((name) => name.startsWith(prefix));
    return names.map((name) => Number(name.slice(prefix.length)));
  }

  async #load(name: string): Promise<UsageTable | null> {
    const revision = this.#revisions.get(name);
    if (revision === undefined) return null;
    const cached = this.#cache.get(name);
    if (cached !== null) return cached;
    const reply = await this.#engine.command(['HGETALL', `${PREFIX}usage:${name}`]);
    const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const reader = new LineReader();
    const pace = new Pace(ROWS_PER_TURN);
    for (let at = 0; at < flat.length; at += 2) {
      const field = String(flat[at]);
      const space = field.indexOf(' ');
      reader.read(Buffer.from(`[${field.slice(space + 1)},[${field.slice(0, space)},${flat[at + 1]}]]`));
      if (pace.isDue(1)) await pace.giveTurn();
    }
    reader.table.trim();
    this.#cache.set(name, reader.table);
    this.#cached.set(name, revision);
    return reader.table;
  }
}

function isKept(name: string, today: Day): boolean {
  const [kind, number] = name.split(':');
  if (kind === 'hours') return Number(number) > today - HOURS_KEPT_DAYS;
  return Number(number) >= monthOf(today - DAYS_KEPT_DAYS);
}
