import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { type FailureKind, responseFailure } from '../../src/gateway/failure.ts';
import { Health } from '../../src/gateway/health.ts';
import type { ProviderHealth } from '../../src/gateway/health-report.ts';
import type { Aim } from '../../src/gateway/rest-names.ts';
import { makeProvider } from '../helpers/records.ts';

const HOUR_MS = 3_600_000;
const KEYS = ['k1', 'k2'].map((id) => ({ id, secret: `secret-${id}`, unreadable: null, enabled: true }));
const PROVIDER = makeProvider({ id: 'p', baseUrl: 'http://127.0.0.1:9/v1', keys: KEYS });
const [FIRST] = KEYS;

describe('health', () => {
  let nowMs = 0;
  let health: Health;
  beforeEach(() => {
    nowMs = Date.parse('2026-01-31T12:00:00Z');
    health = new Health(() => nowMs);
  });

  const aim = (keyId: string | null = 'k1'): Aim => ({ providerId: 'p', upstreamModel: 'm', keyId });
  function succeed(ms: number, keyId = 'k1'): void {
    const attempt = health.begin(aim(keyId));
    nowMs += ms;
    health.answered(attempt, ms);
    health.finished(attempt);
  }
  function fail(status: number, keyId = 'k1', headers: Record<string, string> = {}): void {
    const attempt = health.begin(aim(keyId));
    const error = { message: `no ${status}`, type: null, param: null, code: 'nope' };
    health.failed(attempt, responseFailure({ status, headers, error }, 'p', nowMs));
  }
  const stateOf = (): ProviderHealth['state'] => health.ofProvider(PROVIDER).state;

  it('nothing is known at first, and again a day after the last attempt', () => {
    assert.deepEqual(health.ofProvider(PROVIDER), {
      state: 'untested',
      since: null,
      restingUntil: null,
      requests5m: 0,
      errors5m: 0,
      ttftMs: { p50: null, p95: null },
      lastSuccessAt: null,
      lastError: null,
    });
    succeed(100);
    assert.equal(stateOf(), 'ok');
    nowMs += 24 * HOUR_MS + 1;
    assert.equal(stateOf(), 'untested');
  });

  it('attempts and times count for five minutes', () => {
    for (const ms of [100, 100, 1_000]) succeed(ms);
    const { requests5m, errors5m, ttftMs, since, lastSuccessAt } = health.ofProvider(PROVIDER);
    assert.deepEqual([requests5m, errors5m], [3, 0]);
    assert.ok(ttftMs.p50 !== null && Math.abs(ttftMs.p50 - 100) <= 12, `${ttftMs.p50}`);
    assert.ok(ttftMs.p95 !== null && Math.abs(ttftMs.p95 - 1_000) <= 120, `${ttftMs.p95}`);
    assert.equal(lastSuccessAt, '2026-01-31T12:00:01.200Z');
    assert.equal(since, '2026-01-31T12:00:01.200Z');
    nowMs += 301_000;
    assert.equal(health.ofProvider(PROVIDER).requests5m, 0);
    assert.equal(stateOf(), 'ok');
  });

  it('for alerts: how attempts went, whether the provider rests or not, and which keys it refuses', () => {
    for (let count = 0; count < 3; count++) fail(500);
    assert.equal(stateOf(), 'resting');
    const { state, lastError } = health.evidenceOf('p');
    assert.deepEqual([state, lastError?.message], ['failing', 'no 500']);
    assert.equal(health.evidenceOf('other').state, 'untested');
    assert.equal(health.isKeyRefused('p', 'k1'), false);
    fail(401);
    assert.deepEqual([health.isKeyRefused('p', 'k1'), health.isKeyRefused('p', 'k2')], [true, false]);
    nowMs += HOUR_MS;
    assert.equal(health.isKeyRefused('p', 'k1'), true);
    succeed(10);
    assert.equal(health.isKeyRefused('p', 'k1'), false);
  });

  it('slow: five answers in five minutes, of which the slowest take over ten seconds', () => {
    for (let count = 0; count < 4; count++) succeed(15_000);
    assert.equal(stateOf(), 'ok');
    succeed(15_000);
    assert.equal(stateOf(), 'slow');
  });

  it('failing: half of at least three attempts, or the last three', () => {
    fail(500);
    fail(500);
    assert.equal(stateOf(), 'ok');
    succeed(10);
    assert.equal(stateOf(), 'failing');
    succeed(10);
    succeed(10);
    assert.equal(stateOf(), 'ok');
    nowMs += HOUR_MS;
    fail(404);
    fail(404);
    nowMs += HOUR_MS;
    fail(404);
    assert.equal(stateOf(), 'failing');
    const { lastError } = health.ofProvider(PROVIDER);
    assert.deepEqual(lastError, {
      at: new Date(nowMs).toISOString(),
      status: 404,
      code: 'nope',
      message: 'no 404',
    });
  });

  it('a mistake of the caller is an answer of the provider', () => {
    for (let count = 0; count < 4; count++) fail(400);
    const { state, errors5m, requests5m, lastError } = health.ofProvider(PROVIDER);
    assert.deepEqual([state, errors5m, requests5m, lastError], ['ok', 0, 4, null]);
  });

  it('resting stands above failing; it ends by time and by waking', () => {
    for (let count = 0; count < 3; count++) fail(500);
    const { state, restingUntil } = health.ofProvider(PROVIDER);
    assert.deepEqual([state, restingUntil], ['resting', '2026-01-31T12:00:05.000Z']);
    nowMs += 5_001;
    assert.equal(stateOf(), 'failing');
    nowMs -= 5_001;
    health.wakeProvider('p');
    assert.equal(stateOf(), 'failing');
  });

  it('a provider rests with its keys when none is left', () => {
    fail(401, 'k1');
    assert.equal(stateOf(), 'ok');
    nowMs += 1_000;
    fail(429, 'k2', { 'retry-after': '60' });
    const { state, restingUntil } = health.ofProvider(PROVIDER);
    assert.deepEqual([state, restingUntil], ['resting', '2026-01-31T12:01:01.000Z']);
  });

  const keyStates: readonly (readonly [status: number, code: string | null, state: string])[] = [
    [401, null, 'refused'],
    [403, null, 'refused'],
    [402, null, 'resting'],
    [429, 'insufficient_quota', 'resting'],
    [429, null, 'resting'],
    [500, null, 'ok'],
  ];
  for (const [status, code, state] of keyStates) {
    it(`a key after ${status} ${code ?? ''} is ${state}`, () => {
      assert.ok(FIRST !== undefined);
      const error = { message: 'no', type: null, param: null, code };
      health.failed(health.begin(aim()), responseFailure({ status, headers: {}, error }, 'p', nowMs));
      const seen = health.ofKey('p', FIRST);
      assert.equal(seen.state, state);
      assert.equal(seen.lastUsedAt, new Date(nowMs).toISOString());
      assert.equal(seen.lastError?.status, status);
      assert.equal(seen.restingUntil === null, state === 'ok');
      health.wakeKey('p', 'k1');
      assert.equal(health.ofKey('p', FIRST).state, 'ok');
    });
  }

  it('a key that cannot be decrypted says so', () => {
    const key = { id: 'k3', secret: null, unreadable: 'v2.x', enabled: true };
    assert.equal(health.ofKey('p', key).state, 'unreadable');
  });

  it('a provider that leads elsewhere, or is made anew, begins anew', () => {
    const known = new Map([['p', PROVIDER]]);
    const moved = new Map([['p', { ...PROVIDER, baseUrl: 'http://127.0.0.1:10/v1' }]]);
    for (const changes of [[moved], [new Map<string, typeof PROVIDER>(), known]]) {
      health = new Health(() => nowMs);
      health.keepOnly(known);
      fail(401);
      health.keepOnly(known);
      assert.equal(health.stateOf(aim()).kind, 'blocked');
      for (const change of changes) health.keepOnly(change);
      assert.equal(health.stateOf(aim()).kind, 'free');
      assert.equal(stateOf(), 'untested');
    }
  });

  it('keys take turns, the one used longest ago first', () => {
    const order = (): string[] => health.inTurn('p', KEYS).map(({ id }) => id);
    assert.deepEqual(order(), ['k1', 'k2']);
    succeed(1, 'k1');
    assert.deepEqual(order(), ['k2', 'k1']);
    succeed(1, 'k2');
    assert.deepEqual(order(), ['k1', 'k2']);
  });

  it('an attempt that tells nothing counts, but is no error', () => {
    const attempt = health.begin(aim());
    health.dropped(attempt);
    const { requests5m, errors5m, lastSuccessAt } = health.ofProvider(PROVIDER);
    assert.deepEqual([requests5m, errors5m, lastSuccessAt], [1, 0, null]);
  });

  it('an answer that breaks off is one attempt and one error', () => {
    const attempt = health.begin(aim());
    health.answered(attempt, 1);
    const kind: FailureKind = 'may_have_run';
    const error = new HttpError('upstream_invalid_response', 'cut');
    const reason = { status: null, code: 'upstream_invalid_response', message: 'cut' };
    health.failed(attempt, { kind, error, retryAfterMs: null, reason });
    const { requests5m, errors5m, lastError } = health.ofProvider(PROVIDER);
    assert.deepEqual([requests5m, errors5m, lastError?.message], [1, 1, 'cut']);
  });
});
