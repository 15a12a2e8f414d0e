import { openBudgets } from '../limits/budget-file.ts';
import type { Logger } from '../logger.ts';
import { BUDGET_PERIODS } from '../store/entities.ts';
import { nodeFileOps } from '../store/file-ops.ts';
import { DAY_MS, firstDay, type Month, monthOf } from '../usage/ledger/calendar.ts';
import { withDay } from '../usage/ledger/day-sums.ts';
import { DiskFiles } from '../usage/ledger/disk-files.ts';
import { DAYS_KEPT_DAYS, HOURS_KEPT_DAYS } from '../usage/ledger/ledger-files.ts';
import { toLines } from '../usage/ledger/lines.ts';
import { LastNames } from '../usage/ledger/names.ts';
import type { UsageTable } from '../usage/ledger/usage-table.ts';
import type { Engine } from './engine.ts';
import { IMPORT_BUDGETS } from './limit-scripts.ts';
import { PREFIX } from './scripts.ts';
import { nameOf } from './shared-budgets.ts';
import { saveNames } from './shared-names.ts';

/** How many rows, or owners, go out together. */
const PER_COMMAND = 200;

/** Sums, and the first day on which they are no longer kept. */
interface Sums {
  readonly table: UsageTable;
  readonly endDay: number;
}

export interface TakeOverUsageOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Puts the counters of budgets and the sums of the ledger that a folder holds into an empty engine. The request log begins anew.
 * @throws EngineAwayError; the system's error.
 */
export async function takeOverUsage(folder: string, options: TakeOverUsageOptions): Promise<void> {
  const { engine, logger, now } = options;
  const kept = await openBudgets({ folder, logger, now });
  const owners = kept.budgets.all().map(({ kind, id, counters }) => {
    const numbers = BUDGET_PERIODS.flatMap((period) => {
      const { startMs, costNanoUsd, tokens, requests, grantedNanoUsd, grantedTokens } = counters[period];
      return [startMs, costNanoUsd, tokens, requests, grantedNanoUsd, grantedTokens];
    });
    return [nameOf(kind, id), ...numbers.map(String)];
  });
  for (let at = 0; at < owners.length; at += PER_COMMAND) {
    await engine.run(IMPORT_BUDGETS, owners.slice(at, at + PER_COMMAND).flat());
  }
  await kept.close();
  await takeOverLedger(folder, options);
}

async function takeOverLedger(folder: string, { engine, logger }: TakeOverUsageOptions): Promise<void> {
  const files = new DiskFiles({ ops: nodeFileOps, folder, logger });
  const names = new LastNames();
  await files.open(names);
  // The file of a month lacks the days that are not sealed.
  const open = new Map<Month, [number, UsageTable][]>();
  for (const day of files.hourDays()) {
    const table = await files.loadHours(day);
    if (table === null) continue;
    await writeSums(engine, `hours:${day}`, { table, endDay: day + HOURS_KEPT_DAYS });
    if (!files.openDays().includes(day)) continue;
    open.set(monthOf(day), [...(open.get(monthOf(day)) ?? []), [day, table]]);
  }
  for (const month of new Set([...files.months(), ...open.keys()])) {
    let sums = await files.loadMonth(month);
    for (const [day, table] of open.get(month) ?? []) sums = withDay(sums, day, table);
    if (sums === null) continue;
    await writeSums(engine, `days:${month}`, { table: sums, endDay: firstDay(month + 1) + DAYS_KEPT_DAYS });
  }
  names.changeAll();
  await saveNames(engine, names);
}

/** Writes a table as `ADD_USAGE` keeps it. */
async function writeSums(engine: Engine, name: string, { table, endDay }: Sums): Promise<void> {
  const key = `${PREFIX}usage:${name}`;
  let fields: string[] = [];
  for (const line of toLines(table)) {
    const [dimensions, ...rows]: readonly unknown[][] = JSON.parse(line);
    for (const [slot, ...numbers] of rows) {
      fields.push(`${slot} ${JSON.stringify(dimensions)}`, numbers.join());
    }
    if (fields.length >= 2 * PER_COMMAND) {
      await engine.command(['HSET', key, ...fields]);
      fields = [];
    }
  }
  if (fields.length > 0) await engine.command(['HSET', key, ...fields]);
  await engine.command(['EXPIREAT', key, String(endDay * (DAY_MS / 1000))]);
  await engine.command(['HINCRBY', `${PREFIX}usage:revisions`, name, '1']);
}
