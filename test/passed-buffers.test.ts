import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { countPassed } from '../src/passed-buffers.ts';
import { prepareProgram } from './helpers/programs.ts';

const program = prepareProgram(join(import.meta.dirname, 'pass-program.ts'));

const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** The most memory in buffers while so many pieces pass, one after the other, over what it was before. */
async function mostHeldBytes(pieces: number): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let piece = 0; piece < pieces; piece++) {
    countPassed(Buffer.allocUnsafeSlow(PIECE_BYTES).length);
    if (piece % 16 > 0) continue;
    await setImmediate();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  return most;
}

function isForced(entry: PerformanceEntry): boolean {
  const { flags } = Reflect.get(entry, 'detail') as { readonly flags: number };
  return (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) > 0;
}

describe('the buffers of a body that has passed', { timeout: 30_000 }, () => {
  test('are freed when there are a few megabytes of them', async () => {
    assert.ok((await mostHeldBytes(3_200)) < 16 * MIB, 'V8 alone lets 45 MiB lie');
  });

  test('wait for V8 if they are small', async () => {
    const forced: unknown[] = [];
    const observer = new PerformanceObserver((list) => {
      forced.push(...list.getEntries().filter(isForced));
    });
    observer.observe({ entryTypes: ['gc'] });
    for (let count = 0; count < 20_000; count++) countPassed(1_024);
    countPassed(20 * MIB);
    while (forced.length === 0) await setImmediate();
    observer.disconnect();
    assert.equal(forced.length, 1);
  });

  test('wait for V8 where it has no function that frees them', () => {
    const [command = '', ...rest] = program;
    const { status, stderr } = spawnSync(command, ['--expose-gc-as=other', ...rest], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});
