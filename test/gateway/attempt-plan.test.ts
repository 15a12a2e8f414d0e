import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { AttemptPlan, type PlannedTarget, type Step } from '../../src/gateway/attempt-plan.ts';
import type { Failure, FailureKind } from '../../src/gateway/failure.ts';
import type { RestState } from '../../src/gateway/rests.ts';
import { compileProvider } from '../../src/providers/compile.ts';

const TIMEOUTS = { connectTimeoutMs: 1, headersTimeoutMs: 1, idleTimeoutMs: 1 };
const ERROR = HttpError.fromUpstream(503, { message: 'no', type: null, param: null, code: null });

/** `a:12` is the target `a` with the keys 1 and 2; `b` has no key. */
function targetOf(text: string): PlannedTarget {
  const [id = '', keys = ''] = text.split(':');
  const record = {
    id,
    name: id,
    baseUrl: 'http://127.0.0.1:9/v1',
    keys: [...keys].map((key) => ({ id: key, secret: `key-${key}`, unreadable: null, enabled: true })),
    type: 'openai' as const,
    enabled: true,
    options: {},
    prices: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
  const provider = compileProvider(record, { timeouts: TIMEOUTS, blockPrivate: false });
  return {
    provider,
    upstreamModel: 'm',
    isShared: false,
    keys: keys === '' ? [null] : provider.keys,
    price: null,
  };
}

function failureOf(kind: FailureKind, retryAfterMs: number | null = null): Failure {
  return { kind, error: ERROR, retryAfterMs, reason: { status: 503, code: null, message: 'no' } };
}

interface Run {
  readonly targets: readonly string[];
  /** What each attempt ends with, by turns; the last one for all that follow. */
  readonly failures: readonly (FailureKind | readonly [FailureKind, number])[];
  readonly attempts?: number;
  readonly rests?: Readonly<Record<string, 'resting' | 'blocked'>>;
}

/** Walks a plan to its end; `a1` is the target `a` with its key 1, a number a wait in milliseconds. */
function walk({ targets, failures, attempts = 6, rests = {} }: Run): (string | number)[] {
  const plan = new AttemptPlan({
    targets: targets.map(targetOf),
    attempts,
    random: () => 0,
    now: () => 0,
    health: {
      stateOf: ({ providerId, keyId }): RestState => {
        const kind = rests[`${providerId}${keyId ?? ''}`];
        if (kind === 'resting') return { kind, untilMs: 5 };
        return kind === 'blocked' ? { kind, untilMs: 5, error: ERROR } : { kind: 'free' };
      },
    },
  });
  const steps: (string | number)[] = [];
  for (let turn = 0; steps.length < 30; ) {
    const step: Step = plan.next();
    if (step.kind === 'end' || step.kind === 'blocked') return [...steps, step.kind];
    if (step.kind === 'wait') {
      steps.push(step.ms);
      continue;
    }
    const { target, key } = step.candidate;
    steps.push(`${target.provider.id}${key?.id ?? ''}`);
    const failure = failures[Math.min(turn, failures.length - 1)] ?? 'caller';
    turn += 1;
    plan.noteFailure(
      step.candidate,
      typeof failure === 'string' ? failureOf(failure) : failureOf(...failure),
    );
  }
  return steps;
}

describe('the way of a call through keys and targets', () => {
  const rows: readonly (readonly [what: string, run: Run, steps: readonly (string | number)[]])[] = [
    [
      'a mistake of the caller is never repeated',
      { targets: ['a:12', 'b'], failures: ['caller'] },
      ['a1', 'end'],
    ],
    [
      'not here: the next target, never the same again',
      { targets: ['a:12', 'b:3'], failures: ['not_here', 'not_here'] },
      ['a1', 'b3', 'end'],
    ],
    [
      'the key: the next key, then the next target, no wait',
      { targets: ['a:12', 'b:3'], failures: ['key'] },
      ['a1', 'a2', 'b3', 'end'],
    ],
    [
      'busy: the next key, then the next target, then the same after a wait',
      { targets: ['a:12', 'b:3'], failures: ['busy'] },
      ['a1', 'a2', 'b3', 125, 'b3', 250, 'b3', 500, 'b3', 'end'],
    ],
    [
      'a fault: the next target, then the next key, then the same after a wait',
      { targets: ['a:12', 'b:3'], failures: ['fault'], attempts: 4 },
      ['a1', 'b3', 'a2', 125, 'a2', 'end'],
    ],
    [
      'may have run: another target, never this one again',
      { targets: ['a:12', 'b:3'], failures: ['may_have_run'] },
      ['a1', 'b3', 'end'],
    ],
    ['may have run, with no other target', { targets: ['a:12'], failures: ['may_have_run'] }, ['a1', 'end']],
    [
      'a key of an earlier target is asked when the later targets fail',
      { targets: ['a:12', 'b:3'], failures: ['fault', 'busy', 'busy'], attempts: 3 },
      ['a1', 'b3', 'a2', 'end'],
    ],
    [
      'one target, one key: the same after a wait',
      { targets: ['a'], failures: ['fault'], attempts: 3 },
      ['a', 125, 'a', 250, 'a', 'end'],
    ],
    ['no further attempts', { targets: ['a:1', 'b:2'], failures: ['fault'], attempts: 1 }, ['a1', 'end']],
    [
      'as long as the provider asks, at most 10 s in all',
      {
        targets: ['a'],
        failures: [
          ['busy', 6_000],
          ['busy', 3_000],
          ['busy', 2_000],
        ],
      },
      ['a', 6_000, 'a', 3_000, 'a', 'end'],
    ],
    ['a longer time ends the call', { targets: ['a'], failures: [['busy', 10_001]] }, ['a', 'end']],
    [
      'waits grow to 2 s',
      { targets: ['a'], failures: ['busy'], attempts: 7 },
      ['a', 125, 'a', 250, 'a', 500, 'a', 1_000, 'a', 1_000, 'a', 1_000, 'a', 'end'],
    ],
    [
      'what rests is passed over while something else is there',
      { targets: ['a:12', 'b:3'], failures: ['fault'], attempts: 1, rests: { a1: 'resting', a2: 'blocked' } },
      ['b3', 'end'],
    ],
    [
      'a rest that nobody asked for does not block when nothing else is there',
      {
        targets: ['a:12', 'b:3'],
        failures: ['caller'],
        rests: { a1: 'resting', a2: 'blocked', b3: 'resting' },
      },
      ['a1', 'end'],
    ],
    [
      'if all are blocked, nobody is asked',
      {
        targets: ['a:12', 'b:3'],
        failures: ['caller'],
        rests: { a1: 'blocked', a2: 'blocked', b3: 'blocked' },
      },
      ['blocked'],
    ],
    [
      'blocked keys are passed over after a failure too',
      { targets: ['a:12', 'b:3'], failures: ['key'], rests: { a2: 'blocked', b3: 'blocked' } },
      ['a1', 'end'],
    ],
  ];
  for (const [what, run, steps] of rows) it(what, () => assert.deepEqual(walk(run), steps));

  it('of all that are blocked, the error of the one that is free first is told', () => {
    const untils: Readonly<Record<string, number>> = { '1': 30, '2': 10, '3': 20 };
    const plan = new AttemptPlan({
      targets: [targetOf('a:12'), targetOf('b:3')],
      attempts: 3,
      random: () => 0,
      now: () => 0,
      health: {
        stateOf: ({ keyId }) => ({ kind: 'blocked', untilMs: untils[keyId ?? ''] ?? 0, error: ERROR }),
      },
    });
    assert.deepEqual(plan.next(), { kind: 'blocked', untilMs: 10, error: ERROR });
  });

  it('after its wait a call waits again while another one tries', () => {
    let isTried = true;
    const plan = new AttemptPlan({
      targets: [targetOf('a')],
      attempts: 3,
      random: () => 0.5,
      now: () => 0,
      health: { stateOf: () => (isTried ? { kind: 'blocked', untilMs: 0, error: ERROR } : { kind: 'free' }) },
    });
    isTried = false;
    const step = plan.next();
    assert.ok(step.kind === 'ask');
    plan.noteFailure(step.candidate, failureOf('busy', 1_000));
    isTried = true;
    assert.deepEqual(plan.next(), { kind: 'wait', ms: 1_000 });
    assert.deepEqual(plan.next(), { kind: 'wait', ms: 375 });
    isTried = false;
    assert.equal(plan.next().kind, 'ask');
  });

  it('after its wait a call waits as long as another call was told, or ends', () => {
    let untilMs = 0;
    const plan = new AttemptPlan({
      targets: [targetOf('a')],
      attempts: 3,
      random: () => 0,
      now: () => 1_000,
      health: {
        stateOf: () => (untilMs === 0 ? { kind: 'free' } : { kind: 'blocked', untilMs, error: ERROR }),
      },
    });
    const step = plan.next();
    assert.ok(step.kind === 'ask');
    plan.noteFailure(step.candidate, failureOf('busy', 1_000));
    assert.deepEqual(plan.next(), { kind: 'wait', ms: 1_000 });
    untilMs = 4_000;
    assert.deepEqual(plan.next(), { kind: 'wait', ms: 3_000 });
    untilMs = 60_000;
    assert.deepEqual(plan.next(), { kind: 'end' });
  });

  it('no plan asks more often, waits longer or asks a dropped target again, whatever fails', () => {
    const kinds: readonly FailureKind[] = ['not_here', 'key', 'busy', 'fault', 'may_have_run'];
    for (let seed = 0; seed < 5 ** 5; seed++) {
      const failures = Array.from(
        { length: 5 },
        (_, turn) => kinds[Math.floor(seed / 5 ** turn) % 5] ?? 'key',
      );
      const steps = walk({ targets: ['a:12', 'b', 'c:3'], failures, attempts: 5 });
      const asked = steps.filter((step) => typeof step === 'string' && step !== 'end');
      const waitedMs = steps.reduce<number>((sum, step) => sum + (typeof step === 'number' ? step : 0), 0);
      assert.ok(asked.length <= 5 && waitedMs <= 10_000, `${failures} -> ${steps}`);
      assert.equal(steps.at(-1), 'end');
      asked.forEach((name, turn) => {
        const isDropped = failures[turn] === 'not_here' || failures[turn] === 'may_have_run';
        const later = asked.slice(turn + 1).filter((other) => String(other)[0] === String(name)[0]);
        if (isDropped) assert.deepEqual(later, [], `${failures} -> ${steps}`);
      });
    }
  });
});
