import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isChutes } from '../../src/providers/chutes.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeProvider } from '../helpers/records.ts';
import { startApp } from '../helpers/start-app.ts';

const BASE = makeProvider({ id: 'p', baseUrl: '' });

describe('isChutes()', () => {
  for (const [baseUrl, expected] of [
    ['https://chutes.ai', true],
    ['https://llm.chutes.ai/v1', true],
    ['https://me-my-chute.chutes.ai', true],
    ['HTTPS://LLM.CHUTES.AI', true],
    ['llm.chutes.ai', true],
    ['https://chutes.ai.evil.example', false],
    ['https://evilchutes.ai', false],
    ['https://evil.example/?chutes.ai', false],
    ['https://evil.example/chutes.ai', false],
    ['https://chutes.ai@evil.example', false],
    ['https://evil.example#.chutes.ai', false],
    ['https://chutes.ai.', false],
    ['nonsense:', false],
    ['', false],
  ] as const) {
    test(`${baseUrl}: ${expected}`, () => {
      assert.equal(isChutes({ ...BASE, baseUrl }), expected);
    });
  }
  test('recognises a provider of the type chutes', () => {
    assert.ok(isChutes({ ...BASE, baseUrl: 'http://127.0.0.1', type: 'chutes' }));
  });
});

describe('a provider of the type chutes', { timeout: 20_000 }, () => {
  test('gets `false` for `stream: null`, which its router does not match', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, type: 'chutes' }, [{ id: 'm' }]);
    await app.v1('chat/completions', '{"model":"m", "stream" : null ,"messages":[]}');
    assert.equal(upstream.received[0]?.body.toString(), '{"model":"m", "stream" : false ,"messages":[]}');
  });

  test('gets requests for embeddings without a model after it refused the name, from then on', async (t) => {
    const bodies: string[] = [];
    const upstream = await startUpstream(t, (req, res, request) => {
      const text = request.body.toString();
      bodies.push(text);
      if ('model' in JSON.parse(text))
        json({ detail: 'The model `vendor` does not exist' }, 500)(req, res, request);
      else json({ model: '', data: [{ index: 0, embedding: [1] }] })(req, res, request);
    });
    const app = await startApp(t);
    const provider = { id: 'up', baseUrl: upstream.origin, type: 'chutes' } as const;
    await app.addProvider(provider, [{ id: 'e', upstreamModel: 'vendor' }]);
    for (const [body, without] of [
      ['{"model":"e","input":"x"}', '{"input":"x"}'],
      ['{"input":"x","model":"e"}', '{"input":"x"}'],
      ['{ "input":"x" , "mod\\u0065l" : "e" , "n":1 }', '{ "input":"x" ,  "n":1 }'],
      ['{"model":"e"}', '{}'],
      ['{"a":"\\"model\\":\\"e\\",","model":"e","b":2}', '{"a":"\\"model\\":\\"e\\",","b":2}'],
    ] as const) {
      bodies.length = 0;
      const answer = await app.v1('embeddings', body);
      assert.equal(answer.status, 200, body);
      assert.equal(bodies.at(-1), without);
      assert.equal(((await answer.json()) as { model: string }).model, 'e');
      assert.equal(answer.headers.get('x-ipin-attempts'), body === '{"model":"e","input":"x"}' ? '2' : '1');
    }
    await app.addProvider({ ...provider, name: 'changed' }, []);
    bodies.length = 0;
    await app.v1('embeddings', { model: 'e', input: 'x' });
    assert.equal(bodies.length, 2, 'a changed provider is tried anew');
  });

  test('keeps getting the model if it lacks only one of several', async (t) => {
    const upstream = await startUpstream(t, (req, res, request) => {
      const { model } = JSON.parse(request.body.toString());
      const answer =
        model === 'good'
          ? json({ model, data: [{ index: 0, embedding: [1] }] })
          : json({ detail: `model ${model} not found` }, 404);
      answer(req, res, request);
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, type: 'chutes' }, [
      { id: 'good' },
      { id: 'bad' },
    ]);
    const refused = await app.v1('embeddings', { model: 'bad', input: 'x' });
    const { error } = (await refused.json()) as { error: { message: string } };
    assert.deepEqual([refused.status, error.message], [404, 'model bad not found']);
    assert.equal(refused.headers.get('x-ipin-attempts'), '2');
    assert.equal((await app.v1('embeddings', { model: 'good', input: 'x' })).status, 200);
    assert.equal(upstream.received.length, 3);
  });

  test('gets requests without a model after a 404 too', async (t) => {
    const upstream = await startUpstream(t, (req, res, request) => {
      const isNamed = 'model' in JSON.parse(request.body.toString());
      const answer = isNamed
        ? json({ detail: 'Not found' }, 404)
        : json({ model: '', data: [{ index: 0, embedding: [1] }] });
      answer(req, res, request);
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, type: 'chutes' }, [{ id: 'e' }]);
    assert.equal((await app.v1('embeddings', { model: 'e', input: 'x' })).status, 200);
    assert.equal(upstream.received.at(-1)?.body.toString(), '{"input":"x"}');
    assert.equal(upstream.received.length, 2);
  });

  test('gets no retry for other errors', async (t) => {
    const upstream = await startUpstream(t, json({ detail: 'busy' }, 500));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, type: 'chutes' }, [{ id: 'e' }]);
    for (const [status, detail] of [
      [500, 'busy'],
      [503, 'no model instance'],
      [429, 'model'],
      [400, 'model'],
    ] as const) {
      upstream.received.length = 0;
      upstream.answer = json({ detail }, status);
      assert.equal((await app.v1('embeddings', { model: 'e', input: 'x' })).status, status);
      assert.equal(upstream.received.length, 1);
    }
  });
});
