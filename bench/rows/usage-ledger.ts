import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeCheckedLines } from '../../src/store/checked-lines.ts';
import { nodeFileOps } from '../../src/store/file-ops.ts';
import { CALL_OUTCOMES } from '../../src/usage/call-entry.ts';
import {
  DAY_MS,
  type Day,
  dayName,
  dayOf,
  dayOfMonth,
  monthName,
  monthOf,
} from '../../src/usage/ledger/calendar.ts';
import type { Dimensions } from '../../src/usage/ledger/dimensions.ts';
import { HOURS_KEPT_DAYS } from '../../src/usage/ledger/ledger-files.ts';
import { toLines } from '../../src/usage/ledger/lines.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from '../../src/usage/ledger/measures.ts';
import { UsageTable } from '../../src/usage/ledger/usage-table.ts';
import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { signIn, startProxy } from '../proxy-setup.ts';
import { onStage } from '../stage.ts';

const KEYS = 50;
const MODELS = 20;
const PAUSE_MS = 2_000;

/** The queries: days up to now, how their sums are grouped, and the parameters for that. The second one is made at the start. */
const QUERIES = [
  [29, 'by model', 'groupBy=model'],
  [30, 'by model', 'groupBy=model'],
  [30, 'by key and model', 'groupBy=key,model'],
  [30, 'by day and model, UTC', 'groupBy=model&bucket=day'],
  [30, 'by day and model, India', 'groupBy=model&bucket=day&tz=330'],
  [30, 'by hour', 'bucket=hour'],
] as const;

/** Start, memory and reports of the proxy with a year of usage: each key uses each model in every hour. */
export const measurement: Measurement = {
  name: 'usage-ledger',
  title: 'A year of usage of 50 keys with 20 models in every hour, and reports of it',
  columns: ['without usage', 'with a year'],
  async measure(run) {
    const dbPath = await onStage(run, {}, async (stage) => stage.dbPath);
    const before = await startProxy({ dbPath, logLevel: 'info' });
    const bareMs = before.startMs;
    await pause(PAUSE_MS);
    const bareMib = before.memory().rssMib;
    await before.stop();
    await writeYear(`${dbPath}.usage`, run.pick(365, 40));
    const proxy = await startProxy({ dbPath, logLevel: 'info' });
    const rows: Row[] = [
      {
        what: 'Start to first answer',
        unit: 'ms',
        bare: sampleOf([bareMs]),
        proxy: sampleOf([proxy.startMs]),
      },
    ];
    try {
      await pause(PAUSE_MS);
      const idle = sampleOf([proxy.memory().rssMib]);
      rows.push({ what: 'Memory, idle', unit: 'MiB', bare: sampleOf([bareMib]), proxy: idle });
      const { headers } = await signIn(proxy.port);
      for (const [days, by, query] of QUERIES) {
        const what = `${days} days ${by}`;
        const ask = (): Promise<number> => timeOf(proxy.port, headers, { days, query });
        rows.push({ what: `${what}, first`, unit: 'ms', bare: null, proxy: sampleOf([await ask()]) });
        const again: number[] = [];
        for (let round = 0; round < run.rounds; round++) again.push(await ask());
        rows.push({ what: `${what}, again`, unit: 'ms', bare: null, proxy: sampleOf(again) });
      }
      const used = sampleOf([proxy.memory().rssMib]);
      rows.push({ what: 'Memory, after the reports', unit: 'MiB', bare: null, proxy: used });
    } finally {
      await proxy.stop();
    }
    return rows;
  },
};

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** The time of one report of the last days, until its last byte. */
async function timeOf(
  port: number,
  headers: Readonly<Record<string, string>>,
  { days, query }: { readonly days: number; readonly query: string },
): Promise<number> {
  const toMs = Date.now();
  const time = `from=${new Date(toMs - days * DAY_MS).toISOString()}&to=${new Date(toMs).toISOString()}`;
  const startMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/api/admin/usage?${time}&${query}`, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return performance.now() - startMs;
}

/** Writes the files that a ledger has after so many days, yesterday's the last. */
async function writeYear(folder: string, days: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const today = dayOf(Date.now());
  const months = new Map<number, UsageTable>();
  for (let day = today - days; day < today; day++) {
    const month = months.get(monthOf(day)) ?? new UsageTable();
    months.set(monthOf(day), month);
    fill(month, [dayOfMonth(day)], 24);
    if (day > today - HOURS_KEPT_DAYS) await writeDay(folder, day);
  }
  for (const [month, table] of months) {
    await writeCheckedLines(nodeFileOps, join(folder, `days-${monthName(month)}`), toLines(table));
  }
}

async function writeDay(folder: string, day: Day): Promise<void> {
  const table = new UsageTable();
  fill(
    table,
    Array.from({ length: 24 }, (_, hour) => hour),
    1,
  );
  await writeCheckedLines(nodeFileOps, join(folder, `hours-${dayName(day)}.sealed`), toLines(table));
}

/** Sets the rows of all keys and models in some slots. */
function fill(table: UsageTable, slots: readonly number[], factor: number): void {
  const values = new Float64Array(MEASURE_COUNT);
  const counts = new Uint32Array(COUNTS_LENGTH);
  for (let index = 0; index < KEYS * MODELS; index++) {
    for (const slot of slots) {
      for (let measure = 0; measure < MEASURE_COUNT; measure++) {
        values[measure] = factor * ((index * 7919 + slot * 104729 + measure * 31) % 100_000);
      }
      counts.fill(0);
      // As many buckets as durations of one model spread over.
      for (let bucket = 20; bucket < 26; bucket++) counts[bucket] = factor * (1 + ((index + bucket) % 9));
      for (let bucket = 90; bucket < 98; bucket++) counts[bucket] = factor * (1 + ((index + bucket) % 9));
      table.set(dimensionsAt(index), slot, values, counts);
    }
  }
}

function dimensionsAt(index: number): Dimensions {
  const model = `vendor/model-${index % MODELS}`;
  return {
    key: `key_${Math.floor(index / MODELS)
      .toString()
      .padStart(8, '0')}`,
    user: `user_${Math.floor(index / MODELS) % 10}`,
    provider: 'openai',
    model,
    upstreamModel: model,
    endpoint: 'chat',
    outcome: CALL_OUTCOMES[0],
  };
}
