import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import {
  fetchListedModels,
  type ModelListStep,
  type ProbeEvidence,
  probeProvider,
} from '../../src/providers/model-list.ts';
import { createUpstreams } from '../../src/providers/upstream.ts';
import type { Provider } from '../../src/store/entities.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeKey, makeProvider, type ProviderFields } from '../helpers/records.ts';
import { startApp } from '../helpers/start-app.ts';

const KEY = 'provider-secret-key';

interface Fixture {
  readonly provider: Provider;
  readonly upstream: FakeUpstream;
}

const OPTIONS = {
  upstreams: createUpstreams(),
  timeouts: { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, idleTimeoutMs: 5_000 },
  blockPrivate: false,
};

async function start(t: TestContext, answer: Answer, fields: ProviderFields = {}): Promise<Fixture> {
  const upstream = await startUpstream(t, answer);
  const provider = makeProvider({ id: 'up', baseUrl: upstream.origin, apiKey: KEY, ...fields });
  return { provider, upstream };
}

interface Probe {
  readonly ok: boolean;
  readonly steps: readonly ModelListStep[];
  readonly evidence: ProbeEvidence | null;
}

async function probe({ provider }: Fixture): Promise<Probe> {
  const { steps, evidence } = await probeProvider(provider, {
    ...OPTIONS,
    signal: new AbortController().signal,
    now: Date.now,
  });
  return { ok: steps.every((step) => step.ok), steps, evidence };
}

const outline = ({ ok, steps }: Probe): string =>
  [ok, ...steps.map((step) => `${step.name}:${step.ok}`)].join(' ');
const LIST = json({ object: 'list', data: [{ id: 'here' }, { id: 'there' }, { id: 'new' }] });

describe('the test of a provider', { timeout: 30_000 }, () => {
  test('succeeds: reached, models listed, and no claim about the key', async (t) => {
    const fixture = await start(t, LIST);
    const found = await probe(fixture);
    assert.equal(outline(found), 'true connect:true authenticate:true models:true');
    assert.match(
      found.steps[1]?.message ?? '',
      /^The provider lists its models\. The first chat will show whether the key works/,
    );
    assert.equal(found.steps[2]?.message, '3 models are listed.');
    const [request] = fixture.upstream.received;
    assert.deepEqual(
      [request?.method, request?.url, request?.headers.authorization],
      ['GET', '/v1/models', `Bearer ${KEY}`],
    );
  });

  for (const [name, answer, expected, message] of [
    [
      'a refused key',
      json({ error: { message: `bad ${KEY}` } }, 401),
      'false connect:true authenticate:false',
      /refuses the API key \(status 401\).*It says: bad \[redacted\]$/,
    ],
    ['a forbidden key', json({}, 403), 'false connect:true authenticate:false', /refuses access .*403/],
    [
      'a key without the right',
      json({ error: { message: 'This API key may not list models.' } }, 403),
      'false connect:true authenticate:false',
      /refuses the API key \(status 403\).*It says: This API key may not list models\.$/,
    ],
    [
      'a wrong key, as Gemini does',
      json([{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }], 400),
      'false connect:true authenticate:false',
      /refuses the API key \(status 400\).*It says: API key not valid\.$/,
    ],
    [
      'a wrong key, as xAI does',
      json(
        { code: 'Client specified an invalid argument', error: `Incorrect API key provided: ${KEY}` },
        400,
      ),
      'false connect:true authenticate:false',
      /It says: Incorrect API key provided: \[redacted\]$/,
    ],
    [
      'a request that is wrong otherwise',
      json({ error: { message: 'Unknown api-version' } }, 400),
      'false connect:true models:false',
      /lists no models \(status 400\).*It says: Unknown api-version$/,
    ],
    [
      'no list',
      json({ detail: 'No such page' }, 404),
      'false connect:true models:false',
      /status 404.*It says: No such page$/,
    ],
    [
      'a page that is not found',
      ((_req, res) => res.writeHead(404).end('<html>')) as Answer,
      'false connect:true models:false',
      /^The provider lists no models \(status 404\)\. It may still serve requests\.$/,
    ],
    [
      'a page',
      ((_req, res) => res.end('<html>')) as Answer,
      'false connect:true models:false',
      /^The provider lists no models: its response is not a list\. Check the base URL\.$/,
    ],
    [
      'a provider that is busy',
      json({ error: { message: 'Slow down' } }, 429),
      'false connect:true models:false',
      /is busy \(status 429\)\. Try again later\. It says: Slow down$/,
    ],
    [
      'an error in plain text that is cut in the midst of the key',
      ((_req, res) => res.writeHead(500).end(`${'x'.repeat(490)} ${KEY}`)) as Answer,
      'false connect:true models:false',
      /status 500.*It says: x{490} \[/,
    ],
    [
      'a redirect',
      ((_req, res) => res.writeHead(302, { location: 'http://169.254.169.254' }).end()) as Answer,
      'false connect:false',
      /redirect/,
    ],
    ['silence', (() => {}) as Answer, 'false connect:false', /in time/],
    [
      'a broken answer',
      ((_req, res) =>
        res.writeHead(200, { 'content-length': '50' }).write('{', () => res.destroy())) as Answer,
      'false connect:false',
      /./,
    ],
  ] as const) {
    test(`reports ${name}`, async (t) => {
      const fixture = await start(
        t,
        answer,
        name === 'silence' ? { options: { headersTimeoutMs: 100 } } : {},
      );
      const found = await probe(fixture);
      assert.equal(outline(found), expected);
      assert.match(found.steps.at(-1)?.message ?? '', message);
      assert.ok(!JSON.stringify(found).includes(KEY.slice(0, 10)));
    });
  }

  for (const [name, answer, keyId, error] of [
    ['a list', LIST, 'key_1', null],
    ['a refused key', json({}, 401), 'key_1', [401, 'upstream_auth_failed']],
    ['a provider that is busy', json({}, 429), 'key_1', [429, null]],
    ['a provider that is broken', json({}, 503), 'key_1', [503, null]],
    [
      'a connection that is cut',
      ((_req, res) => res.destroy()) as Answer,
      'key_1',
      [null, 'upstream_unreachable'],
    ],
    ['no list', json({}, 404), undefined, undefined],
  ] as const) {
    test(`shows of ${name} what it says about the provider`, async (t) => {
      const fixture = await start(t, answer);
      const { evidence } = await probe(fixture);
      const shown = evidence?.error;
      assert.deepEqual([evidence?.keyId, shown && [shown.status, shown.code]], [keyId, error]);
    });
  }

  test('uses the first key that can be used', async (t) => {
    const keys = [
      makeKey({ id: 'off', secret: 'key-off', enabled: false }),
      makeKey({ id: 'locked', unreadable: 'v1:x' }),
      makeKey({ id: 'odd', secret: 'ключ' }),
      makeKey({ id: 'good', secret: 'key-good' }),
      makeKey({ id: 'better', secret: 'key-better' }),
    ];
    const fixture = await start(t, LIST, { keys });
    const { evidence } = await probe(fixture);
    assert.equal(fixture.upstream.received[0]?.headers.authorization, 'Bearer key-good');
    assert.equal(evidence?.keyId, 'good');
    await probe({ ...fixture, provider: { ...fixture.provider, keys: keys.slice(0, 3) } });
    assert.equal(fixture.upstream.received.length, 1, 'never without a key');
  });

  test('finds the right path mode after a 404', async (t) => {
    const fixture = await start(t, (req, res, request) =>
      req.url === '/models' ? LIST(req, res, request) : json({}, 404)(req, res, request),
    );
    assert.match((await probe(fixture)).steps.at(-1)?.message ?? '', /path mode "exact"/);
  });

  test('counts a single model in the singular', async (t) => {
    const found = await probe(await start(t, json({ data: ['a'] })));
    assert.equal(found.steps[2]?.message, '1 model is listed.');
  });

  test('asks for a key if none is set', async (t) => {
    const found = await probe(await start(t, json({}, 401), { apiKey: null }));
    assert.equal(outline(found), 'false connect:true authenticate:false');
    assert.match(found.steps[1]?.message ?? '', /asks for an API key \(status 401\)/);
  });

  test('sends no key if none is set', async (t) => {
    const fixture = await start(t, LIST, { apiKey: null });
    assert.match((await probe(fixture)).steps[1]?.message ?? '', /No key/);
    assert.equal(fixture.upstream.received[0]?.headers.authorization, undefined);
  });
});

describe('the models of a provider', { timeout: 30_000 }, () => {
  const ask = async ({ provider }: Fixture): Promise<string[]> => {
    const { signal } = new AbortController();
    return (await fetchListedModels(provider, { ...OPTIONS, signal })).map(({ id }) => id);
  };

  for (const [name, value, ids] of [
    ['OpenAI', { object: 'list', data: [{ id: 'a' }, { id: 'b' }] }, ['a', 'b']],
    ['Together, a bare list', [{ id: 'a', type: 'chat' }], ['a']],
    ['Ollama', { models: [{ name: 'llama3:latest', model: 'llama3:latest' }] }, ['llama3:latest']],
    ['Gemini', { models: [{ name: 'models/gemini-2.5-pro' }] }, ['models/gemini-2.5-pro']],
    ['plain names', { data: ['a', 'b'] }, ['a', 'b']],
    [
      'repetitions and rubbish',
      { data: [{ id: 'a' }, { id: 'a' }, null, 5, {}, { id: '' }, { id: 5 }, { id: 'x'.repeat(600) }, []] },
      ['a'],
    ],
    ['nothing', { data: [] }, []],
  ] as const) {
    test(`are read in the format of ${name}`, async (t) => {
      const fixture = await start(t, json(value));
      assert.deepEqual(await ask(fixture), ids);
    });
  }

  test('are marked if they are configured already', async (t) => {
    const upstream = await startUpstream(t, LIST);
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
      { id: 'here' },
      { id: 'alias', upstreamModel: 'there' },
    ]);
    const answer = await app.admin('GET', '/api/admin/providers/up/upstream-models');
    assert.deepEqual(((await answer.json()) as { data: object[] }).data, [
      { id: 'here', imported: true },
      { id: 'there', imported: true },
      { id: 'new', imported: false },
    ]);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, unreadable: 'v1:x' }, []);
    assert.equal((await app.admin('GET', '/api/admin/providers/up/upstream-models')).status, 503);
    assert.equal(upstream.received.length, 1);
  });

  for (const [name, answer, code, message] of [
    ['a refused key', json({}, 401), 'upstream_auth_failed', /refuses the API key \(status 401\)/],
    [
      'a wrong key, as Gemini tells of it',
      json([{ error: { code: 400, message: `API key not valid: ${KEY}` } }], 400),
      'upstream_auth_failed',
      /It says: API key not valid: \[redacted\]$/,
    ],
    [
      'an error',
      json({ error: { message: 'Out of order' } }, 500),
      'upstream_invalid_response',
      /It says: Out of order$/,
    ],
    ['no list', json({ data: 'x' }), 'upstream_invalid_response', /lists no models/],
    [
      'more than is read',
      ((_req, res) => res.end(`{"data":["${'x'.repeat(17 * 1024 * 1024)}"]}`)) as Answer,
      'upstream_invalid_response',
      /lists no models/,
    ],
  ] as const) {
    test(`are not read from ${name}`, async (t) => {
      const fixture = await start(t, answer);
      await assert.rejects(ask(fixture), (error) => {
        assert.ok(error instanceof HttpError);
        assert.equal(error.error.code, code);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test('are not read from endless nesting', async (t) => {
    const fixture = await start(t, json(`${'['.repeat(100_000)}${']'.repeat(100_000)}`));
    assert.deepEqual(await ask(fixture), []);
  });

  test('are not tested with a key that cannot be decrypted', async (t) => {
    const fixture = await start(t, LIST, { apiKey: null, unreadable: 'v1:x' });
    assert.equal(outline(await probe(fixture)), 'false authenticate:false');
    assert.equal(fixture.upstream.received.length, 0);
  });
});

test('the test of a silent provider times out long before a call would', {
  timeout: 20_000,
}, async (t) => {
  const { provider } = await start(t, () => {});
  const timeouts = { connectTimeoutMs: 60_000, headersTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
  const { signal } = new AbortController();
  const options = { ...OPTIONS, timeouts, signal, timeoutMs: 50 };
  await assert.rejects(
    fetchListedModels(provider, options),
    (error) => error instanceof HttpError && error.error.code === 'upstream_timeout',
  );
  const {
    steps: [step],
    evidence,
  } = await probeProvider(provider, { ...options, now: Date.now });
  assert.deepEqual([step?.name, step?.ok], ['connect', false]);
  assert.deepEqual([evidence?.error?.status, evidence?.error?.code], [null, 'upstream_timeout']);
});
