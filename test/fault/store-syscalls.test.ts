import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareProgram } from '../helpers/programs.ts';
import { makeFolder } from '../store/fixture.ts';

const isLong = process.env['IPIN_LONG'] === '1';
const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const program = isLong && canTrace ? prepareProgram(join(import.meta.dirname, 'store-program.ts')) : [];

/** System calls that change the disk and that only the store makes in this program. */
const SYSCALLS = ['pwrite64', 'fsync', 'rename', 'link', 'unlink', 'fchmod', 'ftruncate'] as const;
/** An upper bound for the calls of one kind that three writes make. */
const CALLS_LIMIT = 60;

interface Outcome {
  readonly isHit: boolean;
  readonly acknowledged: readonly string[];
}

/** Writes three keys while the n-th call of a kind fails or kills. */
function stepUnder(command: (mode: string) => readonly string[], injection: string): Outcome {
  const log = join(makeFolder(), 'strace.log');
  const syscall = injection.split(':')[0] ?? '';
  const tracer = ['strace', '-f', '-o', log, '-e', `trace=${syscall}`, '-e', `inject=${injection}`];
  const [first = '', ...rest] = [...tracer, ...command('step')];
  const run = spawnSync(first, rest, { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  const isHit = /\(INJECTED\)|killed by SIGKILL/.test(readFileSync(log, 'utf8'));
  return { isHit, acknowledged: run.stdout.split('\n').filter((line) => /^[abc]$/.test(line)) };
}

function verify(command: (mode: string) => readonly string[], cell: string): string {
  const [first = '', ...rest] = command('verify');
  const run = spawnSync(first, rest, { encoding: 'utf8' });
  assert.equal(run.status, 0, `${cell}: ${run.stdout}${run.stderr}`);
  return JSON.parse(run.stdout.replace('open\n', '')).keys.join('');
}

function sweep(makeCommand: () => (mode: string) => readonly string[]): number {
  let cells = 0;
  for (const syscall of SYSCALLS) {
    for (const fault of ['signal=KILL', 'error=EIO', 'error=ENOSPC']) {
      for (let at = 1; at <= CALLS_LIMIT; at += 1) {
        const command = makeCommand();
        const cell = `${syscall} ${fault} ${at}`;
        const { isHit, acknowledged } = stepUnder(command, `${syscall}:${fault}:when=${at}`);
        if (!isHit) break;
        cells += 1;
        const keys = verify(command, cell);
        for (const id of acknowledged) assert.ok(keys.includes(id), `${cell}: ${id} is lost`);
        // After an error, only acknowledged keys are there; after a kill, one more may be.
        const unknown = keys.length - acknowledged.length;
        assert.ok(fault === 'signal=KILL' ? unknown <= 1 : unknown === 0, `${cell}: ${keys}`);
      }
    }
  }
  return cells;
}

const skip = !isLong ? 'only in the long run' : canTrace ? false : 'needs strace';

test('a fault at each system call of three writes', { skip }, (context) => {
  const cells = sweep(() => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    return (mode) => [...program, mode, path];
  });
  context.diagnostic(`${cells} faults`);
  assert.ok(cells > 30);
});

test('a fault at each system call of three writes to a single mounted file', {
  skip: skip || (canMount ? false : 'needs the right to mount'),
}, (context) => {
  const cells = sweep(() => {
    const folder = makeFolder();
    const inside = join(folder, 'inside', 'ipin-proxy.db');
    mkdirSync(join(folder, 'inside'));
    for (const path of [inside, join(folder, 'outside')]) writeFileSync(path, '');
    const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    const mounted = ['unshare', '-m', 'sh', '-c', script, 'sh', join(folder, 'outside'), inside];
    return (mode) => [...mounted, ...program, mode, inside];
  });
  context.diagnostic(`${cells} faults`);
  assert.ok(cells > 30);
});
