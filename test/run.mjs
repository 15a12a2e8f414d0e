// Runs the tests: `node test/run.mjs [--long] [part of a path] [options of node, as --name=value]`.
// The files are listed here, because neither shell globs nor `node --test` find .ts files everywhere (Node 20 finds none and
// passes). Ends with what was skipped and why, and one line of totals.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const LIMIT_SECONDS = 180;
/** Waits fill up a machine of two cores. */
const PROCESSES = Math.max(3, availableParallelism());
const BROWSER_GROUPS = Math.min(PROCESSES, 6);
const SERVER_GROUPS = 4 * PROCESSES;
const folder = fileURLToPath(new URL('.', import.meta.url));
const root = join(folder, '..');
const words = process.argv.slice(2);
const isLong = words.includes('--long');
const options = words.filter((word) => word.startsWith('--') && word !== '--long');
const filters = words.filter((word) => !word.startsWith('--'));

const files = readdirSync(folder, { recursive: true })
  .map((name) => join('test', name).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.test.ts') && filters.every((filter) => name.includes(filter)))
  .sort();
if (files.length === 0) {
  console.error(`No test file in test/ matches ${JSON.stringify(filters)}: nothing was tested.`);
  process.exit(1);
}

const temporary = mkdtempSync(join(tmpdir(), 'ipin-proxy-tests-'));
const outcomes = join(temporary, 'outcomes.jsonl');
const started = Date.now();
/** Timeout of a test, and of a file or group with all its tests. */
const timeoutMs = isLong ? 3_600_000 : 400_000;
/**
 * Many files run in a few processes instead of one each: to start one, with a Chromium or with the loading of the sources,
 * costs more than most of them.
 */
function inGroups(names) {
  const inBrowser = names.filter((name) => name.startsWith('test/browser/'));
  const others = names.filter((name) => !inBrowser.includes(name));
  return [...grouped('browser', inBrowser, BROWSER_GROUPS), ...grouped('server', others, SERVER_GROUPS)];
}

function grouped(label, names, count) {
  if (names.length <= count) return names;
  return Array.from({ length: count }, (_, index) => {
    const own = names.filter((_name, at) => at % count === index);
    const path = join(temporary, `${label}-${index + 1}.mjs`);
    const imports = own.map((name) => `import ${JSON.stringify(pathToFileURL(join(root, name)).href)};\n`);
    writeFileSync(path, imports.join(''));
    return path;
  });
}

const run = spawnSync(
  process.execPath,
  [
    ...(process.features.typescript ? [] : ['--import', 'tsx']),
    '--test',
    `--test-concurrency=${PROCESSES}`,
    `--test-timeout=${timeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./test/outcome-reporter.cjs',
    `--test-reporter-destination=${outcomes}`,
    ...options,
    ...inGroups(files),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...(isLong ? { IPIN_LONG: '1' } : {}) } },
);
const seconds = (Date.now() - started) / 1000;

const rows = readFileSync(outcomes, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
rmSync(temporary, { recursive: true });
const count = (outcome) => rows.filter((row) => row.outcome === outcome).length;
const skipped = rows.filter((row) => row.outcome === 'skipped');
if (skipped.length > 0) console.log(`\nSkipped (${skipped.length}):`);
for (const row of skipped) console.log(`- ${row.file}: ${row.name}: ${row.reason}`);
console.log(`\n${files.length} files on Node ${process.versions.node} in ${seconds.toFixed(0)} s`);
if (!isLong && seconds > LIMIT_SECONDS)
  console.log(`That is longer than the ${LIMIT_SECONDS} s that npm test may take.`);
console.log(`Tests: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = run.status === 0 && count('passed') === 0 ? 1 : (run.status ?? 1);
