import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { HttpError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import type { CallEntry } from '../../src/usage/call-entry.ts';
import type { LogPage, LogQuery } from '../../src/usage/log-pages.ts';
import { openRequestLog, type RequestLog, type RequestLogOptions } from '../../src/usage/request-log.ts';
import { makeEntry, makeRandomEntry } from '../helpers/entries.ts';
import { createRandom, type Random } from '../helpers/fuzz-random.ts';
import { createFaultyOps } from '../store/faulty-ops.ts';

const LIMIT_BYTES = 1024 * 1024;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function open(
  folder: string,
  options: Partial<RequestLogOptions> = {},
  logs: string[] = [],
): Promise<RequestLog> {
  const logger = createLogger({ level: 'warn', now: Date.now, write: (line) => void logs.push(line) });
  return openRequestLog({ folder, limitBytes: LIMIT_BYTES, logger, ...options });
}

const ALL: LogQuery = {
  limit: 1000,
  before: null,
  matches: () => true,
  needles: [],
  isVisible: () => true,
  isCancelled: () => false,
};

/** Everything in the log, the oldest first, page by page. */
async function readAll(log: RequestLog, matches = ALL.matches) {
  const entries: CallEntry[] = [];
  const pages: number[] = [];
  for (let before: string | null = null; ; ) {
    const page: LogPage | null = await log.page({ ...ALL, before, matches });
    assert.ok(page !== null);
    entries.push(...page.entries);
    pages.push(page.entries.length);
    before = page.next;
    if (before === null) return { entries: entries.reverse(), pages };
  }
}

function fill(log: RequestLog, count: number, random: Random, first = 0): CallEntry[] {
  const all = Array.from({ length: count }, (_, number) => makeRandomEntry(first + number, random));
  for (const entry of all) log.add(entry);
  return all;
}

/** True if `some` are `all` without a few, in the same order and each at most once. */
function isSubsequence(some: readonly CallEntry[], all: readonly CallEntry[]): boolean {
  let at = 0;
  for (const entry of all) if (isDeepStrictEqual(some[at], entry)) at += 1;
  return at === some.length;
}

/** Damages a file in one of the ways in which disks and people do. */
function damage(path: string, random: Random): void {
  const bytes = readFileSync(path);
  const at = random.int(bytes.length);
  const kind = random.int(5);
  if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
  if (kind === 1) bytes.fill(0, at, at + 3000);
  const pieces = [bytes.subarray(0, at)];
  if (kind === 3) pieces.push(Buffer.from(`garbage\n\n[1,"req_x"]\n${'y'.repeat(200_000)}`));
  if (kind === 4) pieces.push(bytes.subarray(Math.max(0, at - 2000), at));
  if (kind !== 2) pieces.push(bytes.subarray(at));
  writeFileSync(path, Buffer.concat(pieces));
}

test('a damaged file loses the damaged lines only, and the log goes on', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed);
    const folder = await folderOf(t);
    const first = await open(folder);
    const all = fill(first, 1_200, random);
    await first.close();
    const names = readdirSync(folder);
    damage(join(folder, names[random.int(names.length)] ?? ''), random);
    const log = await open(folder);
    all.push(...fill(log, 300, random, all.length));
    await log.close();
    const { entries } = await readAll(await open(folder));
    // A part of a file that stands there twice is read twice.
    const ids = new Set<string>();
    const unique = entries.filter(({ id }) => !ids.has(id) && ids.add(id));
    assert.ok(isSubsequence(unique, all), `seed ${seed}`);
    assert.deepEqual(unique.slice(-300), all.slice(-300), `seed ${seed}: what was written later is whole`);
  }
});

test('a folder that cannot be used is no reason not to start', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'file'), 'no folder');
  const logs: string[] = [];
  const log = await open(join(folder, 'file'), {}, logs);
  log.add(makeEntry({ id: 'req_1' }));
  await log.close();
  assert.equal((await readAll(log)).entries.length, 1);
  assert.match(logs.join(''), /request_log\.(unavailable|write_failed)/);
});

test('each failure of the disk is survived: every entry is written once, in order', async (t) => {
  for (let at = 1; ; at++) {
    const random = createRandom(at);
    const folder = await folderOf(t);
    const ops = createFaultyOps();
    const logs: string[] = [];
    const log = await open(folder, { ops, retryDelayMs: 100_000 }, logs);
    const all = fill(log, 20, random);
    await log.close();
    all.push(...fill(log, 20, random, all.length));
    ops.arm({ at, kind: 'lasting', code: 'ENOSPC', torn: true });
    await log.close();
    all.push(...fill(log, 20, random, all.length));
    await log.close();
    const isHit = ops.calls.length >= at;
    assert.equal(log.status().isWritable, !isHit);
    assert.equal(logs.length, isHit ? 1 : 0, 'one warning, however often it fails');
    const page = await log.page({ ...ALL, limit: 59 });
    assert.deepEqual(page?.entries, all.slice(1).reverse(), 'the newest are in memory');
    ops.arm(null);
    await log.close();
    assert.equal(log.status().isWritable, true);
    const { entries } = await readAll(await open(folder));
    assert.deepEqual(entries, all);
    if (!isHit) break;
  }
});

test('a disk that fails for long loses the oldest entries, and memory stays bounded', async (t) => {
  const ops = createFaultyOps();
  const log = await open(await folderOf(t), { ops, retryDelayMs: 100_000 });
  ops.arm({ at: 1, kind: 'lasting', code: 'EIO' });
  const all = fill(log, 30_000, createRandom(1));
  await log.close();
  await assert.rejects(
    log.page({ ...ALL, limit: 12_000 }),
    (error) => error instanceof HttpError && error.error.code === 'storage_unavailable',
  );
  const page = await log.page({ ...ALL, limit: 9_000 });
  assert.deepEqual(page?.entries, all.slice(-9_000).reverse());
  assert.ok(log.status().lostEntries >= 18_000);
});

test('a page that would read too much of the files ends early, and its next goes on', async (t) => {
  const folder = await folderOf(t);
  const random = createRandom(3);
  const first = await open(folder);
  const all = fill(first, 2_600, random);
  await first.close();
  const log = await open(folder, { piecesPerPage: 2 });
  const { entries, pages } = await readAll(log, ({ id }) => id === all[10]?.id);
  assert.deepEqual(entries, [all[10]]);
  assert.ok(pages.length > 2, `${pages}`);
  assert.deepEqual((await readAll(log)).entries, all);
});

test('a page that nobody waits for any more is not read on', async (t) => {
  const folder = await folderOf(t);
  const first = await open(folder);
  fill(first, 2_600, createRandom(3));
  await first.close();
  const log = await open(folder);
  let looks = 0;
  const page = await log.page({
    ...ALL,
    matches: () => false,
    isCancelled: () => {
      looks += 1;
      return true;
    },
  });
  assert.deepEqual([page?.entries, looks], [[], 1]);
});

test('so many pages of the files at once are refused', async (t) => {
  const folder = await folderOf(t);
  const first = await open(folder);
  fill(first, 2_600, createRandom(3));
  await first.close();
  const log = await open(folder);
  const asked = Array.from({ length: 40 }, () => readAll(log, () => false));
  const answers = await Promise.allSettled(asked);
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  assert.equal(reasons.length, 8);
  assert.ok(
    reasons.every((reason) => reason instanceof HttpError && reason.error.code === 'server_overloaded'),
  );
  assert.equal((await readAll(log)).entries.length, 2_600, 'and later they are read again');
});
