import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { headOf } from '../helpers/raw-post.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { MASTER_KEY } from '../helpers/start-app.ts';
import { makeTestFolder, runServer, type ServerRun } from '../helpers/start-server.ts';
import { until } from '../helpers/until.ts';

const CHAT_STREAMS = 40;
const RESPONSES_STREAMS = 20;
const SHORT_CALLS = 30;
const WAITING_CALLS = 20;
const RECORD_MS = 20;

const EVENTS = {
  'chat/completions':
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n',
  responses:
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"word ","sequence_number":7}\n\n',
} as const;

type Path = keyof typeof EVENTS;

interface LoadedProvider {
  readonly origin: string;
  /** The number of calls that have arrived. */
  readonly arrived: () => number;
  /** Answers the calls of `short`. */
  release(): void;
}

/**
 * A provider with three models: `long` streams and never ends, `short` answers once it is released, `busy` asks all its
 * callers, once they are there, to come back after eight seconds.
 */
async function startProvider(t: TestContext): Promise<LoadedProvider> {
  const short: (() => void)[] = [];
  const busy: (() => void)[] = [];
  let streams = 0;
  const { origin } = await startUpstream(t, (req, res, request) => {
    const { model } = JSON.parse(request.body.toString()) as { model: string };
    if (model === 'short') short.push(() => json(CHAT_ANSWER)(req, res, request));
    else if (model === 'busy') {
      const error = { error: { message: 'too much', type: 'server_error', param: null, code: null } };
      busy.push(() => json(error, 503, { 'retry-after': '8' })(req, res, request));
      if (busy.length === WAITING_CALLS) for (const answer of busy) answer();
    } else {
      streams += 1;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => res.write(EVENTS[request.url.replace('/v1/', '') as Path]), RECORD_MS);
      res.on('close', () => clearInterval(timer));
    }
  });
  return {
    origin,
    arrived: () => short.length + busy.length + streams,
    release() {
      for (const answer of short) answer();
    },
  };
}

async function startLoaded(t: TestContext, origin: string): Promise<ServerRun> {
  const folder = makeTestFolder(t);
  const models = ['long', 'short', 'busy'].map((id) => ({ id, name: id, providerId: 'up' }));
  const providers = [{ id: 'up', name: 'Up', baseUrl: `${origin}/v1` }];
  writeFileSync(join(folder, 'data.db'), JSON.stringify({ providers, models }));
  const env = {
    DB_PATH: 'data.db',
    LOG_LEVEL: 'info',
    MASTER_API_KEY: MASTER_KEY,
    SHUTDOWN_GRACE_MS: '2000',
  };
  const server = runServer(t, { folder, env });
  await server.listening;
  return server;
}

/** Sends calls of a model, each on a connection of its own. */
function ask(t: TestContext, port: number, { path, model, stream, count }: Asked): RawClient[] {
  const body = JSON.stringify({
    model,
    stream,
    messages: [{ role: 'user', content: 'Hello' }],
    input: 'Hello',
  });
  return Array.from({ length: count }, () => {
    const client = rawClient(t, port);
    client.write(headOf(path, 'application/json', `Content-Length: ${body.length}`) + body);
    return client;
  });
}

interface Asked {
  readonly path: Path;
  readonly model: 'long' | 'short' | 'busy';
  readonly stream: boolean;
  readonly count: number;
}

async function openUpstreamRequests(origin: string): Promise<number> {
  const response = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${MASTER_KEY}` } });
  return Number(/^ipin_upstream_requests (\d+)$/m.exec(await response.text())?.[1]);
}

interface Line {
  readonly event: string;
  readonly path: string;
  readonly model?: string;
  readonly status: number;
  readonly outcome: string;
}

/** How the calls ended, by model: how many lines of each kind were logged. */
function endsIn(stdout: string): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const text of stdout.trim().split('\n')) {
    const { event, path, model, status, outcome } = JSON.parse(text) as Line;
    if (event !== 'request' || !path.startsWith('/v1/')) continue;
    const kind = `${model} ${status} ${outcome}`;
    ends[kind] = (ends[kind] ?? 0) + 1;
  }
  return ends;
}

const skip = process.platform === 'win32' && 'Windows has no such signals';

test('SIGTERM under load: short calls finish, all others get an error in their protocol, and the process ends with 0', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const provider = await startProvider(t);
  const server = await startLoaded(t, provider.origin);
  const origin = await server.listening;
  const port = Number(new URL(origin).port);
  const send = (asked: Asked): RawClient[] => ask(t, port, asked);
  const chats = send({ path: 'chat/completions', model: 'long', stream: true, count: CHAT_STREAMS });
  const responses = send({ path: 'responses', model: 'long', stream: true, count: RESPONSES_STREAMS });
  const short = send({ path: 'chat/completions', model: 'short', stream: false, count: SHORT_CALLS });
  const waiting = [true, false].flatMap((stream) =>
    send({ path: 'chat/completions', model: 'busy', stream, count: WAITING_CALLS / 2 }),
  );
  for (const client of [...chats, ...responses]) await client.until('word');
  const running = CHAT_STREAMS + RESPONSES_STREAMS + SHORT_CALLS;
  await until(() => provider.arrived() === running + WAITING_CALLS, 'all calls at the provider');
  // Until the busy calls have their first answer, and wait.
  while ((await openUpstreamRequests(origin)) > running);

  const ended = server.kill('SIGTERM');
  await server.hasShown('"event":"draining"');
  provider.release();
  for (const client of short) {
    const [answer] = await client.answers(1);
    assert.deepEqual([answer?.status, answer?.headers.get('connection')], [200, 'close']);
  }
  for (const client of waiting) {
    const [answer] = await client.answers(1);
    const { error } = JSON.parse(String(answer?.body)) as { error: { message: string; code: string | null } };
    assert.equal(answer?.status, 503);
    assert.ok(error.code === 'draining' || error.message === 'too much', error.message);
  }
  for (const client of chats) {
    const [answer] = await client.answers(1);
    assert.match(
      String(answer?.body),
      /word [^\n]*\n\ndata: \{"error":\{[^\n]*"code":"draining"[^\n]*\}\}\n\n$/,
    );
  }
  for (const client of responses) {
    const [answer] = await client.answers(1);
    assert.match(
      String(answer?.body),
      /\n\nevent: error\ndata: [^\n]*"code":"draining"[^\n]*"sequence_number":8\}\n\nevent: response\.failed\ndata: [^\n]*"code":"draining"[^\n]*\}\n\n$/,
    );
  }
  assert.deepEqual(await ended, [0, null]);
  assert.equal(server.stderr(), '');
  assert.match(server.stdout(), /"event":"stopped"/);
  assert.deepEqual(endsIn(server.stdout()), {
    'long 200 cut': CHAT_STREAMS + RESPONSES_STREAMS,
    'short 200 ok': SHORT_CALLS,
    'busy 503 error': WAITING_CALLS,
  });
});
