import {
  CHAT,
  COMMENTS,
  CONTENT,
  chunk,
  DONE,
  errorOf,
  FINISH,
  GONE,
  LONG_STREAM,
  PACKED_CHAT,
  PACKED_STREAM,
  ROLE,
  STATUSES,
  STREAM,
} from '../helpers/hostile-upstream.ts';

/**
 * What the server takes a behaviour for; `answer`: for an answer; `broken`: for one that failed after its beginning;
 * `fault or may_have_run`: the system decides whether the request is sent whole before the connection ends.
 */
export type Kind =
  | 'answer'
  | 'broken'
  | 'caller'
  | 'not_here'
  | 'key'
  | 'busy'
  | 'fault'
  | 'may_have_run'
  | 'fault or may_have_run';

/** What a client must get. */
export interface Expected {
  readonly kind: Kind;
  readonly status: number;
  /** The exact bytes of an answer, or of a broken one up to its error. */
  readonly body?: string | Buffer;
  /** The exact members of an error; without `message` if the server itself writes it. */
  readonly error?: Readonly<Record<string, unknown>>;
  /** Headers that the behaviour decides; null: not there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The requests that a provider without fallback gets when two more attempts are allowed; by default by the kind. */
  readonly requests?: number;
  /** The requests that the provider gets in one attempt. */
  readonly requestsEach?: 0;
}

export interface Row {
  readonly name: string;
  /** null: requests for JSON get a good answer. */
  readonly json: Expected | null;
  readonly stream: Expected;
}

type More = Partial<Omit<Expected, 'kind' | 'status' | 'error'>>;

const OUR_STATUSES = {
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_invalid_response: 502,
  upstream_auth_failed: 502,
} as const;
const NO_RETRY = { 'x-should-retry': 'false' };

/** An error that the server writes. */
function ours(kind: Kind, code: keyof typeof OUR_STATUSES, more: More = {}): Expected {
  return { kind, status: OUR_STATUSES[code], error: { type: 'server_error', param: null, code }, ...more };
}

/** An error of the provider, passed on. */
function theirs(kind: Kind, status: number, error: object, headers: Expected['headers'] = {}): Expected {
  const noRetry = kind === 'key' ? NO_RETRY : {};
  return { kind, status, error: { ...error }, headers: { ...noRetry, ...headers } };
}

const plain = (message: string, members: object = {}): object => ({
  ...{ message, type: null, param: null, code: null },
  ...members,
});
const json: Expected = { kind: 'answer', status: 200, body: CHAT };
const stream: Expected = { kind: 'answer', status: 200, body: STREAM };
const streamOf = (body: string): Expected => ({ ...stream, body });
const refusedKey = ours('key', 'upstream_auth_failed', { headers: NO_RETRY });
const nonsense = ours('fault', 'upstream_invalid_response');
const unread = (status: number): object =>
  plain(`The provider answered with status ${status} and no readable error.`);
/** A stream that fails after these bytes. */
function brokenBy(body: string, error: Expected['error']): Expected {
  return { kind: 'broken', status: 200, body, ...(error === undefined ? {} : { error }) };
}

const STATUS_KINDS: Readonly<Record<(typeof STATUSES)[number], Kind>> = {
  400: 'caller',
  401: 'key',
  402: 'key',
  403: 'key',
  404: 'not_here',
  405: 'not_here',
  408: 'fault',
  409: 'caller',
  410: 'not_here',
  413: 'caller',
  415: 'caller',
  418: 'caller',
  422: 'caller',
  425: 'fault',
  429: 'busy',
  500: 'fault',
  501: 'not_here',
  502: 'fault',
  503: 'busy',
  504: 'fault',
  505: 'not_here',
  529: 'busy',
};

function ofStatus(status: (typeof STATUSES)[number]): Expected {
  if (status === 401 || status === 403) return refusedKey;
  return theirs(STATUS_KINDS[status], status, errorOf(status), { 'retry-after': null });
}

/** The same for a request for JSON and for a stream. */
function both(name: string, expected: Expected): Row {
  return { name, json: expected, stream: expected };
}

function streamed(name: string, expected: Expected): Row {
  return { name, json: null, stream: expected };
}

const CONNECTION_ROWS: readonly Row[] = [
  both('refuses connections', ours('fault', 'upstream_unreachable', { requestsEach: 0 })),
  both(
    'resets the connection at once',
    ours('fault or may_have_run', 'upstream_unreachable', { requestsEach: 0 }),
  ),
  both(
    'closes the connection at once',
    ours('fault or may_have_run', 'upstream_unreachable', { requestsEach: 0 }),
  ),
  both('resets the connection after the request', ours('may_have_run', 'upstream_unreachable')),
  both('closes the connection after the request', ours('may_have_run', 'upstream_unreachable')),
  both('never answers', ours('may_have_run', 'upstream_timeout')),
  both('never ends its head', ours('may_have_run', 'upstream_timeout')),
  both('closes in its head', ours('may_have_run', 'upstream_unreachable')),
];

const HEAD_ROWS: readonly Row[] = [
  both('answers without HTTP', nonsense),
  both('answers in HTTP/2', nonsense),
  both('sends 1xx without end', ours('may_have_run', 'upstream_unreachable')),
  { name: 'sends 100 and 103 first', json, stream },
  both('switches protocols', nonsense),
  both('has status 099', nonsense),
  both('has status 999', nonsense),
  both('has status 304', nonsense),
  both('redirects with 301', nonsense),
  both('redirects with 307', nonsense),
  both('sends a head of 64 KB', nonsense),
  both('sends two lengths', nonsense),
  both('sends a header with a line break inside', nonsense),
];

const WAITS_TOO_LONG = { requests: 1 };
const RETRY_AFTER_ROWS: readonly Row[] = [
  both(
    '429 with milliseconds',
    theirs('busy', 429, errorOf(429), { 'retry-after-ms': '20', 'retry-after': '60' }),
  ),
  both(
    '429 with a date that is over',
    theirs('busy', 429, errorOf(429), { 'retry-after': 'Fri, 01 Jan 2021 00:00:00 GMT' }),
  ),
  both('429 with a late date', {
    ...theirs('busy', 429, errorOf(429), { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }),
    ...WAITS_TOO_LONG,
  }),
  both('429 with a minute', {
    ...theirs('busy', 429, errorOf(429), { 'retry-after': '60' }),
    ...WAITS_TOO_LONG,
  }),
  both('503 with a second', theirs('busy', 503, errorOf(503), { 'retry-after': '1' })),
  both('503 with nonsense', theirs('busy', 503, errorOf(503), { 'retry-after': 'soon' })),
  both('400 with a minute', theirs('caller', 400, errorOf(400), { 'retry-after': '60' })),
];

const quota = { code: 'insufficient_quota' };
const NAMED_ROWS: readonly Row[] = [
  both('429 without quota', theirs('key', 429, errorOf(429, { type: 'insufficient_quota', ...quota }))),
  both('400 for a billing limit', theirs('key', 400, errorOf(400, { code: 'billing_hard_limit_reached' }))),
  both('403 without quota', theirs('key', 403, errorOf(403, quota))),
  both('400 for credit', theirs('key', 400, errorOf(400, { type: 'credit_balance_too_low', code: null }))),
  both('400 for a rate limit', theirs('busy', 400, errorOf(400, { code: 'rate_limit_exceeded' }))),
  both('500 for overload', theirs('busy', 500, errorOf(500, { type: 'overloaded_error', code: null }))),
];

const DIALECT_ROWS: readonly Row[] = [
  both('422 of FastAPI', theirs('caller', 422, plain('too small', { param: 'n' }))),
  both('404 of FastAPI', theirs('not_here', 404, plain('Not Found'))),
  both('404 of Ollama', theirs('not_here', 404, plain('model "m" not found'))),
  both('400 of Gemini', theirs('caller', 400, plain('bad', { code: '400', status: 'INVALID_ARGUMENT' }))),
  both('429 of Gemini', theirs('busy', 429, plain('quota', { code: '429', status: 'RESOURCE_EXHAUSTED' }))),
  both('400 of vLLM', theirs('caller', 400, plain('long', { type: 'BadRequestError', code: '400' }))),
  both('529 of Anthropic', theirs('busy', 529, plain('Overloaded', { type: 'overloaded_error' }))),
  both('502 with a page', theirs('fault', 502, unread(502))),
  both(
    '500 with a line of text',
    theirs('fault', 500, plain('The provider answered with status 500: upstream connect error')),
  ),
  both('503 with nothing', theirs('busy', 503, unread(503))),
];

const cut = ours('may_have_run', 'upstream_invalid_response');
const SUCCESS_ROWS: readonly Row[] = [
  both('200 with error 429', theirs('busy', 429, { ...GONE, code: '429' })),
  both('200 with error 503', theirs('busy', 503, { ...GONE, code: '503' })),
  both('200 with error 400', theirs('caller', 400, { ...GONE, code: '400' })),
  both('200 with error 401', refusedKey),
  both('200 with an error of the caller', theirs('caller', 400, { ...GONE, type: 'invalid_request_error' })),
  both('200 without quota', theirs('key', 502, { ...GONE, ...quota })),
  both('200 with an error', theirs('fault', 502, GONE)),
  both('200 with an error as text', theirs('fault', 502, plain('instance lost'))),
  both('200 with a page', nonsense),
  both('200 with broken JSON', nonsense),
  both('200 with a word', nonsense),
  both('200 with nothing', nonsense),
  both('200 with too great a length', cut),
  both('200 with too small a length', nonsense),
  both('200 that is cut', cut),
  both('200 that is reset', cut),
  both('200 that is silent', ours('may_have_run', 'upstream_timeout')),
  both('200 with a chunk of bad size', cut),
  {
    name: '200 that is compressed',
    json: { ...json, body: PACKED_CHAT, headers: { 'content-encoding': 'gzip' } },
    stream: { ...stream, body: PACKED_STREAM, headers: { 'content-encoding': 'gzip' } },
  },
];

const GOOD_ROWS: readonly Row[] = [
  'answers well',
  'answers twice',
  'answers late',
  'answers byte by byte',
  'answers without a length',
].map((name) => ({ name, json, stream }));

const invalid = { type: 'server_error', param: null, code: 'upstream_invalid_response' };
const timeout = { ...invalid, code: 'upstream_timeout' };
const asChunk = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  created: 1_700_000_000,
  model: 'm',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, finish_reason: 'stop', delta: { role: 'assistant', content: 'Hi' } }],
})}\n\n`;

const STREAM_ROWS: readonly Row[] = [
  streamed('stream that is JSON', streamOf(asChunk + DONE)),
  streamed('stream with an error first', theirs('fault', 502, GONE)),
  streamed(
    'stream with an error of the caller first',
    theirs('caller', 400, { ...GONE, type: 'invalid_request_error' }),
  ),
  streamed('stream with error 429 first', theirs('busy', 429, { ...GONE, code: '429' })),
  streamed('stream with error 401 first', refusedKey),
  streamed('stream with an error after the role', theirs('fault', 502, GONE)),
  streamed('stream with an error after content', brokenBy(ROLE + CONTENT, GONE)),
  streamed('stream with a bare line of JSON', theirs('fault', 502, plain('instance lost'))),
  streamed(
    'stream with the error of vLLM',
    theirs('caller', 400, plain('too long', { type: 'BadRequestError', code: '400' })),
  ),
  streamed('stream with nothing', nonsense),
  streamed('stream with comments only', nonsense),
  streamed('stream with 100 KB of comments only', brokenBy(COMMENTS, invalid)),
  streamed('stream that ends before content', nonsense),
  streamed('stream that ends after content', brokenBy(ROLE + CONTENT, invalid)),
  streamed('stream with [DONE] alone', streamOf(DONE)),
  streamed('stream without [DONE]', streamOf(ROLE + CONTENT + FINISH)),
  streamed('stream that is cut after its head', cut),
  streamed('stream that is cut before content', cut),
  streamed('stream that is cut after content', brokenBy(ROLE + CONTENT, invalid)),
  streamed('stream that is cut in a record', brokenBy(ROLE + CONTENT, invalid)),
  streamed('stream with a chunk of bad size', brokenBy(ROLE + CONTENT, invalid)),
  streamed('stream that is silent', ours('may_have_run', 'upstream_timeout')),
  streamed('stream that is silent after content', brokenBy(ROLE + CONTENT, timeout)),
  streamed('stream with CRLF', streamOf(STREAM.replaceAll('\n', '\r\n'))),
  streamed('stream with a record of 1 MB', streamOf(LONG_STREAM)),
  streamed('stream with reasoning alone', streamOf(chunk({ reasoning_content: 'Hm' }) + FINISH + DONE)),
  streamed('stream with its usage at the end', streamOf(STREAM)),
  streamed('stream with its usage beside content', streamOf(ROLE + chunk({ content: 'Hi' }, 'stop') + DONE)),
  streamed('stream with late content', stream),
  streamed('stream with a late error', brokenBy(ROLE, GONE)),
];

/** What clients must get from each behaviour of a provider. */
export const ROWS: readonly Row[] = [
  ...STATUSES.map((status) => both(`status ${status}`, ofStatus(status))),
  ...CONNECTION_ROWS,
  ...HEAD_ROWS,
  ...RETRY_AFTER_ROWS,
  ...NAMED_ROWS,
  ...DIALECT_ROWS,
  ...SUCCESS_ROWS,
  ...GOOD_ROWS,
  ...STREAM_ROWS,
];
