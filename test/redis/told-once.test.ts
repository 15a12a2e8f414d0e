import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EnginePart } from '../../src/redis/engine.ts';
import { SharedLedger } from '../../src/redis/shared-ledger.ts';
import { SharedLog } from '../../src/redis/shared-log.ts';
import { PLACE } from '../../src/usage/ledger/measures.ts';
import { makeEntry } from '../helpers/entries.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { connectEngine } from '../helpers/redis-store.ts';
import { until } from '../helpers/until.ts';

describe('what is told just before the engine hangs is counted once', {
  skip: redisSkipped(),
  timeout: 60_000,
}, () => {
  for (const isLost of [false, true]) {
    test(isLost ? 'where it never arrived' : 'where it arrived, and its answer did not', async (t) => {
      const redis = await startRedis(t, { appendOnly: true });
      const engine = await connectEngine(redis.url);
      t.after(() => engine.close());
      const ledger = new SharedLedger(engine, Date.now);
      const log = new SharedLog(engine, 0);
      for (const part of [ledger, log]) await engine.add(part);
      const parts: readonly EnginePart[] = [ledger, log];
      for (let round = 0; round < 2; round += 1) {
        const entry = makeEntry({ id: `req_${round}`, endedAtMs: Date.now(), isCall: true });
        ledger.book(entry);
        log.add(entry);
      }
      redis.freeze();
      for (const part of parts) part.beat?.().catch(() => {});
      await until(() => !engine.isReady, 'the silence is noticed');
      if (isLost) {
        redis.thaw();
        await redis.kill();
        await redis.start();
      } else redis.thaw();
      await until(() => engine.isReady, 'the engine is back');
      const nowMs = Date.now();
      const { totals } = await ledger.query({
        // Hours count as a whole: the calls may have been in the hour before.
        fromMs: nowMs - 2 * 3_600_000,
        toMs: nowMs + 3_600_000,
        bucket: 'none',
        tzMinutes: 0,
        groupBy: [],
        filters: {},
      });
      assert.equal(totals.values[PLACE.requests], 2);
      const page = await log.page({
        limit: 10,
        before: null,
        isVisible: () => true,
        matches: () => true,
        needles: [],
        isCancelled: () => false,
      });
      assert.deepEqual(
        page?.entries.map(({ id }) => id),
        ['req_1', 'req_0'],
      );
    });
  }
});
