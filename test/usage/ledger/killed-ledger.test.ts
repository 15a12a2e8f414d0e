import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareProgram } from '../../helpers/programs.ts';
import { makeFolder } from '../../store/fixture.ts';
import { openAt, totalsOf } from './fixture.ts';

const LONG = process.env['IPIN_LONG'] === '1';
const ROUNDS = LONG ? 50 : 6;
const AT_ONCE = LONG ? 10 : 6;
const LOST_AT_MOST_MS = 5_000;

const program = prepareProgram(join(import.meta.dirname, 'book-program.ts'));

/** Books calls for some time, then kills the process. Returns when each call was booked, in milliseconds. */
async function bookUntilKilled(folder: string, delayMs: number): Promise<number[]> {
  const [command = '', ...rest] = program;
  const child = spawn(command, [...rest, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), delayMs);
    text += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return text.split('\n').slice(0, -1).map(Number);
}

async function killOnce(round: number): Promise<number> {
  const folder = makeFolder();
  // Some die within their first flushes, others after several.
  const delayMs = 900 + Math.floor(Math.random() * 8_000);
  const times = await bookUntilKilled(folder, delayMs);
  const lastMs = times.at(-1) ?? 0;
  const old = times.filter((timeMs) => timeMs <= lastMs - LOST_AT_MOST_MS).length;
  const ledger = await openAt(folder, { nowMs: lastMs });
  const { requests } = await totalsOf(ledger);
  await ledger.close();
  const cell = `round ${round}, killed after ${delayMs} ms: ${requests} of ${times.length}`;
  assert.ok(requests >= old, `${cell}, ${old} of them older than 5 s`);
  // One may have been booked and not reported.
  assert.ok(requests <= times.length + 1, cell);
  return requests;
}

test(`SIGKILL while calls are booked: at most 5 seconds are lost, ${ROUNDS} times`, {
  timeout: 300_000,
}, async () => {
  let kept = 0;
  for (let round = 0; round < ROUNDS; round += AT_ONCE) {
    const rounds = Array.from({ length: AT_ONCE }, (_, index) => killOnce(round + index));
    for (const requests of await Promise.all(rounds)) kept += requests;
  }
  assert.ok(kept > 0, 'nothing was ever kept');
});
