import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareProgram } from '../helpers/programs.ts';
import { makeFolder, openStore } from '../store/fixture.ts';
import { digestOf } from '../store/store-contract.ts';

const isLong = process.env['IPIN_LONG'] === '1';
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
/** The database starts empty again after this many rounds, so that it stays small. */
const ROUNDS_PER_DATABASE = 25;

const program = prepareProgram(join(import.meta.dirname, 'store-program.ts'));

interface Killed {
  /** The keys acknowledged before the kill. */
  readonly acknowledged: readonly string[];
  readonly delayMs: number;
}

/** Starts a writer, kills it after 5 to 400 ms, counted from its start or from when it has opened the store. */
async function writeUntilKilled(round: number, command: readonly string[]): Promise<Killed> {
  const delayMs = 5 + Math.floor(Math.random() * 396);
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = readOutput(child, (text) => {
    if (round % 4 !== 0 && text.startsWith('open\n')) kill(child, delayMs);
  });
  if (round % 4 === 0) kill(child, delayMs);
  const lines = (await output).split('\n');
  // A truncated line does not count as an acknowledgement.
  return { acknowledged: lines.slice(0, -1).filter((line) => line !== 'open'), delayMs };
}

function kill(child: ChildProcess, delayMs: number): void {
  setTimeout(() => child.kill('SIGKILL'), delayMs);
}

function readOutput(child: ChildProcess, onFirst: (text: string) => void = () => {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text === '') onFirst(chunk);
      text += chunk;
    });
    child.on('close', () => resolve(text));
  });
}

test(`SIGKILL during writes: every acknowledged change is there, ${isLong ? 200 : 20} times`, async (context) => {
  let path = '';
  let expected = new Set<string>();
  let total = 0;
  for (let round = 0; round < (isLong ? 200 : 20); round += 1) {
    if (round % ROUNDS_PER_DATABASE === 0) {
      path = join(makeFolder(), 'ipin-proxy.db');
      expected = new Set();
    }
    const { acknowledged, delayMs } = await writeUntilKilled(round, [...program, 'write', path, `r${round}`]);
    for (const id of acknowledged) expected.add(id);
    total += acknowledged.length;
    const cell = `round ${round}, killed after ${delayMs} ms`;
    const strays = readdirSync(join(path, '..')).filter((name) => name.includes('.tmp-'));
    assert.ok(strays.length <= 1, `${cell}: ${strays}`);
    const store = await openStore(path);
    const { apiKeys } = store.config.view();
    for (const id of expected) assert.equal(apiKeys.get(id)?.digest, digestOf(id), `${cell}: ${id}`);
    assert.equal(store.status().state, 'ok', cell);
    await store.close();
    assert.deepEqual(
      readdirSync(join(path, '..')).filter((name) => /tmp-|sock-|lock|side/.test(name)),
      [],
      cell,
    );
  }
  context.diagnostic(`${total} acknowledged changes`);
  assert.ok(total > 20);
});

test(`SIGKILL during writes to a single mounted file, ${isLong ? 100 : 10} times`, {
  skip: canMount ? false : 'needs the right to mount',
}, async (context) => {
  let rig = mountedFile();
  let expected = new Set<string>();
  let recovered = 0;
  for (let round = 0; round < (isLong ? 100 : 10); round += 1) {
    if (round > 0 && round % ROUNDS_PER_DATABASE === 0) {
      rig = mountedFile();
      expected = new Set();
    }
    const killed = await writeUntilKilled(round, rig.command('write', `r${round}`));
    for (const id of killed.acknowledged) expected.add(id);
    const cell = `round ${round}, killed after ${killed.delayMs} ms`;
    const [file, ...rest] = rig.command('verify');
    const verified = spawnSync(file ?? '', rest, { encoding: 'utf8' });
    assert.equal(verified.status, 0, `${cell}: ${verified.stdout}${verified.stderr}`);
    const { state, keys } = JSON.parse(verified.stdout.replace('open\n', ''));
    for (const id of expected) assert.ok(keys.includes(id), `${cell}: ${id}`);
    if (state === 'recovered') recovered += 1;
  }
  context.diagnostic(
    `${expected.size} acknowledged changes in the last database, ${recovered} recoveries from the side copy`,
  );
  assert.ok(expected.size > 0);
});

/** A file outside, mounted onto one in another folder, as a container does with `-v file:file`. */
function mountedFile(): { command(mode: string, prefix?: string): readonly string[] } {
  const folder = makeFolder();
  const outside = join(folder, 'outside.db');
  const inside = join(folder, 'inside', 'ipin-proxy.db');
  mkdirSync(join(folder, 'inside'));
  writeFileSync(outside, '');
  writeFileSync(inside, '');
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  return {
    command: (mode, prefix = '') => [
      ...['unshare', '-m', 'sh', '-c', script, 'sh', outside, inside],
      ...program,
      ...[mode, inside, prefix],
    ],
  };
}
