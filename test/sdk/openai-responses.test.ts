import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import type { ResponseInput, ResponseStreamEvent, Tool } from 'openai/resources/responses/responses';
import { type ChatProvider, type ChatReply, startChatProvider, toolCall } from '../helpers/chat-provider.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

interface Fixture {
  readonly app: AppUnderTest;
  readonly provider: ChatProvider;
  readonly client: OpenAI;
}

async function start(t: TestContext, ...replies: readonly ChatReply[]): Promise<Fixture> {
  const provider = await startChatProvider(t, ...replies);
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: provider.origin, apiKey: 'provider-secret' }, [
    { id: 'm', upstreamModel: 'real' },
  ]);
  const client = new OpenAI({
    apiKey: MASTER_KEY,
    baseURL: `${app.origin}/v1`,
    maxRetries: 0,
    timeout: 10_000,
  });
  return { app, provider, client };
}

const WEATHER: Tool = {
  type: 'function',
  name: 'weather',
  description: 'The weather in a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};

describe('responses in the openai package, over a provider of chat completions', { timeout: 30_000 }, () => {
  test('responses.create', async (t) => {
    const { client, provider } = await start(t, { content: 'Hello there' });
    const response = await client.responses.create({ model: 'm', instructions: 'Be brief.', input: 'Hi' });
    assert.equal(response.output_text, 'Hello there');
    assert.deepEqual([response.model, response.status, response.usage?.total_tokens], ['m', 'completed', 35]);
    assert.match(response._request_id ?? '', /^req_/);
    assert.deepEqual(provider.chats(), [
      {
        model: 'real',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
      },
    ]);
  });

  for (const [name, length] of [
    ['10 bytes', 10],
    ['5 KiB', 5 * 1024],
    ['100 KiB', 100 * 1024],
  ] as const) {
    test(`a text of ${name}, whole and streamed`, async (t) => {
      const text = 'äöü x\n"'.repeat(length).slice(0, length);
      const { client } = await start(t, { content: text });
      const response = await client.responses.create({ model: 'm', input: 'Hi' });
      assert.equal(response.output_text, text);
      const stream = client.responses.stream({ model: 'm', input: 'Hi' });
      let sent = '';
      stream.on('response.output_text.delta', ({ delta }) => {
        sent += delta;
      });
      const streamed = await stream.finalResponse();
      assert.equal(sent, text);
      assert.equal(streamed.output_text, text);
      assert.deepEqual(streamed.usage, response.usage);
    });
  }

  test('a stream of events', async (t) => {
    const { client } = await start(t, { reasoning_content: 'Let me think.', content: 'Hello' });
    const stream = await client.responses.create({ model: 'm', input: 'Hi', stream: true });
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    assert.deepEqual(
      events.map(({ sequence_number: number }) => number),
      events.map((_, index) => index),
    );
    const types = events.map(({ type }) => type);
    assert.deepEqual(types.slice(0, 3), [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
    ]);
    assert.equal(types.at(-1), 'response.completed');
    assert.ok(types.includes('response.reasoning_summary_text.delta'));
  });

  test('a tool over three turns, by the stream helper', async (t) => {
    const { client, provider } = await start(
      t,
      {
        content: 'I look.',
        tool_calls: [toolCall('call_a', 'weather', { city: 'Bern' })],
      },
      { tool_calls: [toolCall('call_a', 'weather', { city: 'Rom' })] },
      { content: 'Rain and sun.' },
    );
    const input: ResponseInput = [{ role: 'user', content: 'Weather?' }];
    const cities: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await client.responses
        .stream({ model: 'm', input: [...input], tools: [WEATHER], store: false })
        .finalResponse();
      input.push(...(response.output as ResponseInput));
      const calls = response.output.filter((item) => item.type === 'function_call');
      for (const call of calls) {
        cities.push(JSON.parse(call.arguments).city);
        input.push({
          type: 'function_call_output',
          call_id: call.call_id,
          output: `fine in ${cities.at(-1)}`,
        });
      }
      if (turn === 2) assert.equal(response.output_text, 'Rain and sun.');
    }
    assert.deepEqual(cities, ['Bern', 'Rom']);
    const messages = provider.chats().at(-1)?.messages ?? [];
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'tool', 'assistant', 'tool'],
    );
    const ids = messages.flatMap(({ tool_call_id: id }) => id ?? []);
    assert.equal(ids[0], 'call_a');
    assert.match(String(ids[1]), /^call_\w{20,}$/, 'an id that the provider uses again is replaced');
    assert.deepEqual(messages[4], { role: 'tool', tool_call_id: ids[1], content: 'fine in Rom' });
  });

  test('parallel tools, whole and streamed', async (t) => {
    const calls = ['Bern', 'Rom', 'Wien'].map((city, index) => toolCall(`c${index}`, 'weather', { city }));
    const { client } = await start(t, { tool_calls: calls });
    const request = { model: 'm', input: 'Weather?', tools: [WEATHER], parallel_tool_calls: true };
    const whole = await client.responses.create(request);
    const streamed = await client.responses.stream(request).finalResponse();
    for (const { output } of [whole, streamed]) {
      const made = output.map((item) =>
        item.type === 'function_call' ? [item.call_id, item.arguments] : item.type,
      );
      assert.deepEqual(made, [
        ['c0', '{"city":"Bern"}'],
        ['c1', '{"city":"Rom"}'],
        ['c2', '{"city":"Wien"}'],
      ]);
    }
  });

  test('a freeform tool', async (t) => {
    const patch = '*** Begin Patch\n*** End Patch';
    const { client, provider } = await start(
      t,
      { tool_calls: [toolCall('c', 'apply_patch', { input: patch })] },
      { content: 'Done.' },
    );
    const tools: Tool[] = [{ type: 'custom', name: 'apply_patch', format: { type: 'text' } }];
    const response = await client.responses.stream({ model: 'm', input: 'Patch it', tools }).finalResponse();
    const [call] = response.output;
    assert.ok(call?.type === 'custom_tool_call');
    assert.equal(call.input, patch);
    const next = await client.responses.create({
      model: 'm',
      tools,
      input: [
        { role: 'user', content: 'Patch it' },
        call,
        { type: 'custom_tool_call_output', call_id: call.call_id, output: 'ok' },
      ],
    });
    assert.equal(next.output_text, 'Done.');
    const messages = provider.chats().at(-1)?.messages ?? [];
    assert.deepEqual(messages.slice(1), [
      { role: 'assistant', content: null, tool_calls: [toolCall('c', 'apply_patch', { input: patch })] },
      { role: 'tool', tool_call_id: 'c', content: 'ok' },
    ]);
  });

  test('pictures, in a message and in an output', async (t) => {
    const { client, provider } = await start(t, { content: 'Blue.' });
    const url = dataUrl('image/png', pictureOf('image/png'));
    const picture = { type: 'input_image', image_url: url, detail: 'auto' } as const;
    await client.responses.create({
      model: 'm',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Which colour?' }, picture] },
        { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: [picture] },
      ],
    });
    const part = { type: 'image_url', image_url: { url, detail: 'auto' } };
    assert.deepEqual(provider.chats()[0]?.['messages'], [
      { role: 'user', content: [{ type: 'text', text: 'Which colour?' }, part] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: '[image]' },
      { role: 'user', content: [part] },
    ]);
  });

  test('structured output', async (t) => {
    const { client, provider } = await start(t, { content: '{"city":"Bern"}' });
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const text = { format: { type: 'json_schema', name: 'place', schema, strict: true } } as const;
    const parsed = await client.responses.parse({ model: 'm', input: 'Where?', text });
    assert.deepEqual(parsed.output_parsed, { city: 'Bern' });
    assert.deepEqual(provider.chats()[0]?.['response_format'], {
      type: 'json_schema',
      json_schema: { name: 'place', schema, strict: true },
    });
  });

  test('reasoning', async (t) => {
    const { client } = await start(t, { reasoning: 'Hm.', content: 'Yes.' });
    const response = await client.responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    const [reasoning] = response.output;
    assert.ok(reasoning?.type === 'reasoning');
    assert.deepEqual(reasoning.summary, [{ type: 'summary_text', text: 'Hm.' }]);
    assert.equal(response.output_text, 'Yes.');
  });

  test('a refusal and an answer that is too long', async (t) => {
    const { client } = await start(t, { refusal: 'No.' }, { content: 'Hel', finish: 'length' });
    const refused = await client.responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    const [item] = refused.output;
    const part = item?.type === 'message' ? item.content[0] : undefined;
    assert.equal(part?.type === 'refusal' && part.refusal, 'No.');
    const cut = await client.responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    assert.deepEqual(
      [cut.status, cut.incomplete_details, cut.output_text],
      ['incomplete', { reason: 'max_output_tokens' }, 'Hel'],
    );
  });

  test('log probabilities', async (t) => {
    const content = [{ token: 'Hi', logprob: -0.5, bytes: [72, 105], top_logprobs: [] }];
    const { client, provider } = await start(t, (res) => {
      const choice = {
        index: 0,
        message: { role: 'assistant', content: 'Hi' },
        logprobs: { content },
        finish_reason: 'stop',
      };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices: [choice] }));
    });
    const response = await client.responses.create({
      model: 'm',
      input: 'Hi',
      include: ['message.output_text.logprobs'],
      top_logprobs: 2,
    });
    const [item] = response.output;
    assert.ok(item?.type === 'message' && item.content[0]?.type === 'output_text');
    assert.deepEqual(item.content[0].logprobs, content);
    assert.deepEqual([provider.chats()[0]?.['logprobs'], provider.chats()[0]?.['top_logprobs']], [true, 2]);
  });

  test('errors of the request', async (t) => {
    const { client } = await start(t, { content: 'Hi' });
    // The provider is asked natively at first; by its 404 it is known to have chat alone.
    await client.responses.create({ model: 'm', input: 'Hi' });
    for (const [request, code, param] of [
      [
        { input: 'Hi', previous_response_id: 'resp_1' },
        'previous_response_not_found',
        'previous_response_id',
      ],
      [{ input: 'Hi', background: true }, 'unsupported_parameter', 'background'],
      [{ input: [] }, 'invalid_value', 'input'],
      [{}, 'missing_required_parameter', 'input'],
    ] as const) {
      await assert.rejects(
        client.responses.create({ model: 'm', ...(request as object) }),
        (error) => error instanceof OpenAI.BadRequestError && error.code === code && error.param === param,
      );
    }
  });

  test('errors of the provider, before the answer and within it', async (t) => {
    const overflow = { error: { message: "This model's maximum context length is 8192 tokens.", code: 400 } };
    const { client } = await start(
      t,
      (res) => res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(overflow)),
      (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n');
        res.end('data: {"error":{"message":"It broke.","type":"server_error"}}\n\n');
      },
    );
    await assert.rejects(
      client.responses.create({ model: 'm', input: 'Hi' }),
      (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded',
    );
    const stream = client.responses.stream({ model: 'm', input: 'Hi' });
    const types: string[] = [];
    stream.on('event', ({ type }) => void types.push(type));
    await assert.rejects(
      stream.finalResponse(),
      (error) => error instanceof OpenAI.APIError && /It broke/.test(error.message),
    );
    assert.equal(types.at(-1), 'response.output_text.delta');
  });

  test('retries', async (t) => {
    const busy: ChatReply = (res) =>
      res.writeHead(429, { 'retry-after-ms': '1' }).end('{"error":{"message":"busy"}}');
    const { client, provider } = await start(t, busy, busy, { content: 'Hi' });
    const patient = client.withOptions({ maxRetries: 2 });
    const response = await patient.responses.create({ model: 'm', input: 'Hi' });
    assert.equal(response.output_text, 'Hi');
    assert.equal(provider.chats().length, 3);
  });

  test('a client that leaves ends the request to the provider', async (t) => {
    let left: Promise<unknown> = Promise.resolve();
    const { client } = await start(t, (res) => {
      left = new Promise((resolve) => res.on('close', resolve));
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n');
    });
    const stream = await client.responses.create({ model: 'm', input: 'Hi', stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    await left;
  });
});
