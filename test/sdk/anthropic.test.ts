import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { DEMO_KEY, startDemo } from '../demo/start-demo.ts';
import { type ChatProvider, type ChatReply, startChatProvider, toolCall } from '../helpers/chat-provider.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

function clientOf(app: AppUnderTest, options: { apiKey?: string; maxRetries?: number } = {}): Anthropic {
  return new Anthropic({
    apiKey: MASTER_KEY,
    baseURL: app.origin,
    maxRetries: 0,
    timeout: 10_000,
    ...options,
  });
}

/** The client of a proxy whose provider speaks chat alone and says what the test says. */
async function start(
  t: TestContext,
  ...replies: readonly ChatReply[]
): Promise<{ client: Anthropic; app: AppUnderTest; provider: ChatProvider }> {
  const provider = await startChatProvider(t, ...replies);
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: provider.origin }, [{ id: 'claude-*', upstreamModel: 'qwen3' }]);
  return { app, client: clientOf(app), provider };
}

const ASK = {
  model: 'claude-haiku-5-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Hi' }],
};
const TOOLS: Anthropic.Tool[] = [
  {
    name: 'add',
    input_schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
  },
];

describe('the SDK of Anthropic through the proxy', { timeout: 60_000 }, () => {
  test('chats', async (t) => {
    const { client, provider } = await start(t, { reasoning_content: 'Hm', content: 'Hello!' });
    const {
      data,
      response,
      request_id: requestId,
    } = await client.messages.create({ ...ASK, system: 'Be brief.' }).withResponse();
    assert.deepEqual(data.content, [
      { type: 'thinking', thinking: 'Hm', signature: '' },
      { type: 'text', text: 'Hello!', citations: null },
    ]);
    assert.deepEqual([data.model, data.stop_reason], ['claude-haiku-5-5', 'end_turn']);
    assert.deepEqual(
      [data.usage.input_tokens, data.usage.cache_read_input_tokens, data.usage.output_tokens],
      [20, 10, 5],
    );
    assert.equal(requestId, response.headers.get('x-request-id'));
    assert.equal(response.headers.get('x-ipin-provider'), 'up');
    assert.deepEqual(provider.chats(), [
      {
        model: 'qwen3',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        max_tokens: 100,
      },
    ]);
  });

  test('streams with its helpers', async (t) => {
    const content = 'A long text, "quoted", in several pieces. ⌘';
    const { client, provider } = await start(t, { reasoning_content: 'Thinking about it', content });
    const stream = client.messages.stream(ASK);
    const texts: string[] = [];
    const thoughts: string[] = [];
    stream.on('text', (text) => texts.push(text)).on('thinking', (text) => thoughts.push(text));
    const message = await stream.finalMessage();
    assert.ok(texts.length > 3 && thoughts.length > 1);
    assert.deepEqual([texts.join(''), thoughts.join('')], [content, 'Thinking about it']);
    assert.deepEqual(
      message.content.map((block) => block.type),
      ['thinking', 'text'],
    );
    assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [20, 5]);
    assert.deepEqual(provider.chats()[0]?.['stream_options'], { include_usage: true });
  });

  for (const isStreamed of [false, true]) {
    test(`uses tools over three turns, several at a time${isStreamed ? ', streamed' : ''}`, async (t) => {
      // Many servers number their calls anew in every answer.
      const call = (index: number, input: object) => toolCall(`call_${index}`, 'add', input);
      const { client, provider } = await start(
        t,
        { content: 'Adding.', tool_calls: [call(0, { a: 1, b: 2 }), call(1, { a: 3, b: 4 })] },
        { tool_calls: [call(0, { a: 3, b: 7 })] },
        { content: 'It is 10.' },
      );
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Add 1 to 4' }];
      const ids: string[] = [];
      let answer: Anthropic.Message;
      do {
        const request = { ...ASK, tools: TOOLS, messages };
        answer = await (isStreamed
          ? client.messages.stream(request).finalMessage()
          : client.messages.create(request));
        const calls = answer.content.filter((block) => block.type === 'tool_use');
        ids.push(...calls.map(({ id }) => id));
        messages.push({ role: 'assistant', content: answer.content });
        const results = calls.map(({ id, input }): Anthropic.ToolResultBlockParam => {
          const { a, b } = input as { a: number; b: number };
          return { type: 'tool_result', tool_use_id: id, content: String(a + b) };
        });
        if (results.length > 0) messages.push({ role: 'user', content: results.toReversed() });
      } while (answer.stop_reason === 'tool_use' && provider.chats().length < 9);
      assert.deepEqual(
        [provider.chats().length, answer.content.at(-1)],
        [3, { type: 'text', text: 'It is 10.', citations: null }],
      );
      assert.equal(new Set(ids).size, 3, 'each call has an id of its own');
      const results = provider.chats()[2]?.messages.filter(({ role }) => role === 'tool');
      assert.deepEqual(
        results?.map(({ content }) => content),
        ['3', '7', '10'],
      );
    });
  }

  test('sends images, also in results of tools', async (t) => {
    const { client, provider } = await start(t, { content: 'A picture.' });
    const data = pictureOf('image/png', 100_000).toString('base64');
    const image: Anthropic.ImageBlockParam = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data },
    };
    await client.messages.create({
      ...ASK,
      messages: [
        { role: 'user', content: [image, { type: 'text', text: 'See' }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'add', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [image] }] },
      ],
    });
    const url = { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } };
    const { messages = [] } = provider.chats()[0] ?? {};
    assert.deepEqual(messages[0]?.content, [url, { type: 'text', text: 'See' }]);
    assert.deepEqual(messages.at(-1), { role: 'user', content: [url] });
    const broken = { ...image, source: { ...image.source, data: 'AAAA' } } as Anthropic.ImageBlockParam;
    const error = await client.messages
      .create({ ...ASK, messages: [{ role: 'user', content: [broken] }] })
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.headers.get('x-ipin-error-code'), 'image_validation_failed');
    assert.equal(provider.chats().length, 1);
  });

  test('asks for structured output', async (t) => {
    const { client, provider } = await start(t, { content: '{"title":"Hi"}' });
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' } },
      required: ['title'],
      additionalProperties: false,
    };
    const { content } = await client.messages.create({
      ...ASK,
      output_config: { format: { type: 'json_schema', schema } },
    });
    assert.deepEqual(content, [{ type: 'text', text: '{"title":"Hi"}', citations: null }]);
    assert.deepEqual(provider.chats()[0]?.['response_format'], {
      type: 'json_schema',
      json_schema: { name: 'answer', schema, strict: true },
    });
  });

  test('counts tokens without asking anybody', async (t) => {
    const { client, provider } = await start(t);
    const { input_tokens: tokens } = await client.messages.countTokens({
      model: 'claude-x',
      messages: [{ role: 'user', content: 'x'.repeat(4_000) }],
    });
    assert.ok(tokens > 1_000 && tokens < 1_100, String(tokens));
    assert.equal(provider.chats().length, 0);
  });

  test('lists models, and finds one', async (t) => {
    const { app, client } = await start(t);
    await app.addProvider({ id: 'two', baseUrl: 'http://127.0.0.1:9' }, [{ id: 'claude-my', name: 'Mine' }]);
    const list = await client.models.list();
    assert.deepEqual(
      list.data.map(({ id, type, display_name: name }) => [id, type, name]),
      [['claude-my', 'model', 'Mine']],
    );
    assert.equal(list.hasNextPage(), false);
    assert.equal((await client.models.retrieve('claude-my')).display_name, 'Mine');
  });

  test('has errors of the right class, with the request id', async (t) => {
    const { app } = await start(t);
    const failed = async (ask: Promise<unknown>): Promise<APIError> => {
      const error = await ask.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof APIError, String(error));
      assert.match(error.requestID ?? '', /^req_/);
      return error;
    };
    const wrongKey = await failed(clientOf(app, { apiKey: 'sk-wrong' }).messages.create(ASK));
    assert.ok(wrongKey instanceof Anthropic.AuthenticationError);
    assert.equal(wrongKey.headers?.get('x-should-retry'), 'false');
    const unknown = await failed(clientOf(app).messages.create({ ...ASK, model: 'nope' }));
    assert.ok(unknown instanceof Anthropic.NotFoundError);
    const key = await app.addKey({ models: ['other'] });
    const forbidden = await failed(clientOf(app, { apiKey: key }).messages.create(ASK));
    assert.ok(forbidden instanceof Anthropic.PermissionDeniedError);
    const invalid = await failed(clientOf(app).messages.create({ ...ASK, max_tokens: 0 }));
    assert.ok(invalid instanceof Anthropic.BadRequestError);
    assert.deepEqual(invalid.error, {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'max_tokens: must be a whole number of at least 1' },
      request_id: invalid.requestID,
    });
  });

  test('repeats what it should repeat, and nothing else', async (t) => {
    let status = 503;
    const upstream = await startUpstream(t, (req, res, request) =>
      json({ error: { message: 'Busy', type: 'server_error' } }, status, { 'retry-after-ms': '1' })(
        req,
        res,
        request,
      ),
    );
    const app = await startApp(t);
    // A long rest, which ends the call at once, would hide the repetitions.
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'claude-x' }]);
    const countFor = async (answer: number, name: string): Promise<number> => {
      status = answer;
      const before = upstream.received.length;
      const error = await clientOf(app, { maxRetries: 2 })
        .messages.create({ ...ASK, model: 'claude-x' })
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof APIError);
      assert.equal((error.error as { error: { type: string } }).error.type, name);
      return upstream.received.length - before;
    };
    assert.equal(await countFor(400, 'invalid_request_error'), 1);
    assert.equal(await countFor(500, 'api_error'), 3);
    assert.equal(await countFor(402, 'billing_error'), 1);
  });

  test('a spent budget is final', async (t) => {
    const { app, provider } = await start(t, { content: 'Hi' });
    const key = await app.addKey({ limits: makeLimits({ budgetTokens: 10, budgetPeriod: 'total' }) });
    const client = clientOf(app, { apiKey: key, maxRetries: 5 });
    await client.messages.create({ ...ASK, max_tokens: 1 });
    const error = await client.messages.create(ASK).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Anthropic.RateLimitError);
    assert.equal(error.headers.get('x-ipin-error-code'), 'insufficient_quota');
    assert.equal(provider.chats().length, 1);
  });

  test('an error in the midst of a stream is thrown', async (t) => {
    const { client } = await start(t, {
      content: 'So far',
      error: { message: 'Out of memory', type: 'server_error' },
    });
    const stream = client.messages.stream(ASK);
    const texts: string[] = [];
    stream.on('text', (text) => texts.push(text));
    const error = await stream.finalMessage().catch((thrown: unknown) => thrown);
    assert.ok(error instanceof APIError);
    assert.match(error.message, /Out of memory/);
    assert.equal(texts.join(''), 'So far');
  });

  test('a stream that is left ends the request to the provider', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'claude-x' }]);
    const stream = clientOf(app).messages.stream({ ...ASK, model: 'claude-x' });
    const [socket] = await new Promise<unknown[]>((resolve) =>
      stream.on('text', () => resolve([...upstream.sockets])),
    );
    assert.ok(socket instanceof Object);
    const closed = once(socket as NodeJS.EventEmitter, 'close');
    const done = stream.done().catch((error: unknown) => error);
    stream.abort();
    await closed;
    assert.ok((await done) instanceof Anthropic.APIUserAbortError);
  });

  test('talks to the demo, with a tool', async (t) => {
    const demo = await startDemo();
    t.after(() => demo.stop());
    const app = await startApp(t);
    await app.addProvider({ id: 'demo', baseUrl: `${demo.origin}/v1`, apiKey: DEMO_KEY }, [
      { id: 'demo-chat' },
    ]);
    const request: Anthropic.MessageCreateParamsNonStreaming = {
      model: 'demo-chat',
      max_tokens: 200,
      messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
      tools: [
        {
          name: 'get_weather',
          input_schema: { type: 'object', properties: { location: { type: 'string' } } },
        },
      ],
    };
    const first = await clientOf(app).messages.create(request);
    const call = first.content.find((block) => block.type === 'tool_use');
    assert.deepEqual(call?.input, { location: 'Paris' });
    const last = await clientOf(app)
      .messages.stream({
        ...request,
        messages: [
          ...request.messages,
          { role: 'assistant', content: first.content },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: '21 degrees' }],
          },
        ],
      })
      .finalMessage();
    assert.equal(last.stop_reason, 'end_turn');
    assert.match(JSON.stringify(last.content), /21 degrees/);
  });

  test('its tool runner runs tools until the model has an answer', async (t) => {
    const { client, provider } = await start(
      t,
      { tool_calls: [toolCall('call_0', 'add', { a: 1, b: 2 })] },
      { content: '3' },
    );
    const message = await client.beta.messages.toolRunner({
      ...ASK,
      tools: [
        {
          name: 'add',
          description: 'Adds',
          input_schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
          run: (input: unknown) => String((input as { a: number; b: number }).a + (input as { b: number }).b),
          parse: (input: unknown) => input,
        },
      ],
    } as never);
    assert.deepEqual((message as unknown as Anthropic.Message).content.at(-1), {
      type: 'text',
      text: '3',
      citations: null,
    });
    assert.deepEqual(provider.chats().at(-1)?.messages.at(-1)?.content, '3');
  });
});
