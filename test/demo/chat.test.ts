import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DEMO_TIME_MS, type RunningDemo, startDemo } from './start-demo.ts';

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        location: { type: 'string' },
        unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['location'],
    },
  },
};

describe('chat completions of the demo provider', () => {
  let demo: RunningDemo;
  before(async () => {
    demo = await startDemo();
  });
  after(() => demo.stop());

  const ask = (content: string, more: object = {}) =>
    demo.openai.chat.completions.create({
      model: 'demo-chat',
      messages: [{ role: 'user', content }],
      ...more,
    });

  test('answer the question, name the model and count tokens', async () => {
    const answer = await ask('What is the capital of France?');
    assert.equal(answer.choices[0]?.message.content, 'The capital of France is Paris.');
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.model, 'demo-chat');
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.created, DEMO_TIME_MS / 1000);
    const usage = answer.usage;
    assert.ok(usage !== undefined && usage.prompt_tokens > 0 && usage.completion_tokens > 0);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  test('give the same request the same answer', async () => {
    const [first, second] = await Promise.all([ask('Tell me a story'), ask('Tell me a story')]);
    assert.deepEqual({ ...first, _request_id: null }, { ...second, _request_id: null });
  });

  for (const [question, expected] of [
    ['Hello!', /^Hello! I am the demo provider/],
    ['What is 12 * 7?', /^12 × 7 = 84$/],
    ['Count to 5', /^1, 2, 3, 4, 5$/],
    ['Say "this is a test"', /^this is a test$/],
    ['Show me some Markdown', /```javascript[\s\S]*\| Endpoint \|/],
    ['Why is the sky blue', /^You wrote: “Why is the sky blue”/],
    ['', /^You sent no text/],
  ] as const) {
    test(`answer ${JSON.stringify(question)}`, async () => {
      assert.match((await ask(question)).choices[0]?.message.content ?? '', expected);
    });
  }

  test('repeat the instructions where the answer is the usual one', async () => {
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Why is the sky blue' },
    ];
    const answer = await demo.openai.chat.completions.create({ model: 'demo-chat', messages });
    assert.match(answer.choices[0]?.message.content ?? '', /My instructions: “Be brief\.”/);
  });

  test('stream the same text token by token, with usage last where asked for', async () => {
    const whole = await ask('Count to 20');
    const stream = await demo.openai.chat.completions.create({
      model: 'demo-chat',
      messages: [{ role: 'user', content: 'Count to 20' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant');
    assert.equal(
      chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''),
      whole.choices[0]?.message.content,
    );
    const last = chunks.pop();
    assert.deepEqual(last?.choices, []);
    assert.deepEqual(last?.usage, whole.usage);
    assert.ok(chunks.every((chunk) => chunk.usage === null));
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'stop');
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  });

  test('stream without usage where it is not asked for, and end with [DONE]', async () => {
    const body = { model: 'demo-chat', messages: [{ role: 'user', content: 'Hello' }], stream: true };
    const response = await demo.post('/v1/chat/completions', body);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const text = await response.text();
    assert.ok(text.endsWith('\n\ndata: [DONE]\n\n'));
    assert.ok(!text.includes('"usage"'));
  });

  test('end before a stop word, and at the token limit', async () => {
    const stopped = await ask('Count to 9', { stop: [', 4', ', 7'] });
    assert.equal(stopped.choices[0]?.message.content, '1, 2, 3');
    assert.equal(stopped.choices[0]?.finish_reason, 'stop');
    for (const name of ['max_tokens', 'max_completion_tokens']) {
      const cut = await ask('Count to 9', { [name]: 3 });
      assert.equal(cut.choices[0]?.message.content, '1, 2, 3,');
      assert.equal(cut.choices[0]?.finish_reason, 'length');
      assert.equal(cut.usage?.completion_tokens, 3);
    }
  });

  test('call a tool that the question speaks of, with arguments of its schema', async () => {
    const answer = await ask('What is the weather in Paris, in fahrenheit, for 3 days?', {
      tools: [WEATHER],
    });
    const [choice] = answer.choices;
    assert.equal(choice?.finish_reason, 'tool_calls');
    assert.equal(choice.message.content, null);
    const call = choice.message.tool_calls?.[0];
    assert.ok(call?.type === 'function');
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { location: 'Paris', unit: 'fahrenheit', days: 3 });
  });

  test('call no tool without need, any tool when told to', async () => {
    const calls = async (question: string, choice: unknown) =>
      (await ask(question, { tools: [WEATHER], tool_choice: choice })).choices[0]?.message.tool_calls
        ?.length ?? 0;
    assert.equal(await calls('Hello', 'auto'), 0);
    assert.equal(await calls('What is the weather?', 'none'), 0);
    assert.equal(await calls('Hello', 'required'), 1);
    assert.equal(await calls('Hello', { type: 'function', function: { name: 'get_weather' } }), 1);
    assert.equal(await calls('Please use a tool', 'auto'), 1);
  });

  test('run a whole tool loop of the SDK, streamed', async () => {
    const asked: unknown[] = [];
    const runner = demo.openai.chat.completions.runTools({
      model: 'demo-chat',
      stream: true,
      messages: [{ role: 'user', content: 'What is the weather in Oslo?' }],
      tools: [
        {
          type: 'function',
          function: {
            ...WEATHER.function,
            description: 'The weather',
            parse: JSON.parse,
            function: (input: unknown) => {
              asked.push(input);
              return 'Snow, -3 °C';
            },
          },
        },
      ],
    });
    assert.equal(await runner.finalContent(), 'The tool answered: Snow, -3 °C');
    assert.deepEqual(asked, [{ location: 'Oslo', unit: 'celsius', days: 1 }]);
  });

  test('answer structured output that satisfies the schema', async () => {
    const schema = {
      type: 'object',
      properties: {
        city: { type: 'string' },
        visits: { type: 'array', items: { type: 'integer' }, minItems: 3 },
      },
      required: ['city', 'visits'],
      additionalProperties: false,
    };
    const answer = await ask('Plan a trip to Rome', {
      response_format: { type: 'json_schema', json_schema: { name: 'trip', schema, strict: true } },
    });
    assert.deepEqual(JSON.parse(answer.choices[0]?.message.content ?? ''), {
      city: 'Rome',
      visits: [1, 1, 1],
    });
    const object = await ask('Answer in JSON', { response_format: { type: 'json_object' } });
    assert.equal(JSON.parse(object.choices[0]?.message.content ?? '').provider, 'demo');
  });

  test('let a reasoning model think first', async () => {
    const answer = await ask('Hello', { model: 'demo-reasoner' });
    assert.ok('reasoning_content' in (answer.choices[0]?.message ?? {}));
    assert.ok((answer.usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0);
  });

  test('refuse what is wrong, naming the field', async () => {
    const rows: [object, number, string | null][] = [
      [{ model: 'demo-chat' }, 400, 'messages'],
      [{ model: 'demo-chat', messages: [] }, 400, 'messages'],
      [{ messages: [{ role: 'user', content: 'a' }] }, 400, 'model'],
      [{ model: 'demo-chat', messages: [{}], stream: 'true' }, 400, 'stream'],
      [{ model: 'demo-chat', messages: [{}], max_tokens: 0 }, 400, 'max_tokens'],
      [{ model: 'demo-chat', messages: [{}], stop: ['a', 'b', 'c', 'd', 'e'] }, 400, 'stop'],
      [{ model: 'demo-chat', messages: [{}], n: 1.5 }, 400, 'n'],
      [{ model: 'demo-chat', messages: [{}], response_format: { type: 'xml' } }, 400, 'response_format'],
      [{ model: 'nobody', messages: [{}] }, 404, null],
      [{ model: 'demo-embed', messages: [{}] }, 404, 'model'],
    ];
    for (const [body, status, param] of rows) {
      const response = await demo.post('/v1/chat/completions', body);
      const { error } = (await response.json()) as { error: { param: string | null; type: string } };
      assert.deepEqual([response.status, error.param], [status, param], JSON.stringify(body));
      assert.equal(error.type, 'invalid_request_error');
    }
  });
});
