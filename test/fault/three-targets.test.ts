import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { keptClient, shareWork } from '../helpers/kept-client.ts';
import { ownPort } from '../helpers/own-port.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const AT_ONCE = 32;
/** The test's time that passes in all: shorter than the five minutes for which attempts are counted. */
const TOTAL_MS = 100_000;
const RETRY_AFTER_MS = 1_000;
/** A dead target rests after so many faults. */
const FAULTS = 3;
/** Its rests. The next one ends after the test. */
const RESTS_MS = [5_000, 10_000, 20_000, 40_000];

const MESSAGES = [{ role: 'user', content: 'What is the difference between a process and a thread?' }];

/** A call as its client saw it. Times are those of the test's clock. */
interface Seen {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly attempts: number;
}

interface Setting {
  readonly app: AppUnderTest;
  readonly clock: { nowMs: number };
  /** How often each call reached an upstream, by the call's id. */
  readonly reached: Readonly<Record<'dead' | 'busy' | 'good', Map<string, number>>>;
  /** The requests that reached the busy upstream, with the time of the test's clock. */
  readonly busy: { readonly id: string; readonly atMs: number }[];
}

/** An answer that names the call. */
function wholeText(id: string): string {
  return JSON.stringify({ ...CHAT_ANSWER, id });
}

function recordsOf(id: string): string[] {
  const record = (delta: object, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const words = ['Hello', ' world', '!'].map((content) => record({ content }, null));
  return [record({ role: 'assistant', content: '' }, null), ...words, record({}, 'stop'), 'data: [DONE]\n\n'];
}

const whole = (id: string): Answer => json(wholeText(id));

/** One record per turn of the event loop. */
const streamed =
  (id: string): Answer =>
  (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const [...records] = recordsOf(id);
    const send = (): void => {
      const next = records.shift();
      if (next === undefined) return void res.end();
      res.write(next);
      setImmediate(send);
    };
    send();
  };

function idIn(body: Buffer): string {
  return (JSON.parse(body.toString()) as { user: string }).user;
}

function count(counts: Map<string, number>, body: Buffer): string {
  const id = idIn(body);
  counts.set(id, (counts.get(id) ?? 0) + 1);
  return id;
}

/** The address of a provider that cuts every connection, or that does not even listen. */
async function startDead(
  t: TestContext,
  how: 'resets' | 'refuses',
  reached: Map<string, number>,
): Promise<string> {
  if (how === 'refuses') return `http://127.0.0.1:${await ownPort(t)}`;
  const upstream = await startRawUpstream(t, (socket, _index, { body }) => {
    count(reached, body);
    socket.resetAndDestroy();
  });
  return upstream.origin;
}

/** A model `m` with three targets, asked in this order: a dead one, a busy one, a good one. */
async function start(
  t: TestContext,
  how: 'resets' | 'refuses',
  answer: (id: string) => Answer,
): Promise<Setting> {
  const clock = { nowMs: Date.UTC(2030, 0, 1) };
  const reached = {
    dead: new Map<string, number>(),
    busy: new Map<string, number>(),
    good: new Map<string, number>(),
  };
  const asked: Setting['busy'] = [];
  const refusal = json({ error: { message: 'too much' } }, 503, {
    'retry-after': String(RETRY_AFTER_MS / 1000),
  });
  const busy = await startUpstream(t, (req, res, request) => {
    asked.push({ id: count(reached.busy, request.body), atMs: clock.nowMs });
    refusal(req, res, request);
  });
  const good = await startUpstream(t, (req, res, request) => {
    answer(count(reached.good, request.body))(req, res, request);
  });
  const app = await startApp(t, {
    now: () => clock.nowMs,
    env: { UPSTREAM_RETRIES: '2', LOG_LEVEL: 'warn' },
  });
  await app.addProvider({ id: 'busy', baseUrl: busy.origin }, []);
  await app.addProvider({ id: 'good', baseUrl: good.origin }, []);
  const fallbacks = ['busy', 'good'].map((providerId) => ({
    providerId,
    upstreamModel: null,
    weight: null,
    price: null,
  }));
  await app.addProvider({ id: 'dead', baseUrl: await startDead(t, how, reached.dead) }, [
    { id: 'm', fallbacks },
  ]);
  return { app, clock, reached, busy: asked };
}

/** Makes the calls, and lets the clock go on by the same time after each. Every one must be answered well. */
async function callAll(
  t: TestContext,
  { app, clock }: Setting,
  { calls, body, textFor }: { calls: number; body: object; textFor: (id: string) => string },
): Promise<Map<string, Seen>> {
  const clients = Array.from({ length: AT_ONCE }, () => keptClient(t, app.port));
  const seen = new Map<string, Seen>();
  await shareWork(clients, calls, async (index, client) => {
    const id = `call-${index}`;
    const sentAtMs = clock.nowMs;
    const { status, headers, body: answer } = await client.post('chat/completions', { ...body, user: id });
    assert.equal(answer.toString(), textFor(id));
    assert.deepEqual([status, headers.get('x-ipin-provider')], [200, 'good']);
    seen.set(id, { sentAtMs, answeredAtMs: clock.nowMs, attempts: Number(headers.get('x-ipin-attempts')) });
    clock.nowMs += TOTAL_MS / calls;
  });
  assert.ok(clients.every((client) => client.isOpen()));
  return seen;
}

/** The calls that asked the dead target, in their order: all attempts that went nowhere else. */
function askedDead(seen: ReadonlyMap<string, Seen>, { reached }: Setting): Seen[] {
  return [...seen]
    .filter(([id, { attempts }]) => attempts > 1 + (reached.busy.get(id) ?? 0))
    .map(([, call]) => call)
    .sort((a, b) => a.sentAtMs - b.sentAtMs);
}

/** Asked by its first failures and what ran beside them, then by one probe after each rest. */
function assertDeadRested(seen: ReadonlyMap<string, Seen>, setting: Setting, startedAtMs: number): void {
  const asked = askedDead(seen, setting);
  const first = asked.slice(0, -RESTS_MS.length);
  assert.ok(
    first.length >= FAULTS && first.length < FAULTS + AT_ONCE,
    `${first.length} before the first rest`,
  );
  assert.ok(first.every(({ sentAtMs }) => sentAtMs - startedAtMs < 1_000));
  const probes = asked.slice(-RESTS_MS.length);
  for (const [index, { answeredAtMs }] of probes.entries()) {
    const before = probes[index - 1]?.sentAtMs ?? startedAtMs;
    assert.ok(answeredAtMs - before >= (RESTS_MS[index] ?? 0), `probe ${index + 1} came too early`);
  }
  const provider = setting.app.services.store.config.view().providers.get('dead');
  assert.ok(provider);
  assert.equal(setting.app.services.health.ofProvider(provider).requests5m, asked.length);
}

/** Asked by the calls that ran at the beginning, then by one probe after each rest that it asked for. */
function assertBusyRested(seen: ReadonlyMap<string, Seen>, { busy }: Setting, startedAtMs: number): void {
  const later = busy.filter(({ id }) => seen.get(id)?.sentAtMs !== startedAtMs);
  assert.ok(busy.length - later.length <= AT_ONCE);
  for (const [index, { atMs }] of later.entries()) {
    assert.ok(
      atMs - (later[index - 1]?.atMs ?? startedAtMs) >= RETRY_AFTER_MS,
      `probe ${index + 1} came too early`,
    );
  }
  assert.ok(later.length > TOTAL_MS / RETRY_AFTER_MS / 5, `${later.length} probes`);
}

const CASES = [
  {
    what: '10,000 calls past a provider that cuts every connection',
    how: 'resets',
    calls: 10_000,
    stream: false,
  },
  { what: '1,000 streams past a provider that does not listen', how: 'refuses', calls: 1_000, stream: true },
] as const;

describe('a dead, a busy and a good target', { timeout: 120_000 }, () => {
  for (const { what, how, calls, stream } of CASES) {
    test(`${what}: no client notices, and both are left alone`, async (t) => {
      const setting = await start(t, how, stream ? streamed : whole);
      const startedAtMs = setting.clock.nowMs;
      const textFor = stream ? (id: string) => recordsOf(id).join('') : wholeText;
      const seen = await callAll(t, setting, {
        calls,
        body: { model: 'm', stream, messages: MESSAGES },
        textFor,
      });
      for (const [name, counts] of Object.entries(setting.reached)) {
        assert.ok(
          [...counts.values()].every((times) => times === 1),
          `${name} was asked twice by one call`,
        );
      }
      assert.deepEqual(new Set(setting.reached.good.keys()), new Set(seen.keys()));
      assertDeadRested(seen, setting, startedAtMs);
      assertBusyRested(seen, setting, startedAtMs);
    });
  }
});
