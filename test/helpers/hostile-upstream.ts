import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ProviderOptions } from '../../src/store/entities.ts';
import { CHAT_ANSWER } from './fake-upstream.ts';
import { startRawUpstream } from './raw-upstream.ts';

/** A way in which a provider treats requests, mostly badly. */
export interface Behaviour {
  /** What it does with a request for an event stream or for JSON. */
  readonly onRequest: (socket: Socket, stream: boolean) => void;
  /** What it does with a connection, before any request. */
  readonly onConnection?: (socket: Socket) => void;
  /** Short timeouts, where the behaviour is about them. */
  readonly options?: ProviderOptions;
}

const record = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** A record of a chat stream. */
export function chunk(delta: object, finishReason: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return record({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more });
}

/** The good answers. */
export const CHAT = JSON.stringify({ ...CHAT_ANSWER, model: 'm' });
export const ROLE = chunk({ role: 'assistant', content: '' });
export const CONTENT = chunk({ content: 'Hi' });
export const FINISH = chunk({}, 'stop');
export const DONE = 'data: [DONE]\n\n';
export const STREAM = ROLE + CONTENT + FINISH + DONE;
export const LONG_STREAM = ROLE + chunk({ content: 'x'.repeat(1024 * 1024) }) + FINISH + DONE;
export const COMMENTS = `: ${'wait '.repeat(20)}\n\n`.repeat(1_000);
/** `STREAM` and `CHAT`, compressed. */
export const PACKED_STREAM = gzipSync(STREAM);
export const PACKED_CHAT = gzipSync(CHAT);
/** The error in answers with status 200 and in streams, where the behaviour's name says nothing else. */
export const GONE = { message: 'instance lost', type: 'server_error', param: null, code: 'gone' };
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

const JSON_TYPE = 'Content-Type: application/json\r\n';
const EVENTS_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

const httpChunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const events = (text: string): string => EVENTS_HEAD + httpChunk(text);
const wholeStream = (text: string): string => events(text) + LAST_CHUNK;

/** A whole response; each of its headers ends with a line break. */
function response(status: number | string, body: string, headers = JSON_TYPE): string {
  return `HTTP/1.1 ${status} Whatever\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const goodAnswer = (stream: boolean): string => (stream ? wholeStream(STREAM) : response(200, CHAT));
/** A JSON response without its last bytes. */
const HALF = response(200, CHAT).slice(0, -20);

/** The same bytes for each request, on a connection that stays open. */
function says(bytes: string): Behaviour {
  return { onRequest: (socket) => void socket.write(bytes, 'latin1') };
}

/** The same bytes for each request, and then the end of the connection. */
function ends(bytes: string): Behaviour {
  return { onRequest: (socket) => void socket.end(bytes, 'latin1') };
}

/** These bytes instead of a whole stream; a request for JSON gets a good answer. */
function streams(bytes: string, then: 'stays' | 'ends' = 'stays'): Behaviour {
  return {
    onRequest(socket, stream) {
      if (stream && then === 'ends') socket.end(bytes);
      else socket.write(stream ? bytes : goodAnswer(false));
    },
  };
}

/** The first bytes at once and the others after a pause in milliseconds; a request for JSON gets a good answer. */
function streamsLate(first: string, pauseMs: number, later: string): Behaviour {
  return {
    onRequest(socket, stream) {
      socket.write(stream ? first : goodAnswer(false));
      if (stream) setTimeout(() => socket.write(later), pauseMs);
    },
  };
}

/** An error response in OpenAI's form. */
function refuses(status: number, members: object = {}, headers = ''): Behaviour {
  return says(response(status, JSON.stringify({ error: errorOf(status, members) }), JSON_TYPE + headers));
}

/** The error with which `refuses` answers. */
export function errorOf(status: number, members: object = {}): Record<string, unknown> {
  return { message: `status ${status}`, type: 'some_error', param: null, code: 'some_code', ...members };
}

/** An error response of another kind than OpenAI's. */
function answers(status: number, body: unknown, headers = JSON_TYPE): Behaviour {
  return says(response(status, typeof body === 'string' ? body : JSON.stringify(body), headers));
}

function inPieces(socket: Socket, bytes: Buffer, at = 0): void {
  if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => inPieces(socket, bytes, at + 1));
}

/** The statuses with which `refuses` answers, each as the behaviour `status N`. */
export const STATUSES = [
  400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 418, 422, 425, 429, 500, 501, 502, 503, 504, 505,
  529,
] as const;

const CONNECTIONS = {
  'resets the connection at once': {
    onConnection: (socket) => socket.resetAndDestroy(),
    onRequest: () => {},
  },
  'closes the connection at once': { onConnection: (socket) => void socket.destroy(), onRequest: () => {} },
  'resets the connection after the request': { onRequest: (socket) => socket.resetAndDestroy() },
  'closes the connection after the request': ends(''),
  'never answers': { onRequest: () => {}, options: { headersTimeoutMs: 150 } },
  'never ends its head': {
    ...says('HTTP/1.1 200 OK\r\nContent-Type: app'),
    options: { headersTimeoutMs: 150 },
  },
  'closes in its head': ends('HTTP/1.1 200 OK\r\nContent-Type: app'),
} as const satisfies Record<string, Behaviour>;

const HEADS = {
  'answers without HTTP': ends('SSH-2.0-OpenSSH_9.6\r\n'),
  'answers in HTTP/2': says('\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'),
  'sends 1xx without end': ends('HTTP/1.1 102 Processing\r\n\r\n'.repeat(5_000)),
  'sends 100 and 103 first': {
    onRequest: (socket, stream) =>
      void socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${goodAnswer(stream)}`,
      ),
  },
  'switches protocols': says('HTTP/1.1 101 Switching\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nGET /'),
  'has status 099': says(response('099', CHAT)),
  'has status 999': says(response(999, CHAT)),
  'has status 304': says('HTTP/1.1 304 Not Modified\r\n\r\n'),
  'redirects with 301': answers(301, '', 'Location: http://127.0.0.1:9/v1\r\n'),
  'redirects with 307': answers(307, '', 'Location: /v1/chat/completions\r\n'),
  'sends a head of 64 KB': says(response(200, CHAT, `${JSON_TYPE}X-Long: ${'a'.repeat(65_536)}\r\n`)),
  'sends two lengths': says(response(200, CHAT, `${JSON_TYPE}Content-Length: 3\r\n`)),
  'sends a header with a line break inside': says(
    response(200, CHAT, `${JSON_TYPE}X-Evil: a\rSet-Cookie: b=c\r\n`),
  ),
} as const satisfies Record<string, Behaviour>;

const RETRY_AFTER = {
  '429 with milliseconds': refuses(429, {}, 'Retry-After-Ms: 20\r\nRetry-After: 60\r\n'),
  '429 with a date that is over': refuses(429, {}, 'Retry-After: Fri, 01 Jan 2021 00:00:00 GMT\r\n'),
  '429 with a late date': refuses(429, {}, 'Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n'),
  '429 with a minute': refuses(429, {}, 'Retry-After: 60\r\n'),
  '503 with a second': refuses(503, {}, 'Retry-After: 1\r\n'),
  '503 with nonsense': refuses(503, {}, 'Retry-After: soon\r\n'),
  '400 with a minute': refuses(400, {}, 'Retry-After: 60\r\n'),
} as const satisfies Record<string, Behaviour>;

const NAMED_ERRORS = {
  '429 without quota': refuses(429, { type: 'insufficient_quota', code: 'insufficient_quota' }),
  '400 for a billing limit': refuses(400, { code: 'billing_hard_limit_reached' }),
  '403 without quota': refuses(403, { code: 'insufficient_quota' }),
  '400 for credit': refuses(400, { type: 'credit_balance_too_low', code: null }),
  '400 for a rate limit': refuses(400, { code: 'rate_limit_exceeded' }),
  '500 for overload': refuses(500, { type: 'overloaded_error', code: null }),
} as const satisfies Record<string, Behaviour>;

const DIALECTS = {
  '422 of FastAPI': answers(422, { detail: [{ loc: ['body', 'n'], msg: 'too small', type: 'x' }] }),
  '404 of FastAPI': answers(404, { detail: 'Not Found' }),
  '404 of Ollama': answers(404, { error: 'model "m" not found' }),
  '400 of Gemini': answers(400, [{ error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } }]),
  '429 of Gemini': answers(429, [{ error: { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED' } }]),
  '400 of vLLM': answers(400, {
    object: 'error',
    message: 'long',
    type: 'BadRequestError',
    param: null,
    code: 400,
  }),
  '529 of Anthropic': answers(529, {
    type: 'error',
    error: { type: 'overloaded_error', message: 'Overloaded' },
  }),
  '502 with a page': answers(502, '<html><h1>Bad Gateway</h1></html>', 'Content-Type: text/html\r\n'),
  '500 with a line of text': answers(500, 'upstream connect error', 'Content-Type: text/plain\r\n'),
  '503 with nothing': answers(503, ''),
} as const satisfies Record<string, Behaviour>;

const SUCCESSES = {
  '200 with error 429': answers(200, { error: { ...GONE, code: 429 } }),
  '200 with error 503': answers(200, { error: { ...GONE, code: 503 } }),
  '200 with error 400': answers(200, { error: { ...GONE, code: 400 } }),
  '200 with error 401': answers(200, { error: { ...GONE, code: 401 } }),
  '200 with an error of the caller': answers(200, { error: { ...GONE, type: 'invalid_request_error' } }),
  '200 without quota': answers(200, { error: { ...GONE, code: 'insufficient_quota' } }),
  '200 with an error': answers(200, { error: GONE }),
  '200 with an error as text': answers(200, { error: 'instance lost' }),
  '200 with a page': answers(200, '<html>', 'Content-Type: text/html\r\n'),
  '200 with broken JSON': answers(200, '{"id":"a","choices":['),
  '200 with a word': answers(200, '"ok"'),
  '200 with nothing': answers(200, ''),
  '200 with too great a length': ends(response(200, CHAT).replace(/Length: \d+/, 'Length: 9999')),
  '200 with too small a length': says(response(200, CHAT).replace(/Length: \d+/, 'Length: 30')),
  '200 that is cut': ends(HALF),
  '200 that is reset': {
    onRequest: (socket) => void socket.write(HALF, () => socket.resetAndDestroy()),
  },
  '200 that is silent': { ...says(HALF), options: { idleTimeoutMs: 150 } },
  '200 with a chunk of bad size': says(
    `HTTP/1.1 200 OK\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n${CHAT}\r\n`,
  ),
  '200 that is compressed': {
    onRequest(socket, stream) {
      const body = (stream ? PACKED_STREAM : PACKED_CHAT).toString('latin1');
      const type = stream ? 'Content-Type: text/event-stream\r\n' : JSON_TYPE;
      socket.end(
        `HTTP/1.1 200 OK\r\n${type}Content-Encoding: gzip\r\nConnection: close\r\n\r\n${body}`,
        'latin1',
      );
    },
  },
} as const satisfies Record<string, Behaviour>;

const GOOD_ANSWERS = {
  'answers well': { onRequest: (socket, stream) => void socket.write(goodAnswer(stream)) },
  'answers twice': {
    onRequest: (socket, stream) => void socket.write(goodAnswer(stream) + response(200, '{"poison":true}')),
  },
  'answers late': {
    onRequest: (socket, stream) => void setTimeout(() => socket.write(goodAnswer(stream)), 300),
  },
  'answers byte by byte': {
    onRequest: (socket, stream) => inPieces(socket, Buffer.from(goodAnswer(stream))),
  },
  'answers without a length': {
    onRequest(socket, stream) {
      const type = stream ? 'Content-Type: text/event-stream\r\n' : JSON_TYPE;
      socket.end(`HTTP/1.1 200 OK\r\n${type}\r\n${stream ? STREAM : CHAT}`);
    },
  },
} as const satisfies Record<string, Behaviour>;

const STREAMS = {
  'stream that is JSON': streams(response(200, CHAT)),
  'stream with an error first': streams(events(record({ error: GONE }))),
  'stream with an error of the caller first': streams(
    events(record({ error: { ...GONE, type: 'invalid_request_error' } })),
  ),
  'stream with error 429 first': streams(events(record({ error: { ...GONE, code: 429 } }))),
  'stream with error 401 first': streams(events(record({ error: { ...GONE, code: 401 } }))),
  'stream with an error after the role': streams(events(`${ROLE}: hi\n\n${record({ error: GONE })}`)),
  'stream with an error after content': streams(events(ROLE + CONTENT + record({ error: GONE }))),
  'stream with a bare line of JSON': streams(wholeStream('{"error":"instance lost"}\n\n')),
  'stream with the error of vLLM': streams(
    events(record({ object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 })),
  ),
  'stream with nothing': streams(EVENTS_HEAD + LAST_CHUNK),
  'stream with comments only': streams(wholeStream(': hi\n\n: hi\n\n')),
  'stream with 100 KB of comments only': streams(wholeStream(COMMENTS)),
  'stream that ends before content': streams(wholeStream(ROLE)),
  'stream that ends after content': streams(wholeStream(ROLE + CONTENT)),
  'stream with [DONE] alone': streams(wholeStream(DONE)),
  'stream without [DONE]': streams(wholeStream(ROLE + CONTENT + FINISH)),
  'stream that is cut after its head': streams(EVENTS_HEAD, 'ends'),
  'stream that is cut before content': streams(events(ROLE), 'ends'),
  'stream that is cut after content': streams(events(ROLE + CONTENT), 'ends'),
  'stream that is cut in a record': streams(events(ROLE + CONTENT + CONTENT.slice(0, 30)), 'ends'),
  'stream with a chunk of bad size': streamsLate(events(ROLE + CONTENT), 100, 'zz\r\n'),
  'stream that is silent': { ...streams(events(ROLE)), options: { idleTimeoutMs: 150 } },
  'stream that is silent after content': {
    ...streams(events(ROLE + CONTENT)),
    options: { idleTimeoutMs: 150 },
  },
  'stream with CRLF': streams(wholeStream(STREAM.replaceAll('\n', '\r\n'))),
  'stream with a record of 1 MB': streams(wholeStream(LONG_STREAM)),
  'stream with reasoning alone': streams(wholeStream(chunk({ reasoning_content: 'Hm' }) + FINISH + DONE)),
  'stream with its usage at the end': streams(
    wholeStream(ROLE + CONTENT + FINISH + record({ id: 'c', choices: [], usage: USAGE }) + DONE),
  ),
  'stream with its usage beside content': streams(
    wholeStream(ROLE + chunk({ content: 'Hi' }, 'stop', { usage: USAGE }) + DONE),
  ),
  'stream with late content': streamsLate(EVENTS_HEAD, 1_300, httpChunk(STREAM) + LAST_CHUNK),
  'stream with a late error': streamsLate(
    events(ROLE),
    1_300,
    httpChunk(record({ error: GONE })) + LAST_CHUNK,
  ),
} as const satisfies Record<string, Behaviour>;

/** Nobody listens; the name of a behaviour that needs no upstream. */
export const REFUSES = 'refuses connections';
const REFUSING_ORIGIN = 'http://127.0.0.1:1';

/** All other behaviours by name. Those named `stream ...` answer requests for JSON well. */
export const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ...STATUSES.map((status) => [`status ${status}`, refuses(status)] as const),
  ...[CONNECTIONS, HEADS, RETRY_AFTER, NAMED_ERRORS, DIALECTS, SUCCESSES, GOOD_ANSWERS, STREAMS].flatMap(
    (group) => Object.entries<Behaviour>(group),
  ),
]);

export interface HostileUpstream {
  readonly origin: string;
  readonly options: ProviderOptions;
  /** How many requests arrived. */
  readonly requests: () => number;
}

/** A provider that treats all requests in the same way; it ends with the test. @throws Error for an unknown name. */
export async function startHostileUpstream(t: TestContext, name: string): Promise<HostileUpstream> {
  if (name === REFUSES) return { origin: REFUSING_ORIGIN, options: {}, requests: () => 0 };
  const behaviour = BEHAVIOURS.get(name);
  if (behaviour === undefined) throw new Error(`no behaviour: ${name}`);
  const { onRequest, onConnection, options = {} } = behaviour;
  const upstream = await startRawUpstream(
    t,
    (socket, _index, { body }) => onRequest(socket, /"stream": *true/.test(body.toString())),
    onConnection === undefined ? {} : { onConnection },
  );
  return { origin: upstream.origin, options, requests: () => upstream.requests.length };
}
