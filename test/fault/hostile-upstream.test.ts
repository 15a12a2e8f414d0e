import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { BEHAVIOURS, CHAT, REFUSES, STREAM, startHostileUpstream } from '../helpers/hostile-upstream.ts';
import { headOf } from '../helpers/raw-post.ts';
import { type RawAnswer, rawClient } from '../helpers/raw-socket.ts';
import { type RawUpstream, startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';
import { type Expected, type Kind, ROWS } from './hostile-rows.ts';

const OPTIONS = { timeout: 120_000, concurrency: 16 };

/** A behaviour as a request for JSON or for a stream meets it. */
interface Case {
  readonly title: string;
  readonly behaviour: string;
  readonly isStream: boolean;
  readonly expected: Expected;
  /** The model whose first target behaves so. */
  readonly modelId: string;
}

const CASES: readonly Case[] = ROWS.flatMap(({ name, json, stream }, index) => {
  const ways = json === null ? [] : [{ way: 'JSON', isStream: false, expected: json }];
  return [...ways, { way: 'stream', isStream: true, expected: stream }].map(({ way, ...rest }) => ({
    ...rest,
    title: `${name} (${way})`,
    behaviour: name,
    modelId: `${way.toLowerCase()}-${index}`,
  }));
});

/** How many attempts a single target gets when two more than the first are allowed. */
const ATTEMPTS: Readonly<Partial<Record<Kind, number>>> = {
  answer: 1,
  broken: 1,
  caller: 1,
  not_here: 1,
  key: 1,
  busy: 3,
  fault: 3,
  may_have_run: 1,
};
/** After these, no other provider is asked. */
const FINAL: readonly Kind[] = ['answer', 'broken', 'caller'];

/** Runs a test for each case, on one server for JSON and one for streams: metrics name a limited number of providers. */
async function forEachCase(
  t: TestContext,
  retries: number,
  run: (t: TestContext, one: Case, app: AppUnderTest) => Promise<void>,
): Promise<void> {
  const env = { UPSTREAM_RETRIES: String(retries) };
  const apps = { json: await startApp(t, { env }), stream: await startApp(t, { env }) };
  const appOf = ({ isStream }: Case) => (isStream ? apps.stream : apps.json);
  await Promise.all(CASES.map((one) => t.test(one.title, (own) => run(own, one, appOf(one)))));
  for (const { logs } of Object.values(apps))
    assert.ok(!logs.some((line) => line.includes('internal error')));
}

/** Adds the provider of a case with its model; returns what counts its requests. */
async function addHostile(
  t: TestContext,
  { app, one, fallback }: { app: AppUnderTest; one: Case; fallback?: string },
): Promise<() => number> {
  const { origin, options, requests } = await startHostileUpstream(t, one.behaviour);
  const fallbacks =
    fallback === undefined ? [] : [{ providerId: fallback, upstreamModel: null, weight: null, price: null }];
  await app.addProvider({ id: `up-${one.modelId}`, baseUrl: origin, apiKey: 'provider-secret', options }, [
    { id: one.modelId, fallbacks },
  ]);
  return requests;
}

/** Beside the headers of all answers, the answer to a call may have these. */
const CALL_HEADERS =
  /^(content-(type|length|encoding)|transfer-encoding|cache-control|x-accel-buffering|x-ipin-(provider|attempts)|retry-after(-ms)?|x-should-retry)$/;

function bodyFor({ modelId, isStream }: Case): string {
  return JSON.stringify({ model: modelId, stream: isStream, messages: [{ role: 'user', content: 'Hello' }] });
}

/** The answer as it stands on the wire, without headers that all answers have; after it, the connection must still work. */
async function ask(t: TestContext, port: number, one: Case): Promise<RawAnswer> {
  const client = rawClient(t, port);
  const body = bodyFor(one);
  client.write(headOf('chat/completions', 'application/json', `Content-Length: ${body.length}`) + body);
  await client.answers(1);
  client.write('GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer, next] = await client.answers(2);
  assert.ok(answer && next);
  assert.equal(next.status, 401);
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_[\da-f]{32}$/);
  const own = [...answer.headers].filter(([name]) => !next.headers.has(name) || CALL_HEADERS.test(name));
  return { ...answer, headers: new Map(own) };
}

function checkAnswer(answer: RawAnswer, expected: Expected, isStream: boolean): void {
  const { status, headers, body } = answer;
  const text = body.toString();
  const label = `${status} ${text.slice(0, 500)}`;
  assert.equal(status, expected.status, label);
  for (const name of headers.keys()) assert.match(name, CALL_HEADERS);
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    assert.equal(headers.get(name) ?? null, value, name);
  assert.equal(headers.get('x-should-retry') ?? null, expected.headers?.['x-should-retry'] ?? null);
  const hasStream = isStream && status === 200;
  assert.equal(headers.get('content-type'), hasStream ? 'text/event-stream' : 'application/json');
  assert.ok(!text.includes('provider-secret'), label);
  if (expected.kind === 'answer') assert.deepEqual(text, Buffer.from(expected.body ?? '').toString());
  else if (expected.kind === 'broken') checkBroken(text, expected);
  else checkError(text, expected.error ?? {});
}

function checkBroken(text: string, { body = '', error = {} }: Expected): void {
  assert.ok(text.startsWith(body.toString()), text.slice(-500));
  const [, rest = ''] = /^data: (\{.*\})\n\n$/.exec(text.slice(body.length)) ?? [];
  checkError(rest, error);
}

function checkError(text: string, { message, ...expected }: Readonly<Record<string, unknown>>): void {
  const { error } = JSON.parse(text) as { error: Record<string, unknown> };
  const own = error['message'];
  if (message === undefined)
    assert.match(String(own), /^The (?!.*(undefined|\bat \w+ \()).*provider .{10,}$/);
  assert.equal(text, JSON.stringify({ error: { ...error } }), 'nothing but the error');
  assert.deepEqual(error, { ...expected, message: message ?? own });
}

test('every behaviour has a row', () => {
  assert.deepEqual(ROWS.map(({ name }) => name).toSorted(), [REFUSES, ...BEHAVIOURS.keys()].toSorted());
  assert.ok(ROWS.length > 100);
});

test('one attempt: what the client sees', OPTIONS, async (t) => {
  await forEachCase(t, 0, async (own, one, app) => {
    const requests = await addHostile(t, { app, one });
    const answer = await ask(own, app.port, one);
    checkAnswer(answer, one.expected, one.isStream);
    assert.equal(answer.headers.get('x-ipin-provider'), `up-${one.modelId}`);
    assert.equal(answer.headers.get('x-ipin-attempts'), '1');
    assert.equal(requests(), one.expected.requestsEach ?? 1);
  });
});

test('two more attempts at the same provider: only where that is safe', OPTIONS, async (t) => {
  await forEachCase(t, 2, async (own, one, app) => {
    const { kind, requests: exactly, requestsEach = 1 } = one.expected;
    const requests = await addHostile(t, { app, one });
    const answer = await ask(own, app.port, one);
    checkAnswer(answer, one.expected, one.isStream);
    const attempts = Number(answer.headers.get('x-ipin-attempts'));
    if (kind === 'fault or may_have_run') assert.ok(attempts === 1 || attempts === 3, String(attempts));
    else assert.equal(attempts, exactly ?? ATTEMPTS[kind]);
    assert.equal(requests(), attempts * requestsEach);
    const result = kind === 'answer' || kind === 'broken' ? 'ok' : kind.replaceAll(' or ', '|');
    const counted = new RegExp(
      `^ipin_attempts_total\\{provider="up-${one.modelId}",result="(${result})"\\} ${attempts}$`,
      'm',
    );
    const { registry } = app.services.metrics;
    await until(() => counted.test(registry.expose()), String(counted));
  });
});

/** A provider that answers well, and how many requests for a model it got. */
async function startGood(
  t: TestContext,
): Promise<{ upstream: RawUpstream; requestsFor: (modelId: string) => number }> {
  const upstream = await startRawUpstream(t, (socket, _index, { body }) => {
    const [type, text] = body.includes('"stream":true')
      ? ['text/event-stream', STREAM]
      : ['application/json', CHAT];
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const requestsFor = (modelId: string): number =>
    upstream.requests.filter(({ body }) => body.includes(`"model":"${modelId}"`)).length;
  return { upstream, requestsFor };
}

test('a fallback: answers wherever it may', OPTIONS, async (t) => {
  const good = await startGood(t);
  const added = new WeakSet<AppUnderTest>();
  await forEachCase(t, 2, async (own, one, app) => {
    if (!added.has(app)) {
      added.add(app);
      await app.addProvider({ id: 'good', baseUrl: good.upstream.origin }, []);
    }
    const requests = await addHostile(t, { app, one, fallback: 'good' });
    const answer = await ask(own, app.port, one);
    const isFinal = FINAL.includes(one.expected.kind);
    const text = one.isStream ? STREAM : CHAT;
    checkAnswer(answer, isFinal ? one.expected : { kind: 'answer', status: 200, body: text }, one.isStream);
    assert.equal(answer.headers.get('x-ipin-provider'), isFinal ? `up-${one.modelId}` : 'good');
    assert.equal(answer.headers.get('x-ipin-attempts'), isFinal ? '1' : '2');
    assert.deepEqual(
      [requests(), good.requestsFor(one.modelId)],
      [one.expected.requestsEach ?? 1, isFinal ? 0 : 1],
    );
  });
});

/** Asks through the `openai` package; gives the text that came, and the error. */
async function askOpenai(app: AppUnderTest, one: Case): Promise<{ text: string; error: unknown }> {
  const client = new OpenAI({ apiKey: MASTER_KEY, baseURL: `${app.origin}/v1`, maxRetries: 0 });
  const request = { model: one.modelId, messages: [{ role: 'user' as const, content: 'Hello' }] };
  let text = '';
  try {
    if (one.isStream) {
      const chunks = await client.chat.completions.create({ ...request, stream: true });
      for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
    } else {
      const { choices } = await client.chat.completions.create(request);
      text = choices[0]?.message.content ?? '';
    }
  } catch (error) {
    return { text, error };
  }
  return { text, error: null };
}

/** The text in the bytes of an answer. */
function contentIn(body: string | Buffer): string {
  return [...body.toString().matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content).join('');
}

test('the openai package: gets the text, or an error with its status and code', OPTIONS, async (t) => {
  await forEachCase(t, 0, async (_own, one, app) => {
    await addHostile(t, { app, one });
    const { kind, status, error: expected = {}, headers = {}, body = '' } = one.expected;
    const { text, error } = await askOpenai(app, one);
    const isPacked = headers['content-encoding'] === 'gzip';
    assert.equal(text, isPacked ? 'Hi' : contentIn(body));
    if (kind === 'answer') return assert.equal(error, null);
    assert.ok(error instanceof OpenAI.APIError, String(error));
    if (kind !== 'broken') assert.equal(error.status, status);
    assert.deepEqual(
      [error.code, error.type, error.param],
      ['code', 'type', 'param'].map((name) => expected[name]),
    );
  });
});
