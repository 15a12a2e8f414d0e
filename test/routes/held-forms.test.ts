import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Cancellation } from '../../src/cancellation.ts';
import { ENDPOINTS } from '../../src/gateway/endpoints.ts';
import { piecesOf } from '../../src/http/body-source.ts';
import { MultipartReader } from '../../src/http/multipart.ts';
import { parseBoundary } from '../../src/http/multipart-headers.ts';
import { InflightBudget } from '../../src/inflight-budget.ts';
import { type FormKind, IMAGE_FORM, speechForm } from '../../src/protocols/form-kinds.ts';
import type { AdapterCall, FormCallBody } from '../../src/providers/adapter.ts';
import { compileProvider } from '../../src/providers/compile.ts';
import { createUpstreams } from '../../src/providers/upstream.ts';
import { FormParts } from '../../src/routes/v1/form-parts.ts';
import { collect } from '../helpers/chunks.ts';
import { type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { sentParts } from '../helpers/form.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { curlForm, type FormPart, pictureOf } from '../helpers/pictures.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { makeProvider } from '../helpers/records.ts';
import {
  CHUTES_ANSWER,
  fileOf,
  nextArrival,
  postAudio,
  SPEECH_KEYS,
  speechOf,
  startSpeech,
} from '../helpers/speech-server.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const SPEECH = speechOf(1_300_007);
const FILE = fileOf(SPEECH);
const MODEL: FormPart = ['model', 'whisper'];
const PROMPT: FormPart = ['prompt', 'Grüße,\r\n"Welt"'];
const LANGUAGE: FormPart = ['language', 'de'];

interface ReadForm {
  readonly body: FormCallBody;
  readonly form: FormParts;
  readonly budget: InflightBudget;
}

/** Reads a form as far as it is read before the first attempt. */
async function readForm(parts: readonly FormPart[], kind: FormKind): Promise<ReadForm> {
  const { body, contentType } = curlForm(parts);
  async function* chunks() {
    for (let at = 0; at < body.length; at += 60_001) yield body.subarray(at, at + 60_001);
  }
  const fields = kind.openFields();
  const budget = new InflightBudget(16 * MEBIBYTE);
  const reader = new MultipartReader(chunks(), parseBoundary(contentType), { fileFields: kind.fileFields });
  const form = new FormParts(reader, {
    kind,
    fields,
    checkName: null,
    lease: budget.open('test'),
    onFile: () => {},
  });
  await form.readModel(false);
  const isHeld = await form.holdRest();
  return {
    body: { kind: 'form', isHeld, parts: () => (isHeld ? form.held() : form.all()), fields },
    form,
    budget,
  };
}

interface Attempts {
  readonly upstream: FakeUpstream;
  /** Builds a request with the form and sends it. */
  attempt(body: FormCallBody): Promise<number>;
}

async function startAttempts(
  t: TestContext,
  type: 'openai' | 'chutes',
  { readBodies = true } = {},
): Promise<Attempts> {
  const answer = json(type === 'chutes' ? CHUTES_ANSWER : { text: 'Hello' });
  const upstream = await startUpstream(t, answer, { readBodies });
  const upstreams = createUpstreams();
  const record = makeProvider({ id: 'up', baseUrl: `${upstream.origin}/v1`, type });
  const timeouts = { connectTimeoutMs: 10_000, headersTimeoutMs: 10_000, idleTimeoutMs: 10_000 };
  const provider = compileProvider(record, { timeouts, blockPrivate: false });
  const endpoint = ENDPOINTS.find(({ path }) => path === 'audio/transcriptions');
  assert.ok(endpoint !== undefined);
  const target = { provider, key: null, upstreamModel: 'vendor/whisper-1' };
  return {
    upstream,
    async attempt(body) {
      const asked = {
        endpoint,
        modelId: 'whisper',
        options: {},
        method: 'POST' as const,
        query: '',
        headers: [],
        hops: 1,
      };
      const call: AdapterCall = { ...asked, body };
      const request = provider.adapter.buildRequest(call, target, provider.quirks);
      const response = await upstreams.send(request, { signal: new Cancellation(), consumer: 'test' });
      await collect(piecesOf(response.body));
      return response.status;
    },
  };
}

describe('a form whose file comes before its model', { timeout: 30_000 }, () => {
  const parts = [LANGUAGE, FILE, MODEL, PROMPT, ['temperature', '0.20']] as const;
  const expected = parts.map(([name, content, file]) => ({
    name,
    fileName: file?.name ?? null,
    type: file?.type ?? null,
    content: Buffer.from(name === 'model' ? 'vendor/whisper-1' : content),
  }));

  test('is held whole, and sent as often as it is asked for, the same each time', async (t) => {
    const { upstream, attempt } = await startAttempts(t, 'openai');
    const { body, budget } = await readForm(parts, speechForm('transcribe'));
    assert.equal(body.isHeld, true);
    const heldBytes = budget.usedBytes;
    assert.ok(heldBytes >= SPEECH.length && heldBytes < SPEECH.length + 128 * 1024);
    for (let count = 0; count < 3; count += 1) assert.equal(await attempt(body), 200);
    for (const request of upstream.received) assert.deepEqual(sentParts(request), expected);
    const boundaries = upstream.received.map((request) => request.headers['content-type']);
    assert.equal(new Set(boundaries).size, 3);
    assert.equal(budget.usedBytes, heldBytes);
  });

  test('is sent to Chutes as often as it is asked for, the same each time', async (t) => {
    const { upstream, attempt } = await startAttempts(t, 'chutes');
    const { body } = await readForm(parts, speechForm('translate'));
    for (let count = 0; count < 2; count += 1) assert.equal(await attempt(body), 200);
    const wanted = `{"audio_b64":"${SPEECH.toString('base64')}","language":"en"}`;
    assert.deepEqual(
      upstream.received.map((request) => request.body.toString() === wanted),
      [true, true],
    );
  });

  test('is sent again after an attempt that broke off in the middle', async (t) => {
    const { upstream, attempt } = await startAttempts(t, 'openai');
    const { body } = await readForm(parts, speechForm('transcribe'));
    const breaking = await startAttempts(t, 'openai', { readBodies: false });
    breaking.upstream.answer = (req) => void req.once('data', () => req.socket.destroy());
    await assert.rejects(breaking.attempt(body));
    assert.equal(await attempt(body), 200);
    assert.deepEqual(sentParts(upstream.received[0]), expected);
  });

  test('is not held where another file follows the model: it is read once', async (t) => {
    const { upstream, attempt } = await startAttempts(t, 'openai');
    const picture = (name: string): FormPart => [
      name,
      pictureOf('image/png', 300_000),
      { name: `${name}.png`, type: 'image/png' },
    ];
    const { body } = await readForm([picture('image'), MODEL, PROMPT, picture('mask')], IMAGE_FORM);
    assert.equal(body.isHeld, false);
    assert.equal(await attempt(body), 200);
    assert.deepEqual(
      sentParts(upstream.received[0]).map(({ name, content }) => [name, content.length]),
      [
        ['image', 300_000],
        ['model', 16],
        ['prompt', Buffer.byteLength(PROMPT[1])],
        ['mask', 300_000],
      ],
    );
    await assert.rejects(attempt(body), /read before/);
  });

  test('is refused before an attempt for what is wrong behind the model', async (t) => {
    const { app, upstream, chutes } = await startSpeech(t);
    for (const [rest, status, code, param] of [
      [['temperature', 'warm'], 400, 'invalid_value', 'temperature'],
      [['timestamp_granularities[]', 'word'], 400, 'invalid_value', 'timestamp_granularities'],
      [['model', 'other'], 400, 'invalid_body', 'model'],
      [['prompt', 'x'.repeat(MEBIBYTE + 1)], 413, 'request_too_large', 'prompt'],
    ] as const) {
      for (const model of ['whisper', 'chutes-whisper']) {
        const error = await errorOf(status, await postAudio(app, [FILE, ['model', model], rest]));
        assert.deepEqual([error.code, error.param], [code, param]);
      }
    }
    assert.deepEqual([upstream.received, chutes.received], [[], []]);
  });

  test('is sent only when it is whole, and by the rights that its sender has then', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const { key, id } = (await expectStatus(
      201,
      await app.admin('POST', '/api/admin/apikeys', { name: 'theirs' }),
    )) as { key: string; id: string };
    const { client, rest } = sendBut(t, app, [FILE, MODEL, PROMPT], key);
    await expectStatus(200, await postAudio(app, [FILE, MODEL, PROMPT]));
    assert.equal(upstream.received.length, 1);
    await expectStatus(200, await app.admin('PUT', `/api/admin/apikeys/${id}`, { models: ['whisper-1'] }));
    client.write(rest);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 403);
    assert.match(String(answer?.body), /"code":"model_not_allowed"/);
    assert.equal(upstream.received.length, 1);
  });
});

/** Sends a form but for its last bytes. */
function sendBut(
  t: TestContext,
  app: AppUnderTest,
  parts: readonly FormPart[],
  key: string,
): { client: ReturnType<typeof rawClient>; rest: Buffer } {
  const { contentType, body } = curlForm(parts);
  const client = rawClient(t, app.port);
  client.write(
    `POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
      `Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  client.write(body.subarray(0, -10));
  return { client, rest: body.subarray(-10) };
}

describe('a form whose model comes before its file', { timeout: 30_000 }, () => {
  test('is not held, and can be read once', async (t) => {
    for (const type of ['openai', 'chutes'] as const) {
      const { upstream, attempt } = await startAttempts(t, type);
      const { body, budget } = await readForm([MODEL, PROMPT, FILE, LANGUAGE], speechForm('transcribe'));
      assert.equal(body.isHeld, false);
      assert.equal(await attempt(body), 200);
      assert.ok(budget.usedBytes < 10_000);
      await assert.rejects(attempt(body), /read before/);
      assert.equal(upstream.received.length, 1);
    }
  });

  test('passes while it arrives, each time on a new connection', async (t) => {
    const { app, upstream } = await startSpeech(t, { readBodies: false });
    const ports: (number | undefined)[] = [];
    const answer: FakeUpstream['answer'] = (req, res) => {
      ports.push(req.socket.remotePort);
      req.resume().on('end', () => res.end('{"text":"Hello"}'));
    };
    upstream.answer = answer;
    const chat = (): Promise<Response> => app.v1('audio/speech', { model: 'whisper', input: 'x' });
    for (let count = 0; count < 2; count += 1) {
      await expectStatus(200, await chat());
      await expectStatus(200, await postAudio(app, [MODEL, FILE]));
    }
    const [first, second, third, fourth] = ports;
    assert.equal(third, first);
    assert.equal(new Set([first, second, fourth]).size, 3);

    const coming = nextArrival(upstream);
    const { client, rest } = sendBut(t, app, [MODEL, FILE], MASTER_KEY);
    const arrival = await coming;
    await arrival.atLeast(MEBIBYTE);
    assert.equal(arrival.req.headers.connection, 'close');
    assert.equal(arrival.req.headers.authorization, `Bearer ${SPEECH_KEYS.up}`);
    upstream.answer = answer;
    client.write(rest);
    await arrival.atLeast(SPEECH.length);
    client.socket.destroy();
    await arrival.closed;
  });
});
