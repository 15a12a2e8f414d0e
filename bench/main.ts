import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement, Row, Run, Sample } from './measurement.ts';

const COLUMNS: readonly [string, string] = ['bare relay', 'iPin Proxy'];
const RESULTS = join(import.meta.dirname, '../..');
const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('-'));
const isQuick = words.includes('--quick');

interface Result {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly [string, string];
  readonly rows: readonly Row[];
}

async function loadMeasurements(): Promise<Measurement[]> {
  const folder = join(import.meta.dirname, 'rows');
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  const modules: { measurement: Measurement }[] = await Promise.all(
    files.map((name) => import(join(folder, name))),
  );
  return modules.map((module) => module.measurement);
}

function formatSample(sample: Sample | null): string {
  if (sample === null) return '';
  const digits = sample.median >= 100 ? 0 : sample.median >= 10 ? 1 : 2;
  return sample.median.toFixed(digits);
}

function formatRow(row: Row): string {
  const ratio =
    row.bare === null || row.bare.median <= 0 ? '' : (row.proxy.median / row.bare.median).toFixed(2);
  return `| ${row.what} | ${row.unit} | ${formatSample(row.bare)} | ${formatSample(row.proxy)} | ${ratio} |`;
}

function printTable(result: Result): void {
  console.log(`\n${result.title}\n`);
  console.log(`| | unit | ${result.columns.join(' | ')} | ratio |\n|---|---|---:|---:|---:|`);
  for (const row of result.rows) console.log(formatRow(row));
}

/** Says what there is to measure, and ends the process. */
function explain(all: readonly Measurement[], unknown: readonly string[]): never {
  const isAsked = unknown.every((word) => word === '--help' || word === '-h');
  const lines = all.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`);
  const usage = `npm run bench -- [--quick] [NAME ...]\n\nMeasurements:\n${lines.join('\n')}`;
  if (isAsked) console.log(usage);
  else console.error(`Unknown: ${unknown.join(', ')}\n\n${usage}`);
  process.exit(isAsked ? 0 : 1);
}

const all = await loadMeasurements();
const unknown = words.filter((word) => word !== '--quick' && !all.some(({ name }) => name === word));
if (unknown.length > 0) explain(all, unknown);
const chosen = names.length === 0 ? all : all.filter((one) => names.includes(one.name));
const run: Run = {
  isQuick,
  rounds: isQuick ? 1 : 5,
  folder: mkdtempSync(join(tmpdir(), 'ipin-proxy-bench-')),
  pick: (full, quick) => (isQuick ? quick : full),
};
const machine = {
  node: process.version,
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  loadBefore: loadavg(),
  isQuick,
};
console.log(
  `Node ${machine.node}, ${machine.cpu}, load ${machine.loadBefore.map((load) => load.toFixed(2)).join(' ')}`,
);
if (isQuick) console.log('Quick run: the counts are small, and the figures mean nothing.');
const results: Result[] = [];
try {
  for (const { name, title, columns = COLUMNS, measure } of chosen) {
    console.error(`\n${name} ...`);
    try {
      const result: Result = { name, title, columns, rows: await measure(run) };
      results.push(result);
      printTable(result);
    } catch (error) {
      console.error(`${name} failed:`, error);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(run.folder, { recursive: true });
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}
