import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { json } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { KEYS, startTwoProviders as start } from './two-providers.ts';

async function listed(app: AppUnderTest, key: string): Promise<string[]> {
  const answer = await fetch(`${app.origin}/v1/models`, jsonRequest('GET', `Bearer ${key}`));
  const { object, data } = (await answer.json()) as { object: string; data: { id: string }[] };
  assert.equal(object, 'list');
  return data.map(({ id }) => id);
}

describe('models and keys', { timeout: 30_000 }, () => {
  test('each model is served by its own provider, with that one’s key', async (t) => {
    const { app, one, two } = await start(t);
    for (const [model, upstream, key] of [
      ['model-1', one, KEYS.one],
      ['model-2', two, KEYS.two],
    ] as const) {
      const answer = await app.v1('chat/completions', { model, messages: [] });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('x-ipin-provider'), upstream === one ? 'one' : 'two');
      assert.equal(answer.headers.get('x-ipin-attempts'), '1');
      const request = upstream.received.at(-1);
      assert.equal(request?.url, '/v1/chat/completions');
      assert.equal(request?.headers.authorization, `Bearer ${key}`);
    }
    assert.deepEqual([one.received.length, two.received.length], [1, 1]);
  });

  test('a key for one model gets no other, and does not see it', async (t) => {
    const { app, one, two } = await start(t);
    const narrow = await app.addKey({ models: ['model-1'] });
    const pattern = await app.addKey({ models: ['meta-llama/*', 'ali*'] });
    const none = await app.addKey({ models: [] });
    assert.deepEqual(await listed(app, MASTER_KEY), ['model-1', 'alias', 'meta-llama/Llama-3', 'model-2']);
    assert.deepEqual(await listed(app, narrow), ['model-1']);
    assert.deepEqual(await listed(app, pattern), ['alias', 'meta-llama/Llama-3']);
    assert.deepEqual(await listed(app, none), []);
    for (const [key, model, status] of [
      [narrow, 'model-1', 200],
      [narrow, 'model-2', 403],
      [narrow, 'Model-1', 404],
      [narrow, 'model-1 ', 404],
      [pattern, 'alias', 200],
      [pattern, 'meta-llama/Llama-3', 200],
      [pattern, 'model-1', 403],
      [none, 'model-1', 403],
    ] as const) {
      const answer = await app.v1('chat/completions', { model, messages: [] }, key);
      assert.equal(answer.status, status, model);
      if (status === 403)
        assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'model_not_allowed');
    }
    assert.equal(two.received.length, 0);
    assert.equal(one.received.length, 3);
  });

  test('the list is made of the configuration, and each model can be retrieved', async (t) => {
    const { app, one, two } = await start(t);
    const get = (path: string): Promise<Response> =>
      fetch(`${app.origin}${path}`, jsonRequest('GET', `Bearer ${MASTER_KEY}`));
    const { data, ...list } = (await (await get('/v1/models')).json()) as { data: Record<string, unknown>[] };
    assert.deepEqual(list, {
      object: 'list',
      has_more: false,
      first_id: data[0]?.['id'],
      last_id: data.at(-1)?.['id'],
      models: [],
    });
    const first = data.find(({ id }) => id === 'model-1');
    assert.deepEqual(
      { ...first, created: 0, created_at: '' },
      {
        id: 'model-1',
        object: 'model',
        type: 'model',
        display_name: 'Model One',
        created: 0,
        created_at: '',
        owned_by: 'one',
        name: 'Model One',
        vision: false,
      },
    );
    assert.ok(Number.isInteger(first?.['created']));
    // Prices are for the pages, not for whoever has a key.
    const name = sessionCookieName(app.services.store.config.view().instanceId, false);
    const headers = { cookie: `${name}=${await signIn(app.origin)}` };
    const answer = await fetch(`${app.origin}/v1/models`, { headers });
    const ofSession = (await expectStatus(200, answer)) as { data: object[] };
    assert.ok(ofSession.data.every((model) => 'price' in model));
    for (const path of [
      '/v1/models/meta-llama/Llama-3',
      '/v1/models/meta-llama%2FLlama-3',
      '/v1/models/meta-llama/Llama-3/',
      '/models/meta-llama%2FLlama-3',
    ]) {
      const answer = await get(path);
      assert.equal(answer.status, 200, path);
      assert.deepEqual(
        await answer.json(),
        data.find(({ id }) => id === 'meta-llama/Llama-3'),
      );
    }
    for (const id of ['hidden', 'off', 'nope', '__proto__', 'constructor', '%E2%82%AC']) {
      assert.equal((await get(`/v1/models/${id}`)).status, 404, id);
    }
    assert.equal(one.received.length + two.received.length, 0);
  });

  test('a disabled model, provider or key, or a deleted one, serves no more from the next request on', async (t) => {
    const { app } = await start(t);
    const user = (await (
      await app.admin('POST', '/api/admin/users', { username: 'anna', password: 'long enough' })
    ).json()) as { id: string };
    const key = await app.addKey({ userId: user.id });
    const status = async (model = 'model-1'): Promise<number> =>
      (await app.v1('chat/completions', { model, messages: [] }, key)).status;
    assert.equal(await status(), 200);
    for (const [path, expected] of [
      ['models/model-1', 404],
      ['providers/one', 503],
      [`users/${user.id}`, 401],
    ] as const) {
      await app.admin('PUT', `/api/admin/${path}`, { enabled: false });
      assert.equal(await status(), expected, path);
      await app.admin('PUT', `/api/admin/${path}`, { enabled: true });
      assert.equal(await status(), 200, path);
    }
    await app.admin('PUT', `/api/admin/users/${user.id}`, { models: ['model-2'] });
    assert.equal(await status(), 403);
    assert.equal(await status('model-2'), 200);
    assert.deepEqual(await listed(app, key), ['model-2']);
    await app.admin('DELETE', '/api/admin/models/model-2');
    assert.equal(await status('model-2'), 404);
    await app.admin('DELETE', `/api/admin/users/${user.id}`);
    assert.equal(await status(), 401);
  });

  test('a key counts the same in each header, and never in two minds', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({ models: ['model-1'] });
    for (const headers of [
      { authorization: `bearer ${key}` },
      { authorization: `Bearer   ${key}  ` },
      { 'x-api-key': key },
      { 'api-key': key },
      { 'x-api-key': key, authorization: `Bearer ${key}` },
    ]) {
      for (const [model, status] of [
        ['model-1', 200],
        ['model-2', 403],
      ] as const) {
        const answer = await fetch(`${app.origin}/v1/chat/completions`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ model }),
        });
        assert.equal(answer.status, status, JSON.stringify(headers));
      }
    }
  });
});

describe('the name of the model', { timeout: 30_000 }, () => {
  const body =
    '{ "messages" : [{"content":"\\"model\\": \\"alias\\""}], "model"\t:\n"ali\\u0061s" , "n":1.0 }';

  test('is swapped for the provider’s and back again, nothing else', async (t) => {
    const { app, one } = await start(t);
    const reply =
      '{"id":"x", "model" : "vendor/real:1-2024", "choices":[{"message":{"content":"model vendor/real:1","model":"vendor/real:1"}}], "n" : 1.0}';
    one.answer = json(reply);
    const answer = await app.v1('chat/completions', body);
    assert.equal(one.received[0]?.body.toString(), body.replace('"ali\\u0061s"', '"vendor/real:1"'));
    assert.equal(await answer.text(), reply.replace('"vendor/real:1-2024"', '"alias"'));
  });

  test('stays as it is where names agree: the bytes pass both ways', async (t) => {
    const { app, one } = await start(t);
    const reply = '{"model":"another-name-2024-08", "choices":[] , "odd":1E400}';
    one.answer = json(reply);
    const request = body.replace('"ali\\u0061s"', '"model-1"');
    const answer = await app.v1('chat/completions', request);
    assert.equal(one.received[0]?.body.toString(), request);
    assert.equal(await answer.text(), reply);
  });

  for (const path of [
    'chat/completions',
    'completions',
    'responses',
    'moderations',
    'rerank',
    'embeddings',
  ]) {
    test(`is put back into the answer of ${path}`, async (t) => {
      const { app, one } = await start(t);
      one.answer = json({ model: 'vendor/real:1', choices: [], data: [], results: [], output: [] });
      const answer = await app.v1(path, { model: 'alias', input: 'x' });
      assert.equal(one.received[0]?.url, `/v1/${path}`);
      assert.equal(JSON.parse(one.received[0]?.body.toString() ?? '').model, 'vendor/real:1');
      assert.equal(((await answer.json()) as { model: string }).model, 'alias');
    });
  }

  test('is not put where there was none', async (t) => {
    const { app, one } = await start(t);
    for (const reply of [
      '{"choices":[]}',
      '{"model":null,"choices":[]}',
      '{"model":{"id":1},"choices":[]}',
    ]) {
      one.answer = json(reply);
      assert.equal(await (await app.v1('chat/completions', { model: 'alias' })).text(), reply);
    }
  });

  test('may hold anything that JSON can', async (t) => {
    const { app, one } = await start(t);
    const id = 'a"b\\c\u00e9\u{1f600}/d';
    await app.addProvider({ id: 'one', baseUrl: one.origin }, [{ id: 'plain', upstreamModel: id }]);
    one.answer = json({ model: id, choices: [] });
    const answer = await app.v1('chat/completions', { model: 'plain' });
    assert.equal(JSON.parse(one.received[0]?.body.toString() ?? '').model, id);
    assert.equal(((await answer.json()) as { model: string }).model, 'plain');
  });
});

describe('endpoints', { timeout: 30_000 }, () => {
  test('images and speech pass as they are, whatever their model is called', async (t) => {
    const { app, one } = await start(t);
    const reply = { created: 1, data: [{ b64_json: 'AAAA' }], model: 'vendor/real:1' };
    one.answer = json(reply);
    assert.deepEqual(
      await (await app.v1('images/generations', { model: 'alias', prompt: 'x' })).json(),
      reply,
    );
    const audio = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    one.answer = (_req, res) => res.writeHead(200, { 'content-type': 'audio/mpeg' }).end(audio);
    const speech = await app.v1('audio/speech', { model: 'alias', input: 'x', voice: 'alloy' });
    assert.equal(speech.headers.get('content-type'), 'audio/mpeg');
    assert.deepEqual(Buffer.from(await speech.arrayBuffer()), audio);
    one.answer = (_req, res) => res.writeHead(200, { 'content-type': 'audio/mpeg' }).end();
    assert.equal(
      (await (await app.v1('audio/speech', { model: 'alias', input: 'x' })).arrayBuffer()).byteLength,
      0,
    );
    const events =
      'data: {"type":"speech.audio.delta","audio":"AA"}\n\ndata: {"type":"speech.audio.done"}\n\n';
    one.answer = (_req, res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(events);
    assert.equal(
      await (await app.v1('audio/speech', { model: 'alias', input: 'x', stream_format: 'sse' })).text(),
      events,
    );
  });

  for (const [spelling, status] of [
    ['/v1/chat/completions', 200],
    ['//v1/chat/completions', 200],
    ['/v1//chat/completions', 200],
    ['/v1/v1/chat/completions', 200],
    ['/chat/completions', 200],
    ['/v1/chat/completions/', 200],
    ['/chat/completions/', 200],
    ['/v1/chat/completions?beta=true', 200],
    ['/V1/chat/completions', 404],
    ['/v1/Chat/completions', 404],
    ['/v1/chat/completions/x', 404],
    ['/v1/%63hat/completions', 404],
    ['/v1/chat%2Fcompletions', 404],
    ['/v2/chat/completions', 404],
    ['/openai/v1/chat/completions', 404],
    ['/v1/v1/v1/chat/completions', 404],
    ['/v1/chat/completions//', 404],
  ] as const) {
    test(`${spelling}: ${status}, and the same rights`, async (t) => {
      const { app, one } = await start(t);
      const post = (key: string): Promise<Response> =>
        fetch(`${app.origin}${spelling}`, jsonRequest('POST', `Bearer ${key}`, { model: 'model-1' }));
      assert.equal((await post(MASTER_KEY)).status, status);
      assert.deepEqual(
        one.received.map(({ url }) => url),
        status === 200 ? [`/v1/chat/completions${/\?.*/.exec(spelling)?.[0] ?? ''}`] : [],
      );
      assert.equal(
        (await post(await app.addKey({ models: ['model-2'] }))).status,
        status === 200 ? 403 : 404,
      );
      assert.equal((await post('sk-wrong')).status, status === 200 ? 401 : 404);
    });
  }

  test('a provider that is this server itself: 400 instead of a loop', async (t) => {
    const { app } = await start(t);
    await app.addProvider({ id: 'self', baseUrl: app.origin, apiKey: MASTER_KEY }, [{ id: 'mirror' }]);
    const answer = await app.v1('chat/completions', { model: 'mirror', messages: [] });
    const { error } = (await answer.json()) as { error: { code: string } };
    assert.deepEqual([answer.status, error.code], [400, 'loop_detected']);
    assert.equal(app.logs.filter((line) => line.includes('/v1/chat/completions')).length, 4);
  });

  test('an answer in JSON is kept where a stream was asked of an endpoint that has none', async (t) => {
    const { app, one } = await start(t);
    for (const [path, body] of [
      ['rerank', { results: [{ index: 0, relevance_score: 0.5 }] }],
      ['images/generations', { created: 1, data: [{ b64_json: 'aGk=' }] }],
    ] as const) {
      one.answer = json(body);
      const answer = await app.v1(path, { model: 'model-1', stream: true });
      assert.deepEqual([answer.status, await answer.json()], [200, body], path);
    }
  });

  test('embeddings are asked for once more as floats, where the upstream refuses the encoding', async (t) => {
    const { app, one } = await start(t);
    const formats: unknown[] = [];
    one.answer = (req, res, request) => {
      const { encoding_format: format, input } = JSON.parse(request.body.toString());
      formats.push(format);
      assert.equal(input, 'x');
      if (format === 'base64')
        json({ error: { message: 'Unknown field: encoding_format' } }, 422)(req, res, request);
      else json({ model: 'model-1', data: [{ index: 0, embedding: [1, -0.5] }] })(req, res, request);
    };
    const answer = await app.v1('embeddings', { model: 'model-1', input: 'x', encoding_format: 'base64' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-ipin-attempts'), '2');
    assert.deepEqual(formats, ['base64', 'float']);
    const { data } = (await answer.json()) as { data: { embedding: unknown }[] };
    assert.equal(data[0]?.embedding, Buffer.from(new Float32Array([1, -0.5]).buffer).toString('base64'));
    one.answer = json({ error: { message: 'encoding_format float is bad too' } }, 400);
    const refused = await app.v1('embeddings', { model: 'model-1', input: 'x', encoding_format: 'base64' });
    assert.deepEqual([refused.status, refused.headers.get('x-ipin-attempts')], [400, '2']);
    one.answer = json({ error: { message: 'input is too long' } }, 400);
    const other = await app.v1('embeddings', { model: 'model-1', input: 'x', encoding_format: 'base64' });
    assert.equal(other.headers.get('x-ipin-attempts'), '1');
  });
});
