import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import type { Aim } from '../../src/gateway/rest-names.ts';
import { Rests } from '../../src/gateway/rests.ts';

const AIM: Aim = { providerId: 'p', upstreamModel: 'm', keyId: 'k1' };
const OTHER_KEY: Aim = { ...AIM, keyId: 'k2' };
const OTHER_MODEL: Aim = { ...AIM, upstreamModel: 'n' };
const ERROR = HttpError.fromUpstream(429, { message: 'slow down', type: null, param: null, code: null });

describe('rests', () => {
  let nowMs = 0;
  let rests: Rests;
  beforeEach(() => {
    nowMs = 1_000_000;
    rests = new Rests(() => nowMs);
  });

  function fail(
    aim: Aim,
    kind: 'key' | 'busy' | 'fault' | 'may_have_run',
    retryAfterMs: number | null = null,
  ): void {
    rests.failed(rests.begin(aim, nowMs), { kind, retryAfterMs, error: ERROR });
  }
  function restOf(aim: Aim): number | null {
    const state = rests.stateOf(aim);
    return state.kind === 'free' ? null : state.untilMs - nowMs;
  }

  it('a refused key rests for ten minutes, with every model, and blocks', () => {
    fail(AIM, 'key');
    assert.deepEqual(rests.stateOf(AIM), { kind: 'blocked', untilMs: nowMs + 600_000, error: ERROR });
    assert.equal(rests.stateOf(OTHER_MODEL).kind, 'blocked');
    assert.equal(rests.stateOf(OTHER_KEY).kind, 'free');
  });

  it('the error of a rest shows nothing of the request, and is short', () => {
    const said = {
      message: 'm'.repeat(200_000),
      type: 'requests',
      param: 'messages',
      code: 'c'.repeat(200_000),
    };
    const headers = ['x-ratelimit-limit', '9', 'x-should-retry', 'true', 'retry-after', '42'];
    const error = HttpError.fromUpstream(429, { ...said, metadata: { flagged_input: 'private' } }, headers);
    rests.failed(rests.begin(AIM, nowMs), { kind: 'busy', retryAfterMs: 42_000, error });
    const state = rests.stateOf(AIM);
    assert.ok(state.kind === 'blocked');
    assert.deepEqual(state.error.headers, ['x-should-retry', 'true']);
    const { message, code, ...others } = state.error.error;
    assert.deepEqual([message.length, code?.length], [500, 100]);
    assert.deepEqual(others, { type: 'requests', param: null });
  });

  it('a busy key rests with its model alone: 1 s, doubling to 30 s, back to 1 s after a success', () => {
    const lengths: (number | null)[] = [];
    for (let count = 0; count < 7; count++) {
      fail(AIM, 'busy');
      lengths.push(restOf(AIM));
      nowMs += 60_000;
    }
    assert.deepEqual(lengths, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    assert.equal(rests.stateOf(OTHER_MODEL).kind, 'free');
    rests.answered(rests.begin(AIM, nowMs));
    fail(AIM, 'busy');
    assert.equal(restOf(AIM), 1_000);
    assert.equal(rests.stateOf(AIM).kind, 'resting');
  });

  it('a time that the provider gives blocks, at most ten minutes', () => {
    fail(AIM, 'busy', 42_000);
    assert.deepEqual(rests.stateOf(AIM), { kind: 'blocked', untilMs: nowMs + 42_000, error: ERROR });
    fail(OTHER_MODEL, 'busy', 3_600_000);
    assert.equal(restOf(OTHER_MODEL), 600_000);
  });

  it('attempts side by side that find a key busy count as one', () => {
    const attempts = Array.from({ length: 50 }, () => rests.begin(AIM, nowMs));
    for (const attempt of attempts) rests.failed(attempt, { kind: 'busy', retryAfterMs: null, error: ERROR });
    assert.equal(restOf(AIM), 1_000);
    nowMs += 1_000;
    fail(AIM, 'busy');
    assert.equal(restOf(AIM), 2_000);
  });

  it('a target rests after three faults in a row: 5 s, doubling to 60 s', () => {
    fail(AIM, 'fault');
    fail(OTHER_KEY, 'may_have_run');
    assert.equal(restOf(AIM), null);
    const lengths: (number | null)[] = [];
    for (let count = 0; count < 6; count++) {
      fail(AIM, 'fault');
      lengths.push(restOf(OTHER_KEY));
      nowMs += 60_000;
    }
    assert.deepEqual(lengths, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    assert.equal(rests.stateOf(OTHER_MODEL).kind, 'free');
  });

  it('a complete answer between faults starts the count anew, a begun one does not', () => {
    for (const isComplete of [true, false]) {
      rests = new Rests(() => nowMs);
      fail(AIM, 'fault');
      fail(AIM, 'fault');
      const attempt = rests.begin(AIM, nowMs);
      rests.answered(attempt);
      if (isComplete) rests.finished(attempt);
      fail(AIM, 'fault');
      assert.equal(restOf(AIM), isComplete ? null : 5_000);
    }
  });

  it('when a rest is over, one attempt at a time tries, until one succeeds', () => {
    fail(AIM, 'busy', 5_000);
    nowMs += 5_000;
    assert.equal(rests.stateOf(AIM).kind, 'free');
    const probe = rests.begin(AIM, nowMs);
    assert.equal(rests.stateOf(AIM).kind, 'blocked');
    rests.dropped(probe);
    assert.equal(rests.stateOf(AIM).kind, 'free');
    const second = rests.begin(AIM, nowMs);
    rests.failed(second, { kind: 'busy', retryAfterMs: 7_000, error: ERROR });
    assert.equal(restOf(AIM), 7_000);
    nowMs += 7_000;
    const third = rests.begin(AIM, nowMs);
    assert.equal(rests.stateOf(AIM).kind, 'blocked');
    rests.answered(third);
    rests.begin(AIM, nowMs);
    assert.equal(rests.stateOf(AIM).kind, 'free');
  });

  it('an attempt that tries gives up its turn when it is answered, even if a newer rest stays', () => {
    fail(AIM, 'busy');
    for (let count = 0; count < 3; count++) fail(AIM, 'fault');
    nowMs += 10_000;
    const probe = rests.begin(AIM, nowMs);
    // Others are asked meanwhile where nothing else is there.
    fail(AIM, 'busy', 5_000);
    fail(AIM, 'fault');
    rests.answered(probe);
    rests.finished(probe);
    assert.equal(rests.stateOf(AIM).kind, 'blocked');
    nowMs += 60_000;
    assert.equal(rests.stateOf(AIM).kind, 'free');
  });

  it('a failure of another kind ends the turn of the attempt that tries', () => {
    fail(AIM, 'busy', 5_000);
    nowMs += 5_000;
    fail(AIM, 'fault');
    assert.equal(rests.stateOf(AIM).kind, 'free');
  });

  it('an answer that was begun before a rest does not end it', () => {
    const slow = rests.begin(AIM, nowMs);
    fail(AIM, 'key');
    rests.answered(slow);
    rests.finished(slow);
    assert.equal(rests.stateOf(AIM).kind, 'blocked');
  });

  it('the longest of several rests counts, and a blocking one more than others', () => {
    for (let count = 0; count < 3; count++) fail(AIM, 'fault');
    fail(AIM, 'busy', 2_000);
    const state = rests.stateOf(AIM);
    assert.equal(state.kind, 'blocked');
    nowMs += 3_000;
    assert.equal(rests.stateOf(AIM).kind, 'resting');
  });

  it('waking a key ends all its rests and those of its targets; another key keeps its own', () => {
    fail(AIM, 'key');
    fail(AIM, 'busy', 9_000);
    fail(OTHER_KEY, 'key');
    for (let count = 0; count < 3; count++) fail(AIM, 'fault');
    rests.wakeKey('p', 'k1');
    assert.equal(rests.stateOf(AIM).kind, 'free');
    assert.equal(rests.stateOf(OTHER_KEY).kind, 'blocked');
    rests.wakeProvider('p');
    assert.equal(rests.stateOf(OTHER_KEY).kind, 'free');
  });

  it('the end of a rest is told for keys and targets', () => {
    assert.equal(rests.untilOfKey('p', 'k1'), null);
    fail(AIM, 'busy', 9_000);
    fail(OTHER_MODEL, 'busy', 4_000);
    for (let count = 0; count < 3; count++) fail(AIM, 'fault');
    assert.equal(rests.untilOfKey('p', 'k1'), nowMs + 9_000);
    assert.equal(rests.untilOfTargets('p'), nowMs + 5_000);
    assert.equal(rests.untilOfTargets('q'), null);
    assert.equal(rests.refusalOf('p', 'k1'), null);
    fail(AIM, 'key');
    assert.deepEqual(rests.refusalOf('p', 'k1'), ERROR);
  });
});
