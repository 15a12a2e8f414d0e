import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CALL_OUTCOMES, type CallEntry } from '../../../src/usage/call-entry.ts';
import type { UsageLedger } from '../../../src/usage/ledger/ledger.ts';
import { MEASURES } from '../../../src/usage/ledger/measures.ts';
import { BUCKETS, GROUPS, type Group, type UsageQuery } from '../../../src/usage/ledger/query.ts';
import { makeFolder } from '../../store/fixture.ts';
import { mixedCalls } from './calls.ts';
import { bookAll, DAY_MS, EVERYTHING, HOUR_MS, openAt } from './fixture.ts';

const FROM_MS = Date.parse('2026-02-26T00:00:00Z');
const TO_MS = Date.parse('2026-03-04T12:00:00Z');
const CALLS = mixedCalls(10_000, FROM_MS, TO_MS);
/** UTC, India, Nepal, California in winter, the Line Islands. */
const ZONES = [0, 330, 345, -480, 840];
const GROUPINGS: readonly (readonly Group[])[] = [
  [],
  ...GROUPS.map((group) => [group]),
  ...GROUPS.flatMap((one, index) => GROUPS.slice(index + 1).map((other) => [one, other])),
];

/** The measures, then the requests by outcome. */
type Sums = readonly number[];

/** What one call adds to each sum. */
function partsOf({ usage, outcome, attempts, costNanoUsd }: CallEntry): Sums {
  const parts = {
    requests: 1,
    attempts: attempts.length,
    promptTokens: usage?.promptTokens ?? 0,
    cachedTokens: usage?.cachedTokens ?? 0,
    cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
    completionTokens: usage?.completionTokens ?? 0,
    reasoningTokens: usage?.reasoningTokens ?? 0,
    audioMs: Math.round((usage?.audioSeconds ?? 0) * 1000),
    images: usage?.images ?? 0,
    costNanoUsd: costNanoUsd ?? 0,
    pricedRequests: costNanoUsd === null ? 0 : 1,
    unpricedRequests: usage !== null && costNanoUsd === null ? 1 : 0,
    estimatedRequests: usage?.isEstimated === true ? 1 : 0,
  };
  const outcomes = CALL_OUTCOMES.map((name) => (name === outcome ? 1 : 0));
  return [...MEASURES.map((name) => parts[name]), ...outcomes];
}

const PARTS = new Map(CALLS.map((call) => [call, partsOf(call)]));

/** The sums of some calls, added up one by one. */
function sumsOf(calls: readonly CallEntry[]): Sums {
  const sums = new Array<number>(MEASURES.length + CALL_OUTCOMES.length).fill(0);
  for (const call of calls) {
    const parts = PARTS.get(call) ?? [];
    for (let index = 0; index < sums.length; index++) sums[index] = (sums[index] ?? 0) + (parts[index] ?? 0);
  }
  return sums;
}

const TOTALS = sumsOf(CALLS);

type Rows = Record<string, Sums>;

/** What a query must answer, by bucket and group. */
function expectedRows(calls: readonly CallEntry[], query: UsageQuery): Rows {
  const groups = new Map<string, CallEntry[]>();
  for (const call of calls) {
    const hourMs = Math.floor(call.endedAtMs / HOUR_MS) * HOUR_MS;
    if (hourMs < query.fromMs || hourMs >= query.toMs) continue;
    const offsetMs = query.tzMinutes * 60_000;
    const dayMs = Math.floor((hourMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
    const timeMs = { none: null, hour: hourMs, day: dayMs }[query.bucket];
    const of: Record<Group, string | null> = {
      key: call.keyId,
      user: call.userId,
      model: call.modelId,
      provider: call.providerId,
      endpoint: call.endpoint,
      outcome: call.outcome,
    };
    if (GROUPS.some((name) => query.filters[name] !== undefined && query.filters[name] !== of[name]))
      continue;
    const key = JSON.stringify([timeMs, query.groupBy.map((name) => of[name])]);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [call]);
    else members.push(call);
  }
  return Object.fromEntries([...groups].map(([key, members]) => [key, sumsOf(members)]));
}

interface Answer {
  readonly rows: Rows;
  readonly totals: Sums;
}

async function answerOf(ledger: UsageLedger, query: UsageQuery): Promise<Answer> {
  const { rows, totals } = await ledger.query(query);
  return {
    rows: Object.fromEntries(
      rows.map(({ timeMs, group, values, outcomes }) => [
        JSON.stringify([timeMs, group]),
        [...values, ...outcomes],
      ]),
    ),
    totals: [...totals.values, ...totals.outcomes],
  };
}

async function checkAll(ledger: UsageLedger, groupings: readonly (readonly Group[])[]): Promise<void> {
  for (const bucket of BUCKETS) {
    for (const tzMinutes of bucket === 'day' ? ZONES : [0]) {
      for (const groupBy of groupings) {
        const query = { ...EVERYTHING, bucket, tzMinutes, groupBy };
        const cell = `by ${bucket}, ${tzMinutes} minutes east, grouped by ${groupBy}`;
        const answer = await answerOf(ledger, query);
        const expected = expectedRows(CALLS, query);
        assert.equal(Object.keys(answer.rows).length, Object.keys(expected).length, cell);
        for (const [key, sums] of Object.entries(expected)) {
          assert.equal(String(answer.rows[key]), String(sums), `${cell}: ${key}`);
        }
        assert.deepEqual(answer.totals, TOTALS, cell);
      }
    }
  }
}

describe('sums of 10,000 mixed calls', () => {
  it('every grouping and bucket in five time zones is right, and adds up to the totals', async () => {
    const clock = { nowMs: FROM_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    bookAll(ledger, CALLS.slice(0, 5_000), clock);
    await ledger.flush();
    bookAll(ledger, CALLS.slice(5_000), clock);
    await checkAll(ledger, GROUPINGS);
    await ledger.close();
    const again = await openAt(folder, clock);
    await checkAll(again, [[], ['key', 'model']]);
    await again.close();
  });

  it('each part of the time, and each filter, is right from days as from hours', async () => {
    const clock = { nowMs: FROM_MS };
    const ledger = await openAt(makeFolder(), clock);
    bookAll(ledger, CALLS, clock);
    await ledger.flush();
    const parts = [
      [0, 24],
      [5, 29],
      [13, 100],
      [48, 96],
      [1, 2],
    ] as const;
    for (const [from, to] of parts) {
      const time = { fromMs: FROM_MS + from * HOUR_MS, toMs: FROM_MS + to * HOUR_MS };
      for (const bucket of BUCKETS) {
        for (const tzMinutes of [0, 60]) {
          const query = { ...EVERYTHING, ...time, bucket, tzMinutes };
          const { rows } = await answerOf(ledger, query);
          assert.deepEqual(rows, expectedRows(CALLS, query), JSON.stringify(query));
        }
      }
    }
    for (const filters of [{ key: 'key_1' }, { model: '=1+1', outcome: 'ok' }, { user: 'nobody' }]) {
      const query = { ...EVERYTHING, filters, groupBy: ['provider' as const] };
      assert.deepEqual((await answerOf(ledger, query)).rows, expectedRows(CALLS, query));
    }
    await ledger.close();
  });

  it('a ledger without a folder is right as well', async () => {
    const clock = { nowMs: FROM_MS };
    const ledger = await openAt(null, clock);
    bookAll(ledger, CALLS, clock);
    await ledger.flush();
    const query = { ...EVERYTHING, bucket: 'day' as const, tzMinutes: 330 };
    assert.deepEqual((await answerOf(ledger, query)).rows, expectedRows(CALLS, query));
    await ledger.close();
  });
});
