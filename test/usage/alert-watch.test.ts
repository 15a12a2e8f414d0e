import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SNAPSHOTS_OFF, type SnapshotStatus } from '../../src/offsite/status.ts';
import type { LastUseStore, StorageStatus } from '../../src/store/store.ts';
import { AlertMemory } from '../../src/usage/alert-memory.ts';
import { AlertWatch, type WatchedProvider } from '../../src/usage/alert-watch.ts';
import { type BudgetNote, createBudgetAlerts } from '../../src/usage/budget-alerts.ts';
import { PRICE_LIST_AS_OF } from '../../src/usage/price-list.ts';
import { alertsIntoList } from './alerts-into-list.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const FRESH_MS = Date.parse(PRICE_LIST_AS_OF) + 90 * DAY_MS;
const STORAGE: StorageStatus = { state: 'ok', message: 'fine', encrypted: true };

/** What lastUse keeps, as both stores do: exact to the minute. */
function memoryOf(times: Map<string, number>): LastUseStore {
  return {
    read: async (names) => names.map((name) => times.get(name)),
    note: async (name, atMs) => void times.set(name, atMs),
  };
}

function start(times = new Map<string, number>()) {
  const { alerts, sent } = alertsIntoList();
  const clock = { nowMs: FRESH_MS };
  const memory = new AlertMemory(memoryOf(times), () => clock.nowMs);
  const watch = new AlertWatch(alerts, memory);
  const state = {
    providers: [] as WatchedProvider[],
    storage: STORAGE,
    snapshot: SNAPSHOTS_OFF as SnapshotStatus,
    countListedPrices: () => 0,
  };
  const look = async (changed: Partial<typeof state> = {}): Promise<unknown[]> => {
    Object.assign(state, changed);
    sent.length = 0;
    watch.look({ ...state, nowMs: clock.nowMs });
    await new Promise(setImmediate);
    return sent.map(({ type, data }) => [type, ...Object.values(data)]);
  };
  return { look, clock, alerts, sent, note: createBudgetAlerts(alerts, memory) };
}

const provider = (state: WatchedProvider['state'], refused: string[] = []): WatchedProvider => ({
  id: 'p',
  name: 'P',
  state,
  lastError: state === 'failing' ? { status: 500 } : null,
  refusedKeys: refused.map((id) => ({ id, hint: 'sk-...1' })),
});

describe('a look at the server', () => {
  test('tells of a provider that fails, then of its recovery, each once', async () => {
    const { look } = start();
    const seen: unknown[] = [];
    for (const state of ['untested', 'failing', 'failing', 'slow', 'failing', 'ok', 'ok', 'failing'] as const)
      seen.push(...(await look({ providers: [provider(state)] })));
    assert.deepEqual(seen, [
      ['provider.failing', 'p', 'P', { status: 500 }],
      ['provider.recovered', 'p', 'P'],
      ['provider.failing', 'p', 'P', { status: 500 }],
    ]);
    assert.deepEqual(await look({ providers: [] }), []);
    assert.deepEqual(await look({ providers: [provider('ok')] }), []);
  });

  test('tells of a refused key once for each refusal', async () => {
    const { look } = start();
    const key = ['key.refused', 'p', 'P', 'k', 'sk-...1'];
    assert.deepEqual(await look({ providers: [provider('ok', ['k'])] }), [key]);
    assert.deepEqual(await look(), []);
    assert.deepEqual(await look({ providers: [provider('ok', ['k', 'l'])] }), [
      ['key.refused', 'p', 'P', 'l', 'sk-...1'],
    ]);
    assert.deepEqual(await look({ providers: [provider('ok')] }), []);
    assert.deepEqual(await look({ providers: [provider('ok', ['k'])] }), [key]);
  });

  test('tells of storage and snapshots', async () => {
    const { look } = start();
    assert.deepEqual(await look({ storage: { ...STORAGE, state: 'volatile' } }), []);
    const failing: StorageStatus = { ...STORAGE, state: 'failing', message: 'full' };
    assert.deepEqual(await look({ storage: failing }), [['storage.failing', 'failing', 'full']]);
    assert.deepEqual(await look(), []);
    assert.deepEqual(await look({ storage: STORAGE }), [['storage.recovered', 'ok', 'fine']]);
    const refused: SnapshotStatus = { ...SNAPSHOTS_OFF, lastResult: 'refused', message: 'no' };
    assert.deepEqual(await look({ snapshot: refused }), [['snapshot.failing', 'refused', 'no']]);
    assert.deepEqual(await look({ snapshot: { ...refused, lastResult: 'unreachable' } }), []);
    assert.deepEqual(await look({ snapshot: { ...refused, lastResult: 'written' } }), []);
    assert.deepEqual(await look({ snapshot: refused }), [['snapshot.failing', 'refused', 'no']]);
  });

  test('tells once that prices in use are older than 90 days, also after a restart', async () => {
    const times = new Map<string, number>();
    const { look, clock } = start(times);
    assert.deepEqual(await look({ countListedPrices: () => 3 }), []);
    clock.nowMs += 1;
    assert.deepEqual(await look({ countListedPrices: () => 0 }), []);
    clock.nowMs += DAY_MS;
    assert.deepEqual(await look({ countListedPrices: () => 3 }), [['prices.stale', PRICE_LIST_AS_OF, 3]]);
    clock.nowMs += DAY_MS;
    assert.deepEqual(await look(), []);
    const again = start(times);
    again.clock.nowMs = clock.nowMs;
    assert.deepEqual(await again.look({ countListedPrices: () => 3 }), []);
  });
});

describe('a note of a budget', () => {
  const NOTE: BudgetNote = {
    owner: { kind: 'key', id: 'k', name: 'K' },
    period: 'month',
    periodStartMs: Date.parse('2026-11-01T00:00:00.000Z'),
    limitKind: 'usd',
    used: 0,
    limit: 20_000_000_000,
    warnPercent: 80,
  };

  async function notes(list: readonly Partial<BudgetNote>[], times = new Map<string, number>()) {
    const { note, sent } = start(times);
    const seen: string[][] = [];
    for (const fields of list) {
      sent.length = 0;
      note({ ...NOTE, ...fields });
      await new Promise(setImmediate);
      seen.push(sent.map(({ type }) => type));
    }
    return seen;
  }

  test('warns at its share and tells when it is spent, each once', async () => {
    const used = [
      15_999_999_999, 16_000_000_000, 17_000_000_000, 19_999_999_999, 20_000_000_000, 25_000_000_000,
    ];
    assert.deepEqual(await notes(used.map((one) => ({ used: one }))), [
      [],
      ['budget.warning'],
      [],
      [],
      ['budget.spent'],
      [],
    ]);
  });

  test('does not warn of what is spent already, and not after a grant in the same period', async () => {
    assert.deepEqual(await notes([{ used: 21e9 }, { used: 21e9, limit: 25e9 }]), [['budget.spent'], []]);
  });

  test('counts once for each owner, period and type, whatever the kind of limit', async () => {
    const spent = { used: 20e9 };
    const next = Date.parse('2027-01-01T00:00:00.000Z');
    const list = [
      spent,
      { ...spent, limitKind: 'tokens' as const },
      { ...spent, periodStartMs: next },
      { ...spent, owner: { ...NOTE.owner, kind: 'user' as const } },
      { ...spent, owner: { ...NOTE.owner, id: 'other' } },
    ];
    assert.deepEqual(
      (await notes(list)).map(({ length }) => length),
      [1, 0, 1, 1, 1],
    );
  });

  test('is not repeated after a restart', async () => {
    const times = new Map<string, number>();
    assert.deepEqual(await notes([{ used: 16e9 }], times), [['budget.warning']]);
    assert.deepEqual(await notes([{ used: 17e9 }, { used: 20e9 }], times), [[], ['budget.spent']]);
    // The clock of these tests stands at the end of December.
    const next = { periodStartMs: Date.parse('2027-01-01T00:00:00.000Z') };
    assert.deepEqual(await notes([{ ...next, used: 17e9 }], times), [['budget.warning']]);
  });

  test('is told later where there was no webhook or the queue was full', async () => {
    const { note, sent, alerts } = start();
    Object.assign(alerts, { isOn: false });
    note({ ...NOTE, used: 16e9 });
    Object.assign(alerts, { isOn: true, isFull: true });
    note({ ...NOTE, used: 16e9 });
    await new Promise(setImmediate);
    assert.equal(sent.length, 0);
    Object.assign(alerts, { isFull: false });
    note({ ...NOTE, used: 16e9 });
    await new Promise(setImmediate);
    assert.deepEqual(sent, [
      {
        type: 'budget.warning',
        data: {
          owner: NOTE.owner,
          period: 'month',
          periodStart: '2026-11-01T00:00:00.000Z',
          usedUsd: 16,
          limitUsd: 20,
        },
      },
    ]);
  });

  test('of tokens tells tokens', async () => {
    const { note, sent } = start();
    note({ ...NOTE, limitKind: 'tokens', used: 80, limit: 100 });
    await new Promise(setImmediate);
    const { usedTokens, limitTokens } = sent[0]?.data ?? {};
    assert.deepEqual([usedTokens, limitTokens], [80, 100]);
  });
});
