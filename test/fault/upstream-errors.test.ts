import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FakeUpstream, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const SECRET = 'provider-secret-key-4711';

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Expected {
  readonly status?: number;
  readonly message: string | RegExp;
  readonly type?: string | null;
  readonly param?: string | null;
  readonly code?: string | null;
  /** Members besides the four of OpenAI. */
  readonly extra?: Record<string, unknown>;
  readonly headers?: Record<string, string | null>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const PLAIN = /^The provider answered with status \d{3} and no readable error\.$/;
const openai = (
  message: string,
  type: string | null,
  code: string | null,
  param: string | null = null,
): string => JSON.stringify({ error: { message, type, param, code } });

/** The upstream's response, and the error that the client gets: the same status, always in OpenAI's envelope. */
const ROWS: readonly (readonly [
  name: string,
  status: number,
  body: string | object,
  expected: Expected,
  headers?: Record<string, string>,
])[] = [
  [
    'OpenAI: bad request',
    400,
    openai('no', 'invalid_request_error', 'unknown_parameter', 'x'),
    { message: 'no', type: 'invalid_request_error', code: 'unknown_parameter', param: 'x' },
  ],
  [
    'OpenAI: model not found',
    404,
    openai('none', 'invalid_request_error', 'model_not_found'),
    { message: 'none', type: 'invalid_request_error', code: 'model_not_found' },
  ],
  [
    'OpenAI: rate limit',
    429,
    openai('slow', 'tokens', 'rate_limit_exceeded'),
    {
      message: 'slow',
      type: 'tokens',
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': '7', 'retry-after-ms': '6500', 'x-ratelimit-remaining-requests': '0' },
    },
    { 'retry-after': '7', 'retry-after-ms': '6500', 'x-ratelimit-remaining-requests': '0' },
  ],
  [
    'OpenAI: quota',
    429,
    openai('broke', 'insufficient_quota', 'insufficient_quota'),
    {
      message: 'broke',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      headers: { 'x-should-retry': 'false' },
    },
    { 'x-should-retry': 'false' },
  ],
  [
    'OpenAI: internal',
    500,
    openai('oops', 'server_error', null),
    { message: 'oops', type: 'server_error', code: null },
  ],
  [
    'OpenAI: overloaded',
    503,
    openai('busy', 'service_unavailable_error', 'server_is_overloaded'),
    { message: 'busy', type: 'service_unavailable_error', code: 'server_is_overloaded' },
  ],
  [
    'members missing',
    400,
    { error: { message: 'short' } },
    { message: 'short', type: null, code: null, param: null },
  ],
  [
    'members beyond',
    400,
    { error: { message: 'm', innererror: { a: [1, 'x'] } } },
    { message: 'm', extra: { innererror: { a: [1, 'x'] } } },
  ],
  [
    'FastAPI: text',
    404,
    { detail: 'No matching cord found' },
    { message: 'No matching cord found', type: null, code: null },
  ],
  [
    'FastAPI: object',
    402,
    { detail: { message: 'Quota exceeded', quota_reset_timestamp: 5 } },
    { message: 'Quota exceeded', extra: { quota_reset_timestamp: 5 } },
  ],
  [
    'FastAPI: list',
    422,
    {
      detail: [
        { loc: ['body', 'messages'], msg: 'field required', type: 'missing' },
        { loc: ['body', 'x'], msg: 'bad' },
      ],
    },
    { message: 'field required; bad', param: 'messages' },
  ],
  ['FastAPI: empty list', 422, { detail: [] }, { message: PLAIN }],
  ['FastAPI: null', 422, { detail: null }, { message: PLAIN }],
  [
    'vLLM, flat',
    400,
    { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 },
    { message: 'too long', type: 'BadRequestError', code: '400' },
  ],
  [
    'OpenRouter',
    402,
    { error: { code: 402, message: 'Insufficient credits', metadata: { a: 1 } } },
    { message: 'Insufficient credits', code: '402', extra: { metadata: { a: 1 } } },
  ],
  [
    'Ollama',
    404,
    { error: 'model "x" not found' },
    { message: 'model "x" not found', type: null, code: null },
  ],
  [
    'Gemini',
    400,
    { error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } },
    { message: 'bad', code: '400', extra: { status: 'INVALID_ARGUMENT' } },
  ],
  [
    'Gemini in an array',
    400,
    [{ error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } }],
    { message: 'bad', code: '400' },
  ],
  [
    'Anthropic',
    529,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    { message: 'Overloaded', type: 'overloaded_error' },
  ],
  [
    'nginx page',
    502,
    '<html><head><title>502 Bad Gateway</title></head></html>',
    { message: PLAIN },
    { 'content-type': 'text/html' },
  ],
  ['nothing', 503, '', { message: PLAIN, headers: { 'retry-after': '30' } }, { 'retry-after': '30' }],
  [
    'a line of text',
    500,
    'upstream connect error',
    { message: 'The provider answered with status 500: upstream connect error' },
    { 'content-type': 'text/plain' },
  ],
  ['JSON text', 500, '"just text"', { message: 'The provider answered with status 500: just text' }],
  ['JSON null', 500, 'null', { message: /status 500/ }],
  ['broken JSON', 500, '{"error":{"message":"x"', { message: PLAIN }],
  ['an object of something else', 500, { ok: false }, { message: PLAIN, extra: { ok: false } }],
  [
    'a message that is no text',
    400,
    { error: { message: { a: 1 }, type: 5, code: true, param: ['x'] } },
    { message: '{"a":1}', type: '5', code: 'true', param: '["x"]' },
  ],
  [
    'names of prototypes',
    400,
    '{"error":{"message":"m","__proto__":{"status":200},"constructor":1}}',
    { message: 'm', extra: { constructor: 1 } },
  ],
  [
    'nested without end',
    400,
    `{"error":{"message":"m","x":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`,
    { message: PLAIN },
  ],
  [
    'a message nested without end',
    400,
    `{"error":{"message":${'[['.repeat(30_000)}${']]'.repeat(30_000)}}}`,
    { message: PLAIN },
  ],
  [
    'our key in it',
    400,
    openai(`Incorrect API key provided: ${SECRET}`, null, null),
    { message: 'Incorrect API key provided: [redacted]' },
  ],
  [
    'our key where a long text is cut',
    400,
    `${'x'.repeat(488)} ${SECRET}`,
    { message: /^The provider answered with status 400: x{488} \[redacted\]?$/ },
  ],
  [
    'our key inside other members',
    400,
    { error: { message: 'm', debug: { headers: [`Bearer ${SECRET}`] } } },
    { message: 'm', extra: { debug: { headers: ['[redacted]'] } } },
  ],
  [
    'a bearer at the end of a text',
    400,
    openai('I got Bearer abc', 'x', 'y'),
    { message: 'I got [redacted]', type: 'x', code: 'y' },
  ],
  [
    'a key of another vendor',
    400,
    openai('key sk-abcdefghijklmnop is bad', null, null),
    { message: 'key [redacted] is bad' },
  ],
  [
    '401: our key is refused',
    401,
    openai('bad key', 'invalid_request_error', 'invalid_api_key'),
    {
      status: 502,
      message: /refuses its API key \(401\)/,
      type: 'server_error',
      code: 'upstream_auth_failed',
      headers: { 'x-should-retry': 'false', 'www-authenticate': null },
    },
    { 'www-authenticate': 'Bearer' },
  ],
  [
    '403: with its reason',
    403,
    { detail: `no access for ${SECRET}` },
    {
      status: 502,
      message: /\(403\).* It says: no access for \[redacted\]$/,
      code: 'upstream_auth_failed',
      headers: { 'x-should-retry': 'false' },
    },
  ],
  ['a status beyond the usual', 418, openai('teapot', null, null), { message: 'teapot' }],
  [
    'headers that do not pass',
    400,
    openai('m', null, null),
    {
      message: 'm',
      headers: {
        'set-cookie': null,
        'openai-organization': null,
        'x-evil': null,
        'content-type': 'application/json',
        'x-ipin-upstream-request-id': 'req_up',
        'openai-processing-ms': '12',
      },
    },
    {
      'set-cookie': 'a=b',
      'openai-organization': 'org',
      'x-evil': '1',
      'content-type': 'text/weird',
      'x-request-id': 'req_up',
      'openai-processing-ms': '12',
    },
  ],
  ['an answer of 1 MB', 400, openai('x'.repeat(1_000_000), null, null), { message: PLAIN }],
];

describe('the errors of upstreams', { timeout: 20_000 }, () => {
  test('keep their status and get OpenAI’s envelope, without the provider’s key', async (t) => {
    let reply: Reply = { status: 500, headers: {}, body: '' };
    const upstream = await startUpstream(t, (_req, res) =>
      res.writeHead(reply.status, reply.headers).end(reply.body),
    );
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: SECRET }, [{ id: 'm' }]);
    for (const [name, status, body, expected, headers] of ROWS) {
      reply = {
        status,
        headers: { ...JSON_TYPE, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      };
      for (const stream of [false, true]) await check(app, name, { status, ...expected }, stream);
    }
    const logged = app.logs.join('');
    assert.ok(!logged.includes(SECRET) && !logged.includes('internal error'));
  });

  test('with status 200 become errors', async (t) => {
    const upstream = await startUpstream(t, () => {});
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: SECRET }, [{ id: 'm' }]);
    const refused = 'The provider up refuses its API key (403). The owner must check the key in the panel.';
    const rows: readonly (readonly [object, number, string])[] = [
      [{ error: { message: 'slow down', code: 429 } }, 429, 'slow down'],
      [{ error: { message: `key ${SECRET}`, code: 403 } }, 502, `${refused} It says: key [redacted]`],
      [{ error: { message: 'odd', code: 'x' } }, 502, 'odd'],
      [{ error: 'just text' }, 502, 'just text'],
      [[{ error: { message: 'in an array', code: 503 } }], 503, 'in an array'],
    ];
    for (const [body, status, message] of rows) {
      upstream.answer = (_req, res) => res.writeHead(200, JSON_TYPE).end(JSON.stringify(body));
      app.services.health.wakeProvider('up');
      const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      assert.equal(JSON.parse(text).error.message, message);
    }
  });

  test('inside a successful response stay there', async (t) => {
    const upstream = await startUpstream(t, () => {});
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    await passes(app, upstream, 'responses', {
      object: 'response',
      status: 'failed',
      error: { code: 'x', message: 'm' },
      output: [],
    });
    await passes(app, upstream, 'chat/completions', { choices: [], error: null });
    await passes(app, upstream, 'images/generations', {
      data: [{ url: 'u' }],
      error: { message: 'one of two failed' },
    });
  });
});

async function passes(app: AppUnderTest, upstream: FakeUpstream, path: string, body: object): Promise<void> {
  upstream.answer = (_req, res) => res.writeHead(200, JSON_TYPE).end(JSON.stringify(body));
  const answer = await app.v1(path, { model: 'm' });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), body);
}

async function check(
  app: AppUnderTest,
  name: string,
  expected: Expected & { status: number },
  stream: boolean,
): Promise<void> {
  app.services.health.wakeProvider('up');
  const answer = await app.v1('chat/completions', { model: 'm', stream, messages: [] });
  const text = await answer.text();
  const label = `${name}: ${answer.status} ${text.slice(0, 400)}`;
  assert.equal(answer.status, expected.status, label);
  assert.equal(answer.headers.get('content-type'), 'application/json', label);
  assert.equal(answer.headers.get('x-ipin-provider'), 'up', label);
  assert.equal(answer.headers.get('x-ipin-attempts'), '1', label);
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_[\da-f]{32}$/, label);
  assert.ok(!text.includes(SECRET), label);
  const { error } = JSON.parse(text);
  for (const member of ['message', 'type', 'param', 'code']) assert.ok(Object.hasOwn(error, member), label);
  if (typeof expected.message === 'string') assert.equal(error.message, expected.message, label);
  else assert.match(error.message, expected.message, label);
  for (const member of ['type', 'param', 'code'] as const) {
    if (expected[member] !== undefined) assert.equal(error[member], expected[member], label);
  }
  for (const [member, value] of Object.entries(expected.extra ?? {}))
    assert.deepEqual(error[member], value, label);
  for (const [header, value] of Object.entries(expected.headers ?? {}))
    assert.equal(answer.headers.get(header), value, label);
}
