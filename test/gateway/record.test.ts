import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { type AttemptRecord, CallRecord, type ConnectionEnd } from '../../src/gateway/record.ts';
import { compileProvider } from '../../src/providers/compile.ts';
import { makeProvider } from '../helpers/records.ts';

const SENT: ConnectionEnd = { status: 200, headersSent: true, isFinished: true, nowMs: 1_250 };
const LEFT: ConnectionEnd = { ...SENT, isFinished: false };
const REFUSED = new HttpError('model_not_found', 'no such model');

const NAMELESS = { message: 'Out of order', type: null, param: null, code: null };

function begin(): CallRecord {
  return new CallRecord({
    requestId: 'req_1',
    method: 'POST',
    path: '/v1/chat/completions',
    startedAtMs: 1_000,
  });
}

describe('CallRecord', () => {
  test('distinguishes a good answer, a refusal, a client that left, a broken and a cut stream', () => {
    const broken = new HttpError('upstream_invalid_response', 'broken off', { cause: new Error('reset') });
    const draining = new HttpError('draining', 'restart');
    const rows: readonly [string, (record: CallRecord) => void, ConnectionEnd, object][] = [
      ['a good answer', () => {}, SENT, { status: 200, outcome: 'ok', code: null, cause: null }],
      [
        'a refusal',
        (record) => record.noteError(REFUSED),
        { ...SENT, status: 404 },
        { status: 404, outcome: 'error', code: 'model_not_found', cause: null },
      ],
      [
        'a refusal whose connection lingers',
        (record) => record.noteError(REFUSED),
        { ...LEFT, status: 404 },
        { status: 404, outcome: 'error', code: 'model_not_found', cause: null },
      ],
      [
        'a refusal in which the provider gives no code, and whose connection lingers',
        (record) => record.noteError(HttpError.fromUpstream(503, { ...NAMELESS, code: '' })),
        { ...LEFT, status: 503 },
        { status: 503, outcome: 'error', code: null, cause: null },
      ],
      [
        'a refusal of which the provider gives only the type',
        (record) => record.noteError(HttpError.fromUpstream(503, { ...NAMELESS, type: 'busy' })),
        { ...SENT, status: 503 },
        { status: 503, outcome: 'error', code: 'busy', cause: null },
      ],
      [
        'a client that left before the answer',
        () => {},
        { ...LEFT, headersSent: false },
        { status: 499, outcome: 'cancelled', code: 'client_closed_request', cause: null },
      ],
      [
        'a client that left its stream',
        (record) => record.noteEnd({ outcome: 'cancelled', error: null }),
        LEFT,
        { status: 499, outcome: 'cancelled', code: 'client_closed_request', cause: null },
      ],
      [
        'a complete answer that the client did not take',
        (record) => record.noteEnd({ outcome: 'ok', error: null }),
        LEFT,
        { status: 499, outcome: 'cancelled', code: 'client_closed_request', cause: null },
      ],
      [
        'a stream that the provider broke off',
        (record) => record.noteEnd({ outcome: 'broken', error: broken }),
        SENT,
        { status: 200, outcome: 'broken', code: 'upstream_invalid_response', cause: 'reset' },
      ],
      [
        'a stream that was cut here',
        (record) => record.noteEnd({ outcome: 'cut', error: draining }),
        SENT,
        { status: 200, outcome: 'cut', code: 'draining', cause: null },
      ],
    ];
    for (const [name, fill, end, expected] of rows) {
      const record = begin();
      fill(record);
      const { status, outcome, code, cause, ms } = record.close(end);
      assert.deepEqual({ status, outcome, code, cause, ms }, { ...expected, ms: 250 }, name);
    }
  });

  test('is closed exactly once', () => {
    const record = begin();
    record.close(SENT);
    assert.throws(() => record.close(SENT), /req_1 is closed already/);
  });

  test('says which provider was tried, and how often', () => {
    const record = begin();
    const provider = compileProvider(makeProvider({ id: 'prövider', baseUrl: 'http://127.0.0.1:9/v1' }), {
      timeouts: { connectTimeoutMs: 1, headersTimeoutMs: 1, idleTimeoutMs: 1 },
      blockPrivate: false,
    });
    record.target = { provider, upstreamModel: 'm', isShared: false, keys: [null], price: null };
    assert.deepEqual(record.reachedHeaders(), [], 'none was tried');
    const tried: AttemptRecord = {
      providerId: 'x',
      upstreamModel: 'm',
      keyId: null,
      keyHint: null,
      status: 200,
      result: 'ok',
      code: null,
      ms: 1,
    };
    record.attempts.push(tried, tried);
    assert.deepEqual(record.reachedHeaders(), ['x-ipin-provider', 'pr%C3%B6vider', 'x-ipin-attempts', '2']);
  });
});
