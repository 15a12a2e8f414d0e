// Runs the tests: `node test/run.mjs [--long] [--no-pages] [patterns] [options of node, as --name=value]`. select-files.mjs
// says what a pattern is. The files are listed here, because neither shell globs nor `node --test` find .ts files everywhere
// (Node 20 finds none and passes). reporter.cjs writes what is shown.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { groupFiles } from './group-files.mjs';
import { selectFiles } from './select-files.mjs';

const LIMIT_SECONDS = 180;
/** Waits fill up a machine of two cores. */
const PROCESSES = Math.max(3, availableParallelism());
const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const words = process.argv.slice(2);
const isLong = words.includes('--long');
/** Without the tests of what runs in browsers, which is the same for every Node. */
const withPages = !words.includes('--no-pages');
const options = words.filter((word) => word.startsWith('-') && !['--long', '--no-pages'].includes(word));
const patterns = words.filter((word) => !word.startsWith('-'));
/** Timeout of a test, and of a group with all its tests; .ci/run ends a run a little later. */
const timeoutMs = isLong ? 3_600_000 : 850_000;

const { files: matched, unmatched } = selectFiles(root, patterns);
const files = matched.filter((name) => withPages || !/^test\/(?:browser|public)\//.test(name));
if (unmatched.length > 0) {
  console.error(`No file of test/ matches ${unmatched.map((pattern) => `"${pattern}"`).join(', ')}. Nothing was tested.
A pattern is a folder (store/), a file (store/backup.test.ts), or a part of a path (backup).
Options of node are written with "=": --test-name-pattern=A1:`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'ipin-proxy-tests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const started = Date.now();
const groups = await groupFiles({
  root,
  files,
  folder,
  browserGroups: Math.min(PROCESSES, 6),
  otherGroups: 3 * PROCESSES,
}).catch(() => process.exit(1));
const run = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    // Node 20 calls the mocked timers of its test runner experimental.
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${PROCESSES}`,
    `--test-timeout=${timeoutMs}`,
    '--test-reporter=./test/reporter.cjs',
    '--test-reporter-destination=stdout',
    ...options,
    ...groups,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      IPIN_TEST_PROGRAMS: join(folder, 'programs'),
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      ...(isLong ? { IPIN_LONG: '1' } : {}),
    },
  },
);
const seconds = (Date.now() - started) / 1000;
console.log(`${files.length} files on Node ${process.versions.node} in ${seconds.toFixed(0)} s`);
if (!isLong && seconds > LIMIT_SECONDS)
  console.log(`That is longer than the ${LIMIT_SECONDS} s that npm test may take.`);
process.exitCode = run.status ?? 1;
