import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { Budgets } from '../../src/limits/budgets.ts';
import { type AdmitRequest, LimitGate, type Reservation } from '../../src/limits/limits.ts';
import type { Limits } from '../../src/store/entities.ts';
import { makeLimits } from '../helpers/limited-keys.ts';

interface Ask {
  readonly tokens?: number;
  readonly usd?: number;
}

/** A gate with a clock that stands until it is moved, for a key and its user. */
function start(keyLimits: Partial<Limits> | null, userLimits: Partial<Limits> | null = null) {
  let nowMs = Date.parse('2026-11-30T12:00:00Z');
  const now = (): number => nowMs;
  const budgets = new Budgets(now);
  const gate = new LimitGate(budgets, now);
  const owners: Pick<AdmitRequest, 'key' | 'user'> = {
    key: { id: 'k', limits: keyLimits === null ? null : makeLimits(keyLimits) },
    user: { id: 'u', limits: userLimits === null ? null : makeLimits(userLimits) },
  };
  const admit = ({ tokens = 0, usd = 0 }: Ask = {}): Reservation =>
    gate.admit({ ...owners, tokens, costNanoUsd: usd * 1e9 });
  return {
    budgets,
    gate,
    owners,
    admit,
    wait: (ms: number) => {
      nowMs += ms;
    },
    call(ask: Ask = {}, used: Ask = ask) {
      gate.settle(admit(ask), { tokens: used.tokens ?? 0, costNanoUsd: (used.usd ?? 0) * 1e9 });
    },
    refused(ask: Ask = {}): HttpError {
      try {
        admit(ask);
      } catch (error) {
        if (error instanceof HttpError) return error;
        throw error;
      }
      return assert.fail('The call was let through.');
    },
  };
}

function headersOf({ headers }: { readonly headers: readonly string[] }): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2)
    pairs.push([headers[index] ?? '', headers[index + 1] ?? '']);
  return Object.fromEntries(pairs);
}

const NAMES = [
  ['key', 'this API key'],
  ['user', 'your account'],
] as const;

for (const [kind, name] of NAMES) {
  const of = (limits: Partial<Limits>) => (kind === 'key' ? start(limits) : start(null, limits));
  describe(`the limits of a ${kind}`, () => {
    test('concurrency', () => {
      const { gate, admit, refused, call } = of({ concurrency: 2 });
      const running = admit();
      admit();
      const { status, error, message, ...rest } = refused();
      assert.deepEqual([status, error.code, error.type], [429, 'rate_limit_exceeded', 'rate_limit_error']);
      assert.equal(
        message,
        `Too many requests at the same time for ${name}: 2 of 2 are running. Try again in 1 s.`,
      );
      assert.deepEqual(headersOf(rest), { 'retry-after': '1' });
      gate.settle(running, null);
      call();
    });

    test('rpm', () => {
      const { call, refused, wait, admit } = of({ rpm: 2 });
      call();
      wait(30_000);
      call();
      wait(17_500);
      const error = refused();
      assert.equal(error.message, `Too many requests for ${name}: 2 of 2 per minute. Try again in 13 s.`);
      assert.deepEqual(headersOf(error), {
        'retry-after': '13',
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '43s',
      });
      wait(12_499);
      refused();
      wait(1);
      assert.deepEqual(headersOf(admit()), {
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m0s',
      });
    });

    test('tpm: what is settled and what is reserved', () => {
      const { admit, call, gate, refused, wait } = of({ tpm: 1000 });
      call({ tokens: 800 }, { tokens: 300 });
      const running = admit({ tokens: 600 });
      const error = refused({ tokens: 101 });
      assert.equal(
        error.message,
        `Too many tokens for ${name}: 900 of 1,000 per minute are used or reserved, and this request may need 101. Try again in 60 s.`,
      );
      assert.deepEqual(headersOf(error), {
        'retry-after': '60',
        'x-ratelimit-limit-tokens': '1000',
        'x-ratelimit-remaining-tokens': '100',
        'x-ratelimit-reset-tokens': '1m0s',
      });
      gate.settle(admit({ tokens: 100 }), null);
      gate.settle(running, null);
      wait(59_999);
      refused({ tokens: 701 });
      wait(1);
      call({ tokens: 701 });
    });

    test('tpm: a call that is larger than the limit has the window for itself', () => {
      const { admit, gate, refused, call, wait } = of({ tpm: 1000 });
      const large = admit({ tokens: 5000 });
      assert.equal(headersOf(refused({ tokens: 1 }))['retry-after'], '1');
      gate.settle(large, { tokens: 1, costNanoUsd: 0 });
      wait(20_000);
      assert.equal(headersOf(refused({ tokens: 5000 }))['retry-after'], '40');
      wait(40_000);
      call({ tokens: 5000 });
    });

    test('a budget in dollars', () => {
      const { admit, call, gate, refused, budgets, owners } = of({
        budgetUsd: 20,
        budgetPeriod: 'month',
      });
      call({ usd: 19.5 });
      const running = admit({ usd: 0.6 });
      const reserved = refused();
      assert.equal(reserved.error.code, 'rate_limit_exceeded');
      assert.equal(
        reserved.message,
        `The rest of the budget of ${name} is reserved by running requests: $19.50 of $20.00 this month. Try again in 1 s.`,
      );
      assert.deepEqual(headersOf(reserved), { 'retry-after': '1' });
      gate.settle(running, { tokens: 5, costNanoUsd: 0.55e9 });
      const spent = refused();
      assert.deepEqual(spent.error, {
        code: 'insufficient_quota',
        type: 'insufficient_quota',
        param: 'budget',
        message: `The budget of ${name} is used up: $20.05 of $20.00 this month. It resets on 1 Dec 2026 00:00 UTC. Ask the administrator of this proxy.`,
      });
      assert.deepEqual(headersOf(spent), { 'x-should-retry': 'false' });
      budgets.grant(kind, owners[kind] ?? assert.fail(), { nanoUsd: 1e8, tokens: 0 });
      call({ usd: 0.05 });
      assert.match(refused().message, /: \$20\.10 of \$20\.10 this month\./);
      budgets.reset(kind, owners[kind]?.id ?? '');
      call();
    });

    test('a budget in tokens, without an end', () => {
      const { call, refused } = of({ budgetTokens: 1500, budgetPeriod: 'total' });
      call({ tokens: 1000 }, { tokens: 1600 });
      assert.equal(
        refused().message,
        `The budget of ${name} is used up: 1,600 of 1,500 tokens in total. It does not reset by itself. Ask the administrator of this proxy.`,
      );
    });

    test('what is spent stands above what is reserved', () => {
      const { admit, gate, refused } = of({ budgetUsd: 1, budgetTokens: 10, budgetPeriod: 'day' });
      const first = admit();
      admit({ usd: 1 });
      assert.equal(refused().error.code, 'rate_limit_exceeded');
      gate.settle(first, { tokens: 10, costNanoUsd: 0 });
      assert.match(refused().message, /used up: 10 of 10 tokens today/);
    });

    test('a small budget is told in full', () => {
      const { call, refused } = of({ budgetUsd: 0.25, budgetPeriod: 'week' });
      call({ usd: 0.3 });
      assert.match(
        refused().message,
        /: \$0\.3000 of \$0\.2500 this week\. It resets on 7 Dec 2026 00:00 UTC\./,
      );
    });
  });
}

test('the limits are looked at in their order, the key’s before the user’s', () => {
  const all = { concurrency: 1, rpm: 1, tpm: 1, budgetTokens: 1, budgetPeriod: 'day' } as const;
  const { admit, refused, gate, wait, owners } = start(all, all);
  const first = admit({ tokens: 5 });
  assert.match(refused().message, /^Too many requests at the same time for this API key/);
  gate.settle(first, { tokens: 5, costNanoUsd: 0 });
  assert.match(refused().message, /^Too many requests for this API key/);
  const withoutRpm = { ...all, rpm: null, concurrency: null };
  const message = (key: Partial<Limits> | null, user: Partial<Limits> | null): string => {
    const ask = { tokens: 1, costNanoUsd: 0 };
    const limits = (of: Partial<Limits> | null) => (of === null ? null : makeLimits(of));
    try {
      gate.admit({ key: { id: 'k', limits: limits(key) }, user: { id: 'u', limits: limits(user) }, ...ask });
    } catch (error) {
      return String(error);
    }
    return '';
  };
  assert.equal(owners.user?.id, 'u');
  assert.match(message(withoutRpm, all), /Too many requests for your account/);
  assert.match(message(withoutRpm, withoutRpm), /Too many tokens for this API key/);
  assert.match(message({ ...withoutRpm, tpm: null }, withoutRpm), /Too many tokens for your account/);
  wait(60_000);
  assert.match(message(withoutRpm, withoutRpm), /The budget of this API key/);
  assert.match(message(null, withoutRpm), /The budget of your account/);
});

test('a refused call counts for none of the limits', () => {
  const { admit, gate, refused, budgets, owners } = start({ concurrency: 1, rpm: 10 }, { rpm: 10, tpm: 100 });
  const running = admit({ tokens: 1 });
  for (let index = 0; index < 5; index += 1) refused({ tokens: 50 });
  gate.settle(running, null);
  const headers = headersOf(admit({ tokens: 1 }));
  assert.equal(headers['x-ratelimit-remaining-requests'], '8');
  assert.equal(headers['x-ratelimit-remaining-tokens'], '99');
  assert.equal(budgets.usageOf('key', owners.key ?? assert.fail()).requests, 1);
});

test('the headers are from whichever owner has less remaining', () => {
  const { admit } = start({ rpm: 10, tpm: 50 }, { rpm: 5, tpm: 500 });
  assert.deepEqual(headersOf(admit({ tokens: 20 })), {
    'x-ratelimit-limit-requests': '5',
    'x-ratelimit-remaining-requests': '4',
    'x-ratelimit-reset-requests': '1m0s',
    'x-ratelimit-limit-tokens': '50',
    'x-ratelimit-remaining-tokens': '30',
    'x-ratelimit-reset-tokens': '1m0s',
  });
});

test('a call waits for the window that opens last', () => {
  const { call, refused, wait } = start({ rpm: 1 }, { tpm: 10 });
  call({ tokens: 5 });
  wait(10_000);
  const error = refused({ tokens: 6 });
  assert.match(error.message, /requests for this API key: 1 of 1 per minute\. Try again in 50 s/);
});

test('of callers at the same moment exactly as many begin as the limit allows', () => {
  const { admit, wait } = start({ rpm: 7 }, { rpm: 30 });
  for (let minute = 0; minute < 3; minute += 1) {
    const begun: string[] = [];
    for (let caller = 0; caller < 100; caller += 1) {
      try {
        begun.push(headersOf(admit())['x-ratelimit-remaining-requests'] ?? '');
      } catch (error) {
        assert.ok(error instanceof HttpError);
      }
    }
    assert.deepEqual(begun, ['6', '5', '4', '3', '2', '1', '0']);
    wait(60_000);
  }
});

test('a reservation is settled once', () => {
  const { admit, gate } = start({ rpm: 7 });
  const reservation = admit();
  gate.settle(reservation, null);
  assert.throws(() => gate.settle(reservation, null), /settled already/);
});
