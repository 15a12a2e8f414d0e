import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';

const CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const STREAM = { 'content-type': 'text/event-stream' };
const REPEATS = 10;

/** Counts timers that keep the process alive: the server's do, those of idle connections and of the test runner do not. */
function runningTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** What an upstream and its client do. */
interface Scenario {
  readonly what: string;
  readonly answer: Answer;
  /** `ask` reads an answer to its end; `leave` leaves once the upstream has the request, or once the text was read. */
  readonly client: 'ask' | 'leave' | { readonly leavesAfter: string };
  readonly path?: string;
  readonly body?: object;
  readonly options?: object;
}

const SCENARIOS: readonly Scenario[] = [
  { what: 'a good answer', answer: json(CHAT_ANSWER), client: 'ask' },
  {
    what: 'a good stream',
    answer: (_req, res) => res.writeHead(200, STREAM).end(`${CHUNK}data: [DONE]\n\n`),
    client: 'ask',
  },
  { what: 'an error', answer: json({ error: { message: 'no' } }, 500), client: 'ask' },
  {
    what: 'a page',
    answer: (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).write('x'),
    client: 'ask',
  },
  { what: 'JSON that is none', answer: json('{nonsense}'), client: 'ask' },
  { what: 'a closed connection', answer: (_req, res) => res.destroy(), client: 'ask' },
  {
    what: 'a stream that is cut',
    answer: (_req, res) => void res.writeHead(200, STREAM).write(CHUNK, () => res.destroy()),
    client: 'ask',
  },
  {
    what: 'a stream with an error in it, which goes on',
    answer: (_req, res) => void res.writeHead(200, STREAM).write('data: {"error":{"message":"no"}}\n\n'),
    client: 'ask',
  },
  { what: 'silence before the headers', answer: () => {}, client: 'ask', options: { headersTimeoutMs: 60 } },
  {
    what: 'silence in a stream',
    answer: (_req, res) => void res.writeHead(200, STREAM).write(CHUNK),
    client: 'ask',
    options: { idleTimeoutMs: 60 },
  },
  {
    what: 'silence in an answer',
    answer: (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{'),
    client: 'ask',
    options: { idleTimeoutMs: 60 },
  },
  { what: 'a client that leaves before the answer', answer: () => {}, client: 'leave' },
  {
    what: 'a client that leaves a stream',
    answer: (_req, res) => void res.writeHead(200, STREAM).write(CHUNK),
    client: { leavesAfter: CHUNK },
  },
  {
    what: 'a client that leaves vectors which are converted',
    answer: (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write(`{"data":[${`{"index":0,"embedding":[${'0.5,'.repeat(1000)}1]},`.repeat(400)}`);
    },
    client: { leavesAfter: '"embedding":"' },
    path: 'embeddings',
    body: { input: 'x', encoding_format: 'base64' },
  },
  {
    what: 'a client that leaves an answer which is held',
    answer: (_req, res) =>
      void res.writeHead(200, { 'content-type': 'application/json' }).write(' '.repeat(500_000)),
    client: 'leave',
    body: { stream: true },
  },
  {
    what: 'a client that leaves bytes',
    answer: (_req, res) => void res.writeHead(200, { 'content-type': 'audio/mpeg' }).write('ID3'),
    client: { leavesAfter: 'ID3' },
    path: 'audio/speech',
  },
];

async function play(t: TestContext, app: AppUnderTest, scenario: Scenario): Promise<void> {
  const { client, path = 'chat/completions', body = {} } = scenario;
  const value = { model: 'm', stream: true, ...body };
  if (client === 'ask') {
    const answer = await app.v1(path, value);
    await answer.text().catch(() => {});
    return;
  }
  const text = JSON.stringify(value);
  const asked = once(app.server, 'request');
  const raw = rawClient(t, app.port);
  raw.write(
    `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  if (client === 'leave') await asked;
  else await raw.until(client.leavesAfter);
  raw.socket.destroy();
}

describe('nothing is left open', { timeout: 30_000 }, () => {
  for (const scenario of SCENARIOS) {
    test(`A4: after ${scenario.what}`, async (t) => {
      const upstream = await startUpstream(t, scenario.answer);
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, options: scenario.options ?? {} }, [
        { id: 'm' },
      ]);
      // The first run creates what stays: the pool and the clients' connections.
      await play(t, app, scenario);
      await expectNothingHeld(app.services);
      const timers = runningTimers();
      for (let count = 0; count < REPEATS; count += 1) await play(t, app, scenario);
      await expectNothingHeld(app.services);
      for (let turn = 0; runningTimers() > timers && turn < 500; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(runningTimers() <= timers, `${runningTimers()} timers run, ${timers} before`);
      assert.ok(upstream.sockets.size <= 1, `${upstream.sockets.size} connections stay`);
    });
  }
});
