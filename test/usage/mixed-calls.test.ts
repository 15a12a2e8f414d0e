import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import { newModel } from '../../src/store/new-records.ts';
import { costOf } from '../../src/usage/prices.ts';
import { NO_USAGE } from '../../src/usage/usage.ts';
import { type Answer, startUpstream } from '../helpers/fake-upstream.ts';
import { createRandom } from '../helpers/fuzz-random.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const CALLS = process.env['IPIN_LONG'] === '1' ? 10_000 : 1_500;
const AT_ONCE = 16;
/** Where the days of five time zones begin, in minutes east of UTC. */
const ZONES = [0, -480, 330, 765, -210];
const PRICE = {
  inputPerMTok: 0.15,
  outputPerMTok: 0.6,
  cachedInputPerMTok: 0.0375,
  cacheWritePerMTok: null,
  perAudioMinute: 0.006,
  perImage: 0.04,
  perRequest: null,
  above: {
    inputTokens: 700,
    inputPerMTok: 0.3,
    outputPerMTok: 0.9,
    cachedInputPerMTok: null,
    cacheWritePerMTok: null,
  },
};

/** What the provider will say of one call. */
interface Truth {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
  readonly seconds: number;
  readonly images: number;
}

interface Sum {
  requests: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  audioMs: number;
  images: number;
  costNanoUsd: number;
}

type Kind =
  | 'chat'
  | 'stream'
  | 'responses'
  | 'completions'
  | 'embeddings'
  | 'rerank'
  | 'moderations'
  | 'images'
  | 'transcription'
  | 'ocr'
  | 'failing'
  | 'refused';
const KINDS: readonly [Kind, ...Kind[]] = [
  'chat',
  'stream',
  'responses',
  'completions',
  'embeddings',
  'rerank',
  'moderations',
  'images',
  'transcription',
  'ocr',
  'failing',
  'refused',
];

/** Answers as the prompt of a request says: `KIND prompt cached completion seconds images`. */
const answer: Answer = (_req, res, { body }) => {
  const asked = /@([a-z]+) (\d+) (\d+) (\d+) (\d+) (\d+)@/.exec(body.toString('latin1'));
  const [, kind = '', ...numbers] = asked ?? [];
  const [prompt = 0, cached = 0, completion = 0, seconds = 0, images = 0] = numbers.map(Number);
  const usage = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const send = (value: unknown, status = 200): void => {
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  const message = { role: 'assistant', content: 'Hi' };
  if (kind === 'failing') return send({ error: { message: 'no', type: 'server_error' } }, 500);
  if (kind === 'refused') return send({ error: { message: 'no', type: 'invalid_request_error' } }, 400);
  if (kind === 'stream') {
    const record = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = record({ choices: [{ index: 0, delta: { content: 'Hi' } }] });
    const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const isOnLast = prompt % 2 === 0;
    return void res.end(
      text.repeat(1 + (prompt % 7)) +
        record(isOnLast ? { ...last, usage } : last) +
        (isOnLast ? '' : record({ choices: [], usage })) +
        'data: [DONE]\n\n',
    );
  }
  if (kind === 'responses') {
    const details = { input_tokens_details: { cached_tokens: cached } };
    return send({ output: [], usage: { input_tokens: prompt, output_tokens: completion, ...details } });
  }
  if (kind === 'embeddings')
    return send({ data: [], usage: { prompt_tokens: prompt, total_tokens: prompt } });
  if (kind === 'rerank')
    return send({ results: [], meta: { tokens: { input_tokens: prompt, output_tokens: 0 } } });
  if (kind === 'moderations') return send({ results: [], usage: { total_tokens: prompt } });
  if (kind === 'images') return send({ data: Array.from({ length: images }, () => ({ url: 'x' })) });
  if (kind === 'transcription') return send({ text: 'a', usage: { type: 'duration', seconds } });
  return send({ choices: [{ index: 0, message, text: 'Hi', finish_reason: 'stop' }], usage });
};

const PATHS: Readonly<Record<Kind, string>> = {
  chat: 'chat/completions',
  stream: 'chat/completions',
  responses: 'responses',
  completions: 'completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
  moderations: 'moderations',
  images: 'images/generations',
  transcription: 'audio/transcriptions',
  ocr: 'ocr',
  failing: 'chat/completions',
  refused: 'chat/completions',
};

function call(app: AppUnderTest, kind: Kind, model: string, truth: Truth, key: string): Promise<Response> {
  const text = `@${kind} ${truth.prompt} ${truth.cached} ${truth.completion} ${truth.seconds} ${truth.images}@`;
  if (kind === 'transcription') {
    const form = new FormData();
    form.set('model', model);
    form.set('prompt', text);
    form.set('file', new Blob([Buffer.concat([Buffer.from('ID3'), Buffer.alloc(64)])]), 'a.mp3');
    return fetch(`${app.origin}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: form,
    });
  }
  const body =
    kind === 'ocr'
      ? { model, prompt: text, image_url: dataUrl('image/png', pictureOf('image/png')) }
      : kind === 'chat' || kind === 'stream' || kind === 'failing' || kind === 'refused'
        ? { model, stream: kind === 'stream', messages: [{ role: 'user', content: text }] }
        : { model, prompt: text, input: text, query: text, documents: ['a'] };
  return app.v1(`/v1/${PATHS[kind]}`, body, key);
}

/** What the books must say of a call. */
function expectedOf(
  kind: Kind,
  { prompt, cached, completion, seconds, images }: Truth,
): Omit<Sum, 'requests'> {
  const isFailed = kind === 'failing' || kind === 'refused';
  const hasAnswer = ['chat', 'stream', 'responses', 'completions', 'ocr'].includes(kind);
  const hasPrompt = hasAnswer || ['embeddings', 'rerank', 'moderations'].includes(kind);
  const usage = {
    ...NO_USAGE,
    promptTokens: hasPrompt ? prompt : null,
    cachedTokens: hasAnswer ? cached : null,
    completionTokens: hasPrompt ? (hasAnswer ? completion : 0) : null,
    audioSeconds: kind === 'transcription' ? seconds : null,
    images: kind === 'images' ? images : null,
  };
  return {
    promptTokens: usage.promptTokens ?? 0,
    cachedTokens: usage.cachedTokens ?? 0,
    completionTokens: usage.completionTokens ?? 0,
    audioMs: (usage.audioSeconds ?? 0) * 1_000,
    images: usage.images ?? 0,
    costNanoUsd: isFailed ? 0 : (costOf(PRICE, usage) ?? 0),
  };
}

function add(sum: Sum, more: Omit<Sum, 'requests'>): void {
  sum.requests += 1;
  sum.promptTokens += more.promptTokens;
  sum.cachedTokens += more.cachedTokens;
  sum.completionTokens += more.completionTokens;
  sum.audioMs += more.audioMs;
  sum.images += more.images;
  sum.costNanoUsd += more.costNanoUsd;
}

function noSum(): Sum {
  return {
    requests: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    audioMs: 0,
    images: 0,
    costNanoUsd: 0,
  };
}

/** A row of the API as a sum; money and audio are numbers with decimals there. */
function sumOf(row: Record<string, unknown>): Sum {
  const number = (name: string): number => Number(row[name] ?? 0);
  return {
    requests: number('requests'),
    promptTokens: number('promptTokens'),
    cachedTokens: number('cachedTokens'),
    completionTokens: number('completionTokens'),
    audioMs: Math.round(number('audioSeconds') * 1_000),
    images: number('images'),
    costNanoUsd: Math.round(number('costUsd') * 1e9),
  };
}

async function usageOf(
  app: AppUnderTest,
  query: string,
): Promise<{ rows: Record<string, unknown>[]; totals: Record<string, unknown> }> {
  const response = await app.admin('GET', `/api/admin/usage?${query}`);
  assert.equal(response.status, 200, query);
  const body: unknown = await response.json();
  assert.ok(isRecord(body) && Array.isArray(body['data']) && isRecord(body['totals']));
  return { rows: body['data'].filter(isRecord), totals: body['totals'] };
}

test(`usage equals what the provider said over ${CALLS} calls of all endpoints`, async (t) => {
  const random = createRandom(15);
  let nowMs = Date.UTC(2026, 1, 27, 20, 17);
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t, { now: () => nowMs, env: { LOG_LEVEL: 'silent' } });
  await app.addProvider({ id: 'up', baseUrl: `${upstream.origin}/v1` }, [
    { id: 'priced', price: PRICE, vision: true },
    {
      id: 'free',
      price: {
        ...PRICE,
        inputPerMTok: 0,
        outputPerMTok: 0,
        cachedInputPerMTok: 0,
        perAudioMinute: 0,
        perImage: 0,
        above: null,
      },
      vision: true,
    },
    newModel({ id: 'unpriced', providerId: 'up', vision: true }, ''),
  ]);
  const keys = await Promise.all(['one', 'two', 'three'].map((name) => app.addKey({ name })));
  const total = noSum();
  const byModel = new Map<string, Sum>();
  const byEndpoint = new Map<string, Sum>();
  const tally = (map: Map<string, Sum>, name: string, more: Omit<Sum, 'requests'>): void => {
    const sum = map.get(name) ?? noSum();
    add(sum, more);
    map.set(name, sum);
  };
  for (let done = 0; done < CALLS; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, CALLS - done) }, async () => {
        const kind = random.pick(KINDS);
        const model = random.pick(['priced', 'priced', 'free', 'unpriced']);
        const prompt = random.int(1_000);
        const truth = {
          prompt,
          cached: random.int(prompt + 1),
          completion: random.int(500),
          seconds: random.int(90) + random.pick([0, 0.5, 0.25]),
          images: 1 + random.int(4),
        };
        const whole = { ...truth, seconds: Math.floor(truth.seconds) };
        const response = await call(
          app,
          kind,
          model,
          whole,
          random.pick([keys[0] ?? '', keys[1] ?? '', keys[2] ?? '']),
        );
        await response.arrayBuffer();
        assert.equal(response.status, kind === 'failing' ? 500 : kind === 'refused' ? 400 : 200, kind);
        const expected = expectedOf(kind, whole);
        const counted = model === 'priced' ? expected : { ...expected, costNanoUsd: 0 };
        add(total, counted);
        tally(byModel, model, counted);
        tally(byEndpoint, PATHS[kind], counted);
      }),
    );
    nowMs += 1_000 * random.int(3_600);
  }
  const range = `from=2026-02-01T00:00:00Z&to=2027-02-01T00:00:00Z`;

  const { rows, totals } = await usageOf(app, range);
  assert.deepEqual(sumOf(totals), total);
  assert.equal(rows.length, 1);
  assert.equal(totals['estimatedRequests'], 0);
  for (const [groupBy, expected] of [
    ['model', byModel],
    ['endpoint', byEndpoint],
  ] as const) {
    const grouped = await usageOf(app, `${range}&groupBy=${groupBy}`);
    const found = Object.fromEntries(grouped.rows.map((row) => [row[groupBy], sumOf(row)]));
    assert.deepEqual(found, Object.fromEntries(expected), groupBy);
  }
  // What has no price is never shown as free.
  const models = await usageOf(app, `${range}&groupBy=model&outcome=ok`);
  const costOfModel = (id: string): unknown => models.rows.find((row) => row['model'] === id)?.['costUsd'];
  assert.equal(costOfModel('unpriced'), null);
  assert.equal(costOfModel('free'), 0);
  for (const bucket of ['hour', 'day']) {
    for (const tz of ZONES) {
      for (const groupBy of [
        '',
        'key',
        'user',
        'model',
        'provider',
        'endpoint',
        'outcome',
        'model,outcome',
        'key,endpoint',
      ]) {
        const found = await usageOf(
          app,
          `${range}&bucket=${bucket}&tz=${tz}${groupBy && `&groupBy=${groupBy}`}`,
        );
        const sum = noSum();
        for (const row of found.rows) {
          const { requests, ...more } = sumOf(row);
          add(sum, more);
          sum.requests += requests - 1;
        }
        assert.deepEqual(sum, total, `${bucket} ${tz} ${groupBy}`);
        assert.deepEqual(sumOf(found.totals), total, `${bucket} ${tz} ${groupBy}`);
      }
    }
  }
});
