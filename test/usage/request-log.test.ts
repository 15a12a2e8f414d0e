import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import type { CallEntry } from '../../src/usage/call-entry.ts';
import { createMatcher, type LogFilter } from '../../src/usage/log-filter.ts';
import type { LogPage, LogQuery } from '../../src/usage/log-pages.ts';
import { openRequestLog, type RequestLog, type RequestLogOptions } from '../../src/usage/request-log.ts';
import { makeEntry, makeRandomEntry } from '../helpers/entries.ts';
import { createRandom, type Random } from '../helpers/fuzz-random.ts';
import { mockTimers } from '../helpers/mock-timers.ts';

const NO_FILTER: LogFilter = {
  fromMs: null,
  toMs: null,
  keyId: null,
  userId: null,
  modelId: null,
  providerId: null,
  endpoint: null,
  outcome: null,
  search: null,
};
/** Names as they were, but for one key that has another name now. */
const NAMES = {
  keyName: ({ keyId, keyName }: CallEntry) => (keyId === 'key_2' ? 'Renamed' : keyName),
  userName: ({ userName }: CallEntry) => userName,
  modelName: ({ modelId }: CallEntry) => (modelId === 'llama' ? 'Big Animal' : null),
};
const SMALL_BYTES = 1024 * 1024;

interface Asked extends Partial<LogFilter> {
  readonly limit?: number;
  readonly before?: string | null;
  readonly ownUserId?: string | null;
}

function toQuery({ limit = 100, before = null, ownUserId = null, ...filter }: Asked): LogQuery {
  return {
    ...createMatcher({ ...NO_FILTER, ...filter }, NAMES),
    limit,
    before,
    isVisible: (entry) => ownUserId === null || entry.userId === ownUserId,
    isCancelled: () => false,
  };
}

/** The page by the plainest way: all entries in a list. */
function expected(all: readonly CallEntry[], asked: Asked): LogPage | null {
  const { limit, before, isVisible } = toQuery(asked);
  const own = all.filter(isVisible);
  const end = before === null ? own.length : own.findIndex(({ id }) => id === before);
  if (end === -1) return null;
  const found = own
    .slice(0, end)
    .filter((entry) => passes(entry, asked))
    .reverse();
  const entries = found.slice(0, limit);
  return { entries, next: found.length > limit ? (entries.at(-1)?.id ?? null) : null };
}

function passes(entry: CallEntry, { search, ...asked }: Asked): boolean {
  if (entry.endedAtMs < (asked.fromMs ?? 0) || entry.endedAtMs >= (asked.toMs ?? Infinity)) return false;
  const members = ['keyId', 'userId', 'modelId', 'providerId', 'endpoint', 'outcome'] as const;
  if (members.some((name) => (asked[name] ?? entry[name]) !== entry[name])) return false;
  if (search === undefined || search === null) return true;
  const low = search.toLowerCase();
  const texts = [entry.modelId, NAMES.modelName(entry), NAMES.keyName(entry)];
  return entry.id === low || texts.some((text) => text?.toLowerCase().includes(low));
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'ipin.db.usage');
}

const SILENT = createLogger({ level: 'silent', now: Date.now, write: () => {} });

function open(folder: string | null, options: Partial<RequestLogOptions> = {}): Promise<RequestLog> {
  return openRequestLog({ folder, limitBytes: SMALL_BYTES, logger: SILENT, ...options });
}

/** Any filters, mostly one. */
function anyFilter(random: Random, all: readonly CallEntry[]): Asked {
  const some = all[random.int(all.length)];
  const asked: Record<string, unknown> = {};
  if (random.chance(0.2)) asked['fromMs'] = some?.endedAtMs ?? 0;
  if (random.chance(0.2)) asked['toMs'] = (some?.endedAtMs ?? 0) + random.int(200_000);
  if (random.chance(0.3)) asked['keyId'] = random.pick(['key_0', 'key_2', 'nothing']);
  if (random.chance(0.2)) asked['userId'] = random.pick(['anna', 'bert']);
  if (random.chance(0.2)) asked['modelId'] = random.pick(['gpt', 'Ünïcode "m"', 'nothing']);
  if (random.chance(0.2)) asked['providerId'] = 'p1';
  if (random.chance(0.2)) asked['outcome'] = random.pick(['limited', 'broken', 'cancelled']);
  if (random.chance(0.2)) asked['endpoint'] = 'responses';
  if (random.chance(0.2))
    asked['search'] = random.pick(['GPT', 'animal', 'renamed', 'name 3', some?.id ?? '']);
  if (random.chance(0.3)) asked['ownUserId'] = 'anna';
  return asked;
}

/** Asks for random pages, one after another to the end, and compares each with the oracle. */
async function comparePages(log: RequestLog, all: readonly CallEntry[], random: Random): Promise<void> {
  for (let round = 0; round < 12; round++) {
    const asked = { ...anyFilter(random, all), limit: random.pick([1, 7, 100, 1000]) };
    let before: string | null = null;
    for (let pages = 0; pages < 6; pages++) {
      const page: LogPage | null = await log.page(toQuery({ ...asked, before }));
      assert.deepEqual(page, expected(all, { ...asked, before }), JSON.stringify({ ...asked, before }));
      before = page?.next ?? null;
      if (before === null) break;
    }
    // From anywhere, as after a restart or with an id that somebody kept.
    const start = { ...asked, before: all[random.int(all.length)]?.id ?? null };
    assert.deepEqual(await log.page(toQuery(start)), expected(all, start), JSON.stringify(start));
  }
}

/** The entries that are still there, which must be the newest. */
async function keptOf(log: RequestLog, all: readonly CallEntry[]): Promise<readonly CallEntry[]> {
  let count = 0;
  for (let before: string | null = null; ; ) {
    const page: LogPage | null = await log.page(toQuery({ limit: 1000, before }));
    count += page?.entries.length ?? 0;
    before = page?.next ?? null;
    if (before === null) return all.slice(all.length - count);
  }
}

test('pages and filters are those of a plain list, across memory, files, rotation and restarts', async (t) => {
  const folder = await folderOf(t);
  const random = createRandom(4711);
  const all: CallEntry[] = [];
  for (let run = 0; run < 4; run++) {
    const log = await open(folder);
    for (let count = 0; count < 2_500; count++) {
      const entry = makeRandomEntry(all.length, random);
      all.push(entry);
      log.add(entry);
      if (random.chance(0.01)) await new Promise((resolve) => setImmediate(resolve));
    }
    // While entries are being written; later runs delete old ones meanwhile.
    if (run === 0) await comparePages(log, all, random);
    await log.close();
    await comparePages(log, await keptOf(log, all), random);
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= SMALL_BYTES, `${sizes}`);
  }
  const log = await open(folder);
  const kept = await keptOf(log, all);
  assert.ok(kept.length > 2_000 && kept.length < all.length, `${kept.length} of ${all.length} are kept`);
  await comparePages(log, kept, random);
  assert.equal(log.status().lostEntries, 0);
  assert.equal(await log.page(toQuery({ before: all[0]?.id ?? '' })), null, 'the oldest has left the log');
  await log.close();
});

test('without a folder, or with 0 MB, the latest are kept in memory', async (t) => {
  const folder = await folderOf(t);
  const written = await open(folder);
  written.add(makeEntry({ id: 'req_old' }));
  await written.close();
  for (const log of [await open(null), await open(folder, { limitBytes: 0 })]) {
    const random = createRandom(1);
    const all = Array.from({ length: 5_000 }, (_, number) => makeRandomEntry(number, random));
    for (const entry of all) log.add(entry);
    const kept = await keptOf(log, all);
    assert.ok(kept.length >= 1_000 && kept.length <= 2_000);
    await comparePages(log, kept, random);
    await log.close();
    assert.deepEqual(log.status(), { sizeBytes: 0, isWritable: true, lostEntries: 0 });
  }
  assert.deepEqual(readdirSync(folder), [], 'the files of an earlier run are gone');
});

test('a smaller limit deletes the oldest files at the start', async (t) => {
  const folder = await folderOf(t);
  const random = createRandom(2);
  const all = Array.from({ length: 6_000 }, (_, number) => makeRandomEntry(number, random));
  const large = await open(folder, { limitBytes: 8 * SMALL_BYTES });
  for (const entry of all) large.add(entry);
  await large.close();
  const fullBytes = large.status().sizeBytes;
  assert.ok(fullBytes > SMALL_BYTES);
  const small = await open(folder);
  assert.ok(small.status().sizeBytes <= SMALL_BYTES);
  await comparePages(small, await keptOf(small, all), random);
  await small.close();
});

test('an entry is written within a second, and at close at once', async (t) => {
  const folder = await folderOf(t);
  mockTimers(t, 'Timeout');
  const log = await open(folder);
  log.add(makeEntry({ id: 'req_1' }));
  t.mock.timers.tick(999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(log.status().sizeBytes, 0);
  t.mock.timers.tick(1);
  await log.close();
  const { sizeBytes } = log.status();
  assert.ok(sizeBytes > 0);
  log.add(makeEntry({ id: 'req_2' }));
  await log.close();
  assert.ok(log.status().sizeBytes > sizeBytes);
});

test('every member of an entry survives the file', async (t) => {
  const folder = await folderOf(t);
  const above = {
    inputTokens: 200_000,
    inputPerMTok: 6,
    outputPerMTok: 22.5,
    cachedInputPerMTok: 0.6,
    cacheWritePerMTok: null,
  };
  const plain = makeEntry({ id: 'req_plain' });
  const entries = [
    plain,
    makeEntry({
      ...plain,
      id: 'req_full',
      keyName: 'a "quoted"\nname \u2028 \ud83d\ude00',
      userId: 'u',
      userName: 'U',
      stream: true,
      isCall: false,
      isAdmitted: false,
      status: 499,
      outcome: 'cancelled',
      code: 'client_closed_request',
      price: plain.price && { source: 'list', price: { ...plain.price.price, perRequest: 0, above } },
    }),
    makeEntry({
      id: 'req_empty',
      keyId: null,
      keyName: null,
      modelId: null,
      providerId: null,
      upstreamModel: null,
      ttftMs: null,
      usage: null,
      costNanoUsd: null,
      price: null,
      attempts: [],
    }),
  ];
  const log = await open(folder);
  for (const entry of entries) log.add(entry);
  await log.close();
  const again = await open(folder);
  const page = await again.page(toQuery({}));
  assert.deepEqual(page?.entries, [...entries].reverse());
  await again.close();
});

test('long texts of clients and providers are cut, and bound what an entry takes', async (t) => {
  const folder = await folderOf(t);
  const long = '😀'.repeat(100_000);
  const attempt = { ...makeEntry({ id: 'x' }).attempts[0], code: long, upstreamModel: long };
  const log = await open(folder);
  const attempts = Array.from({ length: 100 }, () => ({ ...makeEntry({ id: 'x' }).attempts[0], ...attempt }));
  log.add(makeEntry({ id: 'req_1', modelId: long, code: long, attempts: attempts as CallEntry['attempts'] }));
  log.add(makeEntry({ id: 'req_2', modelId: long }));
  await log.close();
  const page = await log.page(toQuery({}));
  for (const entry of page?.entries ?? []) {
    assert.ok(JSON.stringify(entry).length < 40_000);
    assert.ok((entry.modelId?.length ?? 0) <= 512);
    assert.equal(entry.modelId?.includes('\ufffd'), false, 'no pair of surrogates is cut in half');
  }
  assert.equal(page?.entries.length, 2);
});
