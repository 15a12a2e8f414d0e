import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { prepareProgram } from '../helpers/programs.ts';
import { headOf } from '../helpers/raw-post.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';
import { until } from '../helpers/until.ts';
import { FIRST_RECORDS } from './half-stream.ts';

const STREAMS = 100;

/** Starts the provider; resolves with its process and address. */
async function startProvider(t: TestContext): Promise<{ child: ChildProcess; origin: string }> {
  const [file = '', ...words] = prepareProgram(join(import.meta.dirname, 'half-provider.ts'));
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, origin: `http://127.0.0.1:${Number(port.toString())}` };
}

function ask(client: RawClient, stream: boolean): void {
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Hello' }] });
  client.write(headOf('chat/completions', 'application/json', `Content-Length: ${body.length}`) + body);
}

interface Line {
  readonly requestId: string;
  readonly status: number;
  readonly outcome: string;
  readonly code?: string;
  readonly provider: string;
}

/** The log lines of all calls, each call's exactly once. */
function linesOf(app: AppUnderTest): Line[] {
  const lines = app.logs.filter((line) => line.includes('"path":"/v1/chat/'));
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  assert.equal(
    new Set(parsed.map(({ requestId }) => requestId)).size,
    parsed.length,
    'two lines of one call',
  );
  return parsed;
}

/** Whole records, an error in OpenAI's shape as the last one, and the end of the answer. */
function assertBroken(body: Buffer | undefined): void {
  const text = String(body);
  assert.ok(text.startsWith(`${FIRST_RECORDS}data: {"error":`), text.slice(FIRST_RECORDS.length));
  const last = text.slice(FIRST_RECORDS.length);
  assert.match(last, /^data: [^\n]*\n\n$/);
  const { error } = JSON.parse(last.slice('data: '.length)) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
  assert.deepEqual([error['type'], error['code']], ['server_error', 'upstream_invalid_response']);
}

/** A model `m` at the provider, with another provider behind it. Time stands still, so that rests last. */
async function start(t: TestContext) {
  const { child, origin } = await startProvider(t);
  const other = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t, { now: () => Date.UTC(2030, 0, 1), env: { UPSTREAM_RETRIES: '2' } });
  await app.addProvider({ id: 'other', baseUrl: other.origin }, []);
  const fallbacks = [{ providerId: 'other', upstreamModel: null, weight: null, price: null }];
  await app.addProvider({ id: 'killed', baseUrl: origin }, [{ id: 'm', fallbacks }]);
  return { child, other, app };
}

const DEATHS: readonly (readonly [what: string, kill: (child: ChildProcess) => void])[] = [
  ['is killed', (child) => child.kill('SIGKILL')],
  ['ends all its connections', (child) => child.stdin?.write('destroy')],
  ['resets all its connections', (child) => child.stdin?.write('reset')],
];

describe(`a provider of ${STREAMS} streams`, { timeout: 60_000 }, () => {
  for (const [what, kill] of DEATHS) {
    test(`${what}: each client gets an error as the end of its stream, and goes on`, async (t) => {
      const { child, other, app } = await start(t);
      const clients = Array.from({ length: STREAMS }, () => rawClient(t, app.port));
      for (const client of clients) ask(client, true);
      await Promise.all(clients.map((client) => client.until('third')));
      kill(child);
      for (const client of clients) {
        const [answer] = await client.answers(1);
        assert.equal(answer?.status, 200);
        assertBroken(answer.body);
      }
      await until(() => linesOf(app).length === STREAMS, 'a line of each call');
      for (const { status, outcome, code, provider } of linesOf(app)) {
        const expected = [200, 'broken', 'upstream_invalid_response', 'killed'];
        assert.deepEqual([status, outcome, code, provider], expected);
      }
      assert.match(app.services.metrics.registry.expose(), /\{status="200",outcome="broken"\} 100\n/);
      // The clients are still connected.
      await expectNothingHeld(app.services);
      assert.equal(other.received.length, 0, 'no stream went on elsewhere');

      for (const client of clients) ask(client, false);
      for (const client of clients) {
        const [, next] = await client.answers(2);
        assert.deepEqual([next?.status, next?.headers.get('x-ipin-provider')], [200, 'other']);
      }
      await until(() => linesOf(app).length === 2 * STREAMS, 'a line of each call');
      assert.equal(linesOf(app).filter(({ outcome }) => outcome === 'ok').length, STREAMS);
    });
  }
});
