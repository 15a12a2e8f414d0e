import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { BudgetFile, type OpenBudgetsOptions, openBudgets } from '../../src/limits/budget-file.ts';
import type { KeptBudgets } from '../../src/limits/budgets.ts';
import { LimitGate } from '../../src/limits/limits.ts';
import { until } from '../helpers/until.ts';
import { createFaultyOps } from '../store/faulty-ops.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');

interface Opened extends KeptBudgets {
  readonly warnings: string[];
  /** Makes a call that cost so much. */
  use(costNanoUsd: number, id?: string): void;
  costOf(id?: string): number;
  /** Writes what has changed. */
  save(): Promise<void>;
}

async function open(folder: string | null, options: Partial<OpenBudgetsOptions> = {}): Promise<Opened> {
  const warnings: string[] = [];
  const logger = { warn: (message: string) => void warnings.push(message) };
  const now = (): number => NOW;
  const kept = await openBudgets({ folder, logger, now, ...options });
  const { budgets } = kept;
  const gate = new LimitGate(budgets, now);
  const file = kept instanceof BudgetFile ? kept : null;
  return Object.assign(kept, {
    warnings,
    save: async (): Promise<void> => (file === null ? undefined : BudgetFile.prototype.save.call(file)),
    use(costNanoUsd: number, id = 'k') {
      const owners = { key: { id, limits: null }, user: null };
      const reservation = gate.admit({ ...owners, tokens: 0, costNanoUsd: 0 });
      gate.settle(reservation, { tokens: 2, costNanoUsd });
    },
    costOf: (id = 'k') => Math.round(budgets.usageOf('key', { id, limits: null }).costUsd * 1e9),
  });
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-budgets-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'made.usage');
}

describe('the file of budgets', { timeout: 30_000 }, () => {
  test('keeps what was used, at close', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder);
    first.use(5);
    first.use(7, 'another');
    first.budgets.grant('user', { id: 'u', limits: null }, { nanoUsd: 3e9, tokens: 4 });
    await first.close();
    const second = await open(folder);
    assert.deepEqual([second.costOf(), second.costOf('another')], [5, 7]);
    const { grantedUsd, grantedTokens } = second.budgets.usageOf('user', { id: 'u', limits: null });
    assert.deepEqual([grantedUsd, grantedTokens, second.isDamaged], [3, 4, false]);
    if (process.platform !== 'win32') {
      assert.equal((await stat(join(folder, 'budgets'))).mode & 0o777, 0o600);
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
    }
  });

  test('keeps what absurd reports add up to', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder, { writeMs: 1 });
    first.use(Number.MAX_SAFE_INTEGER);
    first.use(Number.MAX_SAFE_INTEGER);
    await first.close();
    const second = await open(folder);
    assert.equal(second.costOf(), Number.MAX_SAFE_INTEGER);
  });

  test('is written by itself, for a crash', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder, { writeMs: 1 });
    first.use(5);
    const path = join(folder, 'budgets');
    await until(() => existsSync(path) && readFileSync(path, 'utf8').includes('"k"'), 'the write');
    const second = await open(folder);
    assert.equal(second.costOf(), 5);
  });

  test('is made anew when it grows long, without those that were deleted', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder);
    for (let index = 0; index < 2_010; index += 1) {
      first.use(1);
      await first.save();
    }
    const lines = (await readFile(join(folder, 'budgets'), 'utf8')).trimEnd().split('\n');
    assert.ok(lines.length < 20, `${lines.length} lines`);
    const second = await open(folder);
    assert.equal(second.costOf(), 2_010);
  });

  test('loses only the line that is damaged', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder);
    first.use(5);
    await first.save();
    first.use(7, 'another');
    await first.close();
    const path = join(folder, 'budgets');
    const bytes = await readFile(path);
    bytes[20] = 0x21;
    await writeFile(path, bytes);
    const second = await open(folder);
    assert.deepEqual([second.costOf(), second.costOf('another'), second.isDamaged], [0, 7, true]);
  });

  test('takes over no line of another form', async (t) => {
    const folder = await makeFolder(t);
    const first = await open(folder);
    first.use(5);
    await first.close();
    const { appendCheckedLines } = await import('../../src/store/checked-lines.ts');
    const { nodeFileOps } = await import('../../src/store/file-ops.ts');
    const counter = [0, 1, 1, 1, 0, 0];
    const line = { key: 'k', day: counter, week: counter, month: counter, total: counter };
    const wrong = [
      [],
      { ...line, key: 7 },
      { ...line, day: [0, 1, 1, 1, 0] },
      { ...line, week: null },
      { ...line, month: [0, -1, 1, 1, 0, 0] },
      { ...line, total: [0, '1', 1, 1, 0, 0] },
    ];
    const texts = ['no JSON', ...wrong.map((value) => JSON.stringify(value))];
    await appendCheckedLines(nodeFileOps, join(folder, 'budgets'), texts);
    assert.equal((await open(folder)).costOf(), 5);
  });

  test('is tried again after the disk failed, and the log says it once', async (t) => {
    const folder = await makeFolder(t);
    const ops = createFaultyOps();
    const first = await open(folder, { ops });
    ops.arm({ at: 1, kind: 'lasting', code: 'ENOSPC' });
    first.use(5);
    await first.save();
    await first.save();
    assert.deepEqual(first.warnings, ['budgets.unwritten']);
    ops.arm(null);
    await first.close();
    assert.equal((await open(folder)).costOf(), 5);
  });

  test('that cannot be read leaves the server with budgets in memory', async (t) => {
    const folder = await makeFolder(t);
    const ops = createFaultyOps();
    ops.arm({ at: 1, kind: 'lasting', code: 'EIO' });
    const first = await open(folder, { ops });
    assert.deepEqual(first.warnings, ['budgets.unavailable']);
    first.use(5);
    await first.close();
    assert.equal(first.costOf(), 5);
  });

  test('is not there without a folder', async () => {
    const first = await open(null);
    first.use(5);
    await first.save();
    await first.close();
    assert.equal(first.costOf(), 5);
  });
});
