import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorObject } from '../../src/errors.ts';
import { HttpError } from '../../src/errors.ts';
import {
  brokenAnswer,
  type FailureKind,
  readRetryAfter,
  responseFailure,
  thrownFailure,
} from '../../src/gateway/failure.ts';
import { UpstreamFailure } from '../../src/providers/upstream-failures.ts';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');

function errorOf(members: Partial<ErrorObject>): ErrorObject {
  return { message: 'it says no', type: null, param: null, code: null, ...members };
}

describe('the kind of a failure', () => {
  const byStatus: Readonly<Record<FailureKind, readonly number[]>> = {
    caller: [400, 406, 409, 411, 413, 415, 418, 422, 424, 426, 431, 451],
    not_here: [404, 405, 410, 501, 505],
    key: [401, 402, 403],
    busy: [429, 503, 529],
    fault: [408, 425, 500, 502, 504, 520, 524, 599],
    may_have_run: [],
  };
  for (const [kind, statuses] of Object.entries(byStatus)) {
    for (const status of statuses) {
      it(`${status} is ${kind}`, () => {
        const failure = responseFailure({ status, headers: {}, error: errorOf({}) }, 'p', NOW_MS);
        assert.equal(failure.kind, kind);
        assert.deepEqual(failure.reason, { status, code: null, message: 'it says no' });
        const empty = { status, headers: {}, error: errorOf({ code: '', type: '' }) };
        assert.deepEqual(responseFailure(empty, 'p', NOW_MS).reason, failure.reason);
      });
    }
  }

  const named: readonly (readonly [number, Partial<ErrorObject>, FailureKind])[] = [
    [429, { code: 'insufficient_quota' }, 'key'],
    [429, { type: 'insufficient_quota' }, 'key'],
    [400, { code: 'billing_hard_limit_reached' }, 'key'],
    [400, { type: 'billing_error' }, 'key'],
    [500, { code: 'credit_exhausted' }, 'key'],
    [400, { type: 'rate_limit_error' }, 'busy'],
    [500, { type: 'overloaded_error' }, 'busy'],
    [403, { code: 'rate_limit_exceeded' }, 'busy'],
    [400, { code: 'not_insufficient_quota' }, 'caller'],
    [404, { type: 'invalid_request_error', code: 'model_not_found' }, 'not_here'],
    [401, { type: 'invalid_request_error', code: 'invalid_api_key' }, 'key'],
  ];
  for (const [status, error, kind] of named) {
    it(`${status} with ${JSON.stringify(error)} is ${kind}`, () => {
      assert.equal(responseFailure({ status, headers: {}, error: errorOf(error) }, 'p', NOW_MS).kind, kind);
    });
  }

  it('what was sent whole may have run, the rest is a fault, and what is not the provider’s is none', () => {
    const ran = new UpstreamFailure('upstream_timeout', 'late', { mayHaveRun: true });
    const not = new UpstreamFailure('upstream_unreachable', 'away', { mayHaveRun: false });
    const thrownBy = { providerId: 'p', status: null, nowMs: NOW_MS };
    assert.equal(thrownFailure(ran, thrownBy)?.kind, 'may_have_run');
    assert.equal(thrownFailure(not, thrownBy)?.kind, 'fault');
    assert.equal(thrownFailure(new HttpError('server_overloaded', 'full'), thrownBy), null);
    assert.equal(thrownFailure(new Error('bug'), thrownBy), null);
    assert.equal(brokenAnswer(ran).kind, 'may_have_run');
  });
});

describe('the error that a client gets', () => {
  const headers = { 'retry-after': '7', 'x-should-retry': 'true', 'x-request-id': 'r1' };

  it('a refused key is the owner’s concern', () => {
    for (const status of [401, 403]) {
      const { error } = responseFailure({ status, headers, error: errorOf({}) }, 'p', NOW_MS);
      assert.equal(error.status, 502);
      assert.equal(error.error.code, 'upstream_auth_failed');
      assert.deepEqual(error.headers, ['x-should-retry', 'false', 'x-ipin-upstream-request-id', 'r1']);
      assert.equal(error.message.includes('it says no'), status === 403);
    }
  });

  it('a refusal that speaks of rates is no refusal of the caller’s key either', () => {
    const error = errorOf({ type: 'rate_limit_error' });
    const failure = responseFailure({ status: 401, headers, error }, 'p', NOW_MS);
    assert.deepEqual([failure.kind, failure.error.status], ['busy', 502]);
  });

  it('a lack of credit keeps its status and asks for no retry', () => {
    for (const [status, code] of [
      [402, null],
      [403, 'insufficient_quota'],
      [429, 'billing_not_active'],
    ] as const) {
      const { error } = responseFailure({ status, headers, error: errorOf({ code }) }, 'p', NOW_MS);
      assert.equal(error.status, status);
      assert.equal(error.error.code, code);
      const at = error.headers.indexOf('x-should-retry');
      assert.equal(error.headers[at + 1], 'false');
      assert.equal(error.headers.lastIndexOf('x-should-retry'), at);
    }
  });

  it('other errors pass with their headers', () => {
    const { error } = responseFailure({ status: 503, headers, error: errorOf({}) }, 'p', NOW_MS);
    assert.equal(error.status, 503);
    assert.ok(error.headers.includes('retry-after') && error.headers.includes('true'));
  });
});

describe('how long the provider asks to wait', () => {
  const rows: readonly (readonly [Record<string, string>, number | null])[] = [
    [{}, null],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': ' 1.5 ' }, 1_500],
    [{ 'retry-after': '86400' }, 600_000],
    [{ 'retry-after': '-3' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '1e9' }, null],
    [{ 'retry-after': 'Sat, 31 Jan 2026 12:00:05 GMT' }, 5_000],
    [{ 'retry-after': 'Sat, 31 Jan 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'Sun, 31 Jan 2027 12:00:00 GMT' }, 600_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'retry-after-ms': 'x', 'retry-after': '7' }, 7_000],
  ];
  for (const [headers, ms] of rows) {
    it(`${JSON.stringify(headers)}: ${ms}`, () => assert.equal(readRetryAfter(headers, NOW_MS), ms));
  }
});
