import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { ERRORS, type ErrorName, HttpError } from '../../src/errors.ts';

const TYPES: Partial<Record<ErrorName, readonly [status: number, type: string]>> = {
  missing_api_key: [401, 'authentication_error'],
  invalid_api_key: [401, 'authentication_error'],
  not_signed_in: [401, 'authentication_error'],
  invalid_credentials: [401, 'authentication_error'],
  already_exists: [409, 'conflict_error'],
  provider_in_use: [409, 'conflict_error'],
  managed_by_environment: [409, 'conflict_error'],
  model_not_found: [404, 'not_found_error'],
  not_found: [404, 'not_found_error'],
  unknown_url: [404, 'not_found_error'],
  request_too_large: [413, 'request_too_large'],
  file_too_large: [413, 'request_too_large'],
  too_many_attempts: [429, 'rate_limit_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  insufficient_quota: [429, 'rate_limit_error'],
  provider_not_configured: [503, 'api_error'],
  server_overloaded: [529, 'overloaded_error'],
  storage_unavailable: [529, 'overloaded_error'],
  starting: [529, 'overloaded_error'],
  draining: [529, 'overloaded_error'],
  upstream_timeout: [504, 'timeout_error'],
  internal_error: [500, 'api_error'],
};

function expectedFor(name: ErrorName): readonly [status: number, type: string] {
  const { status } = ERRORS[name];
  if (status === 403) return [403, 'permission_error'];
  return TYPES[name] ?? [status, status < 500 ? 'invalid_request_error' : 'api_error'];
}

const upstream = (status: number, message: string, more: object = {}): HttpError =>
  HttpError.fromUpstream(status, { message, type: null, param: null, code: null, ...more });

describe('errors of the Messages API', () => {
  for (const name of Object.keys(ERRORS) as ErrorName[]) {
    test(name, () => {
      const error = new HttpError(name, 'Told.', { headers: { 'retry-after': '3' } });
      const { status, body, headers } = MESSAGES.renderError(error, 'req_1');
      const [expectedStatus, type] = expectedFor(name);
      assert.equal(status, expectedStatus);
      assert.deepEqual(body, { type: 'error', error: { type, message: 'Told.' }, request_id: 'req_1' });
      assert.equal(headers[headers.indexOf('retry-after') + 1], '3');
      assert.equal(
        headers[headers.indexOf('x-ipin-error-code') + 1],
        ERRORS[name].code ?? 'invalid_request_error',
      );
      const isFinal = status === 401 || status === 403 || name === 'insufficient_quota';
      assert.equal(headers.includes('x-should-retry'), isFinal);
    });
  }

  const rows: readonly (readonly [name: string, error: HttpError, status: number, type: string])[] = [
    ['a request that the provider refuses', upstream(400, 'Bad.'), 400, 'invalid_request_error'],
    ['no credit at the provider', upstream(402, 'Pay.'), 402, 'billing_error'],
    ['a conflict', upstream(409, 'No.'), 409, 'conflict_error'],
    ['a field that the provider refuses', upstream(422, 'No.'), 422, 'invalid_request_error'],
    ['a provider that is busy', upstream(503, 'Busy.'), 529, 'overloaded_error'],
    [
      'one that says so itself',
      upstream(529, 'Busy.', { type: 'overloaded_error' }),
      529,
      'overloaded_error',
    ],
    [
      'an error of this protocol within a stream',
      upstream(502, 'Busy.', { type: 'overloaded_error' }),
      502,
      'overloaded_error',
    ],
    ['an unknown type within a stream', upstream(502, 'Odd.', { type: 'odd' }), 502, 'api_error'],
  ];
  for (const [name, error, status, type] of rows) {
    test(name, () => {
      const rendered = MESSAGES.renderError(error, 'req_1');
      const body = rendered.body as { error: { type: string } };
      assert.deepEqual([rendered.status, body.error.type], [status, type]);
    });
  }

  test('details pass on; a missing field is named as the API names it', () => {
    const details = { error_code: 'thread_not_found' };
    const { body } = MESSAGES.renderError(upstream(404, 'Gone.', { details }), 'req_1');
    assert.deepEqual(body, {
      type: 'error',
      error: { type: 'not_found_error', message: 'Gone.', details },
      request_id: 'req_1',
    });
    const missing = new HttpError('missing_required_parameter', 'You must provide `model`.', {
      param: 'model',
    });
    const { error } = MESSAGES.renderError(missing, 'r').body as { error: { message: string } };
    assert.equal(error.message, 'model: Field required');
  });

  test('a spent budget is told as final once', () => {
    const error = new HttpError('insufficient_quota', 'Spent.', { headers: { 'x-should-retry': 'false' } });
    const { headers } = MESSAGES.renderError(error, 'r');
    assert.equal(headers.filter((name) => name === 'x-should-retry').length, 1);
  });

  test('codes that no header can carry are left out', () => {
    const { headers } = MESSAGES.renderError(upstream(400, 'No.', { code: 'ümlaut\r\n' }), 'r');
    assert.ok(!headers.includes('x-ipin-error-code'));
  });

  describe('a prompt that is too long', () => {
    const tooLong: readonly (readonly [message: string, told: string, more?: object, status?: number])[] = [
      [
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130512 tokens. Please reduce the length of the messages.",
        'prompt is too long: 130512 tokens > 128000 maximum',
        { code: 'context_length_exceeded' },
      ],
      [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).",
        'prompt is too long: 5000 tokens > 4096 maximum',
      ],
      [
        'The input token count (1,200,000) exceeds the maximum number of tokens allowed (1048576).',
        'prompt is too long: 1200000 tokens > 1048576 maximum',
      ],
      [
        'the request exceeds the available context size. try increasing it',
        'prompt is too long: 200001 tokens > 200000 maximum',
        { type: 'exceed_context_size_error' },
      ],
      [
        "Input is too long for the model's context window of 32768 tokens",
        'prompt is too long: 32769 tokens > 32768 maximum',
      ],
      [
        'prompt is too long: 210000 tokens > 200000 maximum',
        'prompt is too long: 210000 tokens > 200000 maximum',
      ],
      [
        'Too much.',
        'prompt is too long: 200001 tokens > 200000 maximum',
        { code: 'context_length_exceeded' },
        502,
      ],
    ];
    for (const [message, told, more = {}, status = 400] of tooLong) {
      test(message, () => {
        const rendered = MESSAGES.renderError(upstream(status, message, more), 'r');
        assert.equal(rendered.status, 400);
        assert.deepEqual((rendered.body as { error: object }).error, {
          type: 'invalid_request_error',
          message: told,
        });
      });
    }

    for (const message of [
      'temperature exceeds the maximum of 2',
      'The model context7 does not exist',
      'max_tokens is too large',
    ]) {
      test(`not: ${message}`, () => {
        const { body } = MESSAGES.renderError(upstream(400, message), 'r');
        assert.equal((body as { error: { message: string } }).error.message, message);
      });
    }

    test('not an overloaded server that speaks of its context', () => {
      const { status } = MESSAGES.renderError(upstream(503, 'context window busy'), 'r');
      assert.equal(status, 529);
    });
  });
});
