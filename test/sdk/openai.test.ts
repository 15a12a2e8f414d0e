import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { DEMO_KEY, startDemo } from '../demo/start-demo.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

/** The proxy with the demo provider. Its models have other ids here, so every answer must be renamed. */
async function start(t: TestContext): Promise<{ client: OpenAI; app: AppUnderTest }> {
  const demo = await startDemo();
  t.after(() => demo.stop());
  const offered = (await demo.openai.models.list()).data.map(({ id }) => id);
  const app = await startApp(t);
  await app.addProvider(
    { id: 'demo', baseUrl: `${demo.origin}/v1`, apiKey: DEMO_KEY },
    offered.map((id) => ({ id: `my/${id}`, upstreamModel: id })),
  );
  return { app, client: clientOf(app) };
}

/** The proxy with a provider that answers every request with one JSON value; the provider's model `m` is `my/m` here. */
async function startScripted(t: TestContext, value: object): Promise<OpenAI> {
  const upstream = await startUpstream(t, json(value));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'my/m', upstreamModel: 'm' }]);
  return clientOf(app);
}

function clientOf(app: AppUnderTest, apiKey = MASTER_KEY): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${app.origin}/v1`, maxRetries: 0, timeout: 10_000 });
}

const ask = (content: string): { model: string; messages: { role: 'user'; content: string }[] } => ({
  model: 'my/demo-chat',
  messages: [{ role: 'user', content }],
});

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
  },
};

describe('the openai package through the proxy', { timeout: 30_000 }, () => {
  test('lists and retrieves models, also with a slash in the name', async (t) => {
    const { client } = await start(t);
    const list = await client.models.list();
    assert.ok(list.data.length > 5 && list.data.every(({ id }) => id.startsWith('my/demo-')));
    const model = await client.models.retrieve('my/demo-chat');
    assert.deepEqual([model.id, model.object, model.owned_by], ['my/demo-chat', 'model', 'demo']);
  });

  test('chats, and sees the requested model', async (t) => {
    const { client } = await start(t);
    const {
      data,
      response,
      request_id: requestId,
    } = await client.chat.completions.create(ask('What is the capital of France?')).withResponse();
    assert.equal(data.choices[0]?.message.content, 'The capital of France is Paris.');
    assert.equal(data.model, 'my/demo-chat');
    assert.equal(requestId, response.headers.get('x-request-id'));
    assert.equal(response.headers.get('x-ipin-provider'), 'demo');
  });

  test('streams, with usage and without', async (t) => {
    const { client } = await start(t);
    for (const includeUsage of [true, false]) {
      const stream = await client.chat.completions.create({
        ...ask('Count to 5'),
        stream: true,
        stream_options: { include_usage: includeUsage },
      });
      let text = '';
      let tokens = 0;
      for await (const chunk of stream) {
        assert.equal(chunk.model, 'my/demo-chat');
        text += chunk.choices[0]?.delta.content ?? '';
        tokens += chunk.usage?.total_tokens ?? 0;
      }
      assert.equal(text, '1, 2, 3, 4, 5');
      assert.equal(tokens > 0, includeUsage);
    }
  });

  test('calls tools, at once and streamed', async (t) => {
    const { client } = await start(t);
    const request = {
      ...ask('What is the weather in Paris?'),
      tools: [WEATHER],
      tool_choice: 'required' as const,
    };
    const answer = await client.chat.completions.create(request);
    const call = answer.choices[0]?.message.tool_calls?.[0];
    assert.ok(call?.type === 'function');
    assert.equal(call.function.name, 'get_weather');
    JSON.parse(call.function.arguments);
    const stream = client.chat.completions.stream(request);
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0]?.finish_reason, 'tool_calls');
    assert.deepEqual(
      final.choices[0]?.message.tool_calls?.map(
        (item) => item.type === 'function' && item.function.arguments,
      ),
      [call.function.arguments],
    );
  });

  test('gets structured output', async (t) => {
    const { client } = await start(t);
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, count: { type: 'integer' } },
      required: ['city', 'count'],
      additionalProperties: false,
    };
    const answer = await client.chat.completions.create({
      ...ask('A city'),
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } },
    });
    const value = JSON.parse(answer.choices[0]?.message.content ?? '');
    assert.deepEqual(Object.keys(value).sort(), ['city', 'count']);
  });

  test('gets embeddings as base64, its default, and as numbers', async (t) => {
    const { client } = await start(t);
    const bare = await client.embeddings.create({ model: 'my/demo-embed', input: ['one', 'two'] });
    const floats = await client.embeddings.create({
      model: 'my/demo-embed',
      input: ['one', 'two'],
      encoding_format: 'float',
    });
    assert.equal(bare.model, 'my/demo-embed');
    assert.equal(bare.data.length, 2);
    for (const [index, { embedding }] of bare.data.entries()) {
      const wanted = floats.data[index]?.embedding ?? [];
      assert.equal(embedding.length, wanted.length);
      assert.ok(embedding.length > 100);
      assert.ok(embedding.every((value, at) => Math.abs(value - (wanted[at] ?? 9)) < 1e-6));
    }
  });

  test('gets whole vectors even from a provider that supports only numbers', async (t) => {
    const vector = [0.25, -1, 3.5e-5];
    const upstream = await startUpstream(t, (_req, res) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          object: 'list',
          model: 'e',
          data: [{ object: 'embedding', index: 0, embedding: vector }],
          usage: { prompt_tokens: 1, total_tokens: 1 },
        }),
      ),
    );
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'e' }]);
    const { data } = await clientOf(app).embeddings.create({ model: 'e', input: 'x' });
    assert.deepEqual(data[0]?.embedding, vector.map(Math.fround));
  });

  test('moderates', async (t) => {
    const verdict = {
      id: 'modr-1',
      model: 'm',
      results: [{ flagged: false, categories: {}, category_scores: {} }],
    };
    const client = await startScripted(t, verdict);
    const answer = await client.moderations.create({ model: 'my/m', input: 'hello' });
    assert.equal(answer.results.length, 1);
    assert.equal(answer.model, 'my/m');
  });

  test('makes speech and images', async (t) => {
    const { client } = await start(t);
    const speech = await client.audio.speech.create({
      model: 'my/demo-tts',
      voice: 'alloy',
      input: 'Hello',
      response_format: 'wav',
    });
    const bytes = Buffer.from(await speech.arrayBuffer());
    assert.equal(bytes.toString('latin1', 0, 4), 'RIFF');
    assert.equal(bytes.readUInt32LE(4), bytes.length - 8);
    const image = await client.images.generate({
      model: 'my/demo-image',
      prompt: 'a fox',
      response_format: 'b64_json',
    });
    assert.equal(Buffer.from(image.data?.[0]?.b64_json ?? '', 'base64').toString('latin1', 1, 4), 'PNG');
  });

  test('gets responses, at once and streamed', async (t) => {
    const { client } = await start(t);
    const request = { model: 'my/demo-chat', input: 'What is the capital of France?' };
    const answer = await client.responses.create(request);
    assert.equal(answer.output_text, 'The capital of France is Paris.');
    assert.equal(answer.model, 'my/demo-chat');
    const stream = await client.responses.create({ ...request, stream: true });
    let text = '';
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') assert.equal(event.response.model, 'my/demo-chat');
    }
    assert.equal(text, answer.output_text);
    assert.equal(types.at(-1), 'response.completed');
  });

  test('completes text', async (t) => {
    const choices = [{ text: 'Hi', index: 0, logprobs: null, finish_reason: 'stop' }];
    const client = await startScripted(t, {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices,
    });
    const answer = await client.completions.create({ model: 'my/m', prompt: 'Hello!' });
    assert.equal(answer.model, 'my/m');
    assert.equal(answer.choices[0]?.text, 'Hi');
  });

  test('ends the request at the provider when it stops a stream', async (t) => {
    let gone: Promise<unknown> | null = null;
    const upstream = await startUpstream(t, (_req, res) => {
      gone = once(res, 'close');
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(
        'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n',
      );
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const stream = await clientOf(app).chat.completions.create({ model: 'm', messages: [], stream: true });
    for await (const _chunk of stream) break;
    assert.ok(gone !== null);
    await gone;
  });
});
