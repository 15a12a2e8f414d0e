import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { startProcessMetrics } from '../../src/metrics/process-metrics.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { makeAttempt, makeEntry, makeUsage } from '../helpers/entries.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { type ReadSample, readScrape, sampleValue } from './text-format.ts';

async function scrape(app: AppUnderTest): Promise<{ text: string; samples: ReadSample[] }> {
  const answer = await fetch(`${app.origin}/metrics`, { headers: { authorization: `Bearer ${MASTER_KEY}` } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await answer.text();
  return { text, samples: readScrape(text) };
}

/** A server with the model `m`, a provider whose id needs escapes nowhere, and process metrics. */
async function start(t: TestContext): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: 'http://127.0.0.1:9' }, [{ id: 'm' }, { id: 'free-*' }]);
  t.after(startProcessMetrics(app.services.metrics.registry));
  return app;
}

test('calls are counted by endpoint, model, provider and outcome, with times, tokens and cost', async (t) => {
  const app = await start(t);
  const { metrics } = app.services;
  metrics.countCall(makeEntry({ id: 'req_1', ms: 60, ttftMs: 50 }));
  metrics.countCall(makeEntry({ id: 'req_2', ms: 700_000, ttftMs: null }));
  metrics.countCall(
    makeEntry({
      id: 'req_3',
      outcome: 'limited',
      code: 'rate_limit_exceeded',
      providerId: null,
      attempts: [],
      usage: null,
      costNanoUsd: null,
    }),
  );
  metrics.countCall(
    makeEntry({
      id: 'req_4',
      endpoint: 'vector_stores/vs_1/search',
      modelId: null,
      usage: makeUsage({ promptTokens: null, completionTokens: 5, cachedTokens: null }),
      costNanoUsd: null,
    }),
  );
  metrics.countCall(makeEntry({ id: 'req_5', modelId: 'free-1', outcome: 'broken' }));
  metrics.countCall(makeEntry({ id: 'req_6', modelId: 'free-2', outcome: 'broken' }));
  const { samples } = await scrape(app);
  const at = { endpoint: 'embeddings', model: 'm', provider: 'up' };
  const expected: readonly (readonly [string, Record<string, string>, number | undefined])[] = [
    ['ipin_calls_total', { ...at, outcome: 'ok' }, 2],
    ['ipin_calls_total', { ...at, provider: '', outcome: 'limited' }, 1],
    ['ipin_calls_total', { ...at, model: 'free-*', outcome: 'broken' }, 2],
    ['ipin_calls_total', { endpoint: 'other', model: '', provider: 'up', outcome: 'ok' }, 1],
    ['ipin_limited_calls_total', { code: 'rate_limit_exceeded' }, 1],
    ['ipin_tokens_total', { model: 'm', kind: 'prompt' }, 22],
    ['ipin_tokens_total', { model: 'm', kind: 'cached' }, 6],
    ['ipin_tokens_total', { model: '', kind: 'completion' }, 5],
    ['ipin_tokens_total', { kind: 'reasoning' }, undefined],
    ['ipin_cost_usd_total', { model: 'm', provider: 'up' }, 0.003],
    ['ipin_unpriced_calls_total', { model: '', provider: 'up' }, 1],
    ['ipin_call_duration_seconds_bucket', { endpoint: 'embeddings', le: '0.05' }, 0],
    ['ipin_call_duration_seconds_bucket', { endpoint: 'embeddings', le: '0.1' }, 3],
    ['ipin_call_duration_seconds_bucket', { endpoint: 'embeddings', le: '600' }, 3],
    ['ipin_call_duration_seconds_bucket', { endpoint: 'embeddings', le: '+Inf' }, 4],
    ['ipin_call_duration_seconds_sum', { endpoint: 'embeddings' }, 700.18],
    ['ipin_call_first_byte_seconds_bucket', { endpoint: 'embeddings', le: '0.05' }, 3],
    ['ipin_call_first_byte_seconds_count', { endpoint: 'embeddings' }, 3],
  ];
  for (const [name, labels, value] of expected)
    assert.equal(sampleValue(samples, name, labels), value, `${name} ${JSON.stringify(labels)}`);
});

test('no client makes a scrape grow: names of models, paths, entries that are no calls', async (t) => {
  const app = await start(t);
  const { metrics } = app.services;
  metrics.countCall(makeEntry({ id: 'req_0' }));
  const before = (await scrape(app)).samples.length;
  for (let number = 0; number < 10_000; number++) {
    const fields = { id: `req_${number}`, modelId: `bad-${number}`, endpoint: `files/${number}` };
    metrics.countCall(makeEntry({ ...fields, isCall: false }));
    metrics.countCall(makeEntry(fields));
  }
  const { samples, text } = await scrape(app);
  assert.ok(!text.includes('bad-') && !text.includes('files/'));
  assert.equal(sampleValue(samples, 'ipin_calls_total', { model: 'other', endpoint: 'other' }), 10_000);
  assert.ok(samples.length < before + 60, `${before} samples became ${samples.length}`);
});

test('the label sets are bounded, whatever providers come and go', async (t) => {
  const app = await start(t);
  const { metrics } = app.services;
  for (let number = 0; number < 5_000; number++) {
    const provider = { providerId: `p${number}`, attempts: [makeAttempt({ providerId: `p${number}` })] };
    metrics.countCall(makeEntry({ id: 'x', ...provider }));
    metrics.countRequest({ status: 200, outcome: 'ok', attempts: provider.attempts });
  }
  const { samples } = await scrape(app);
  assert.ok(samples.length < 20_000, `${samples.length}`);
  const calls = samples.filter(({ name }) => name === 'ipin_calls_total');
  assert.equal(
    calls.reduce((sum, { value }) => sum + value, 0),
    5_000,
  );
  assert.equal(sampleValue(samples, 'ipin_calls_total', { provider: 'other' }), 3_000);
  assert.equal(sampleValue(samples, 'ipin_attempts_total', { provider: 'other' }), 3_000);
});

test('labels are escaped, and values of all sizes are numbers to Prometheus', () => {
  const registry = new Registry();
  const labels = { text: 'a "b" \\ \n c' };
  const values = [0, -1.5, 1e21, 1e-7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  registry.register({
    name: 'x_total',
    type: 'counter',
    help: 'A \\ and\na line.',
    read: () => values.map((value, index) => ({ labels: { ...labels, index: String(index) }, value })),
  });
  const samples = readScrape(registry.expose());
  assert.deepEqual(
    samples.map(({ value }) => value),
    values,
  );
  assert.ok(samples.every((sample) => sample.labels['text'] === labels.text));
});

test('the process tells of its memory and of the delay of its event loop', async (t) => {
  const app = await start(t);
  // Each turn of the event loop takes one sample; the first after a scrape only begins the measurement.
  for (let turn = 0; turn < 3; turn++) {
    const end = performance.now() + 200;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { samples } = await scrape(app);
  const max = sampleValue(samples, 'nodejs_eventloop_lag_max_seconds') ?? 0;
  assert.ok(max > 0.05, `${max}`);
  assert.ok((sampleValue(samples, 'process_resident_memory_bytes') ?? 0) > 1e7);
  for (const kind of ['mean', 'p99'])
    assert.notEqual(sampleValue(samples, `nodejs_eventloop_lag_${kind}_seconds`), undefined);
});

test('a key that rests is shown', async (t) => {
  const upstream = await startUpstream(t, (req, res, request) => {
    if (req.headers.authorization?.endsWith('bad') === true) res.writeHead(401).end('{}');
    else json(CHAT_ANSWER)(req, res, request);
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'sk-bad' }, [{ id: 'm' }]);
  assert.equal(sampleValue((await scrape(app)).samples, 'ipin_resting_provider_keys', { provider: 'up' }), 0);
  await (await app.v1('chat/completions', { model: 'm', messages: [] })).text();
  assert.equal(sampleValue((await scrape(app)).samples, 'ipin_resting_provider_keys', { provider: 'up' }), 1);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test('promtool finds nothing wrong', {
  skip: hasPromtool ? false : 'promtool is not installed',
}, async (t) => {
  const app = await start(t);
  app.services.metrics.countCall(makeEntry({ id: 'req_1' }));
  app.services.metrics.countCall(makeEntry({ id: 'req_2', outcome: 'limited', code: 'insufficient_quota' }));
  const { text } = await scrape(app);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});
