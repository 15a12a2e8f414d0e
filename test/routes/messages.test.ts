import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type ChatProvider, type ChatReply, startChatProvider } from '../helpers/chat-provider.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits, recordOf } from '../helpers/limited-keys.ts';
import { pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';

type Json = Record<string, unknown>;

const ASK = { model: 'm', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] };
const HI: ChatReply = { content: 'Hi' };

async function start(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<{ app: AppUnderTest; provider: ChatProvider }> {
  const provider = await startChatProvider(t, HI);
  const app = await startApp(t, { env });
  await app.addProvider({ id: 'up', baseUrl: provider.origin }, [{ id: 'm', upstreamModel: 'real' }]);
  return { app, provider };
}

function post(
  app: AppUnderTest,
  headers: Record<string, string>,
  body: unknown = ASK,
  path = 'messages',
): Promise<Response> {
  return fetch(`${app.origin}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** A provider that speaks the Messages API. */
async function startNative(
  t: TestContext,
  answer: Answer,
  path = '/anthropic',
): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: `${upstream.origin}${path}`, apiKey: 'sk-up' }, [
    { id: 'm', upstreamModel: 'claude-real' },
  ]);
  return { app, upstream };
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-real',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 3, cache_read_input_tokens: 7, cache_creation_input_tokens: 2 },
};

describe('keys of /v1/messages', { timeout: 30_000 }, () => {
  test('one key in any header, or two of which one can be used', async (t) => {
    const { app } = await start(t);
    const other = 'sk-ant-subscription-0123456789';
    for (const [headers, status] of [
      [{ authorization: `Bearer ${MASTER_KEY}` }, 200],
      [{ 'x-api-key': MASTER_KEY }, 200],
      [{ 'api-key': MASTER_KEY }, 200],
      [{ authorization: `Bearer ${MASTER_KEY}`, 'x-api-key': MASTER_KEY }, 200],
      [{ authorization: `Bearer ${MASTER_KEY}`, 'x-api-key': other }, 200],
      [{ authorization: `Bearer ${other}`, 'x-api-key': MASTER_KEY }, 200],
      [{ authorization: `Bearer ${other}`, 'api-key': MASTER_KEY }, 200],
      [{ authorization: 'Token x', 'x-api-key': MASTER_KEY }, 200],
      [{ authorization: `Bearer ${other}`, 'x-api-key': other }, 401],
      [{ authorization: `Bearer ${other}`, 'x-api-key': `${other}x` }, 401],
      [{ 'x-api-key': other, 'api-key': MASTER_KEY }, 401],
      [{ authorization: `Bearer ${other}` }, 401],
      [{}, 401],
    ] as const) {
      for (const path of ['messages', 'messages/count_tokens']) {
        const answer = await post(app, headers, ASK, path);
        assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
        if (status !== 401) continue;
        const { error } = (await answer.json()) as { error: Json };
        assert.equal(error['type'], 'authentication_error');
        assert.equal(answer.headers.get('x-should-retry'), 'false');
      }
    }
    assert.equal((await post(app, { 'x-api-key': MASTER_KEY }, ASK, 'messages?key=sk-in-query')).status, 401);
    const chat = { authorization: `Bearer ${MASTER_KEY}`, 'x-api-key': other };
    assert.equal((await post(app, chat, ASK, 'chat/completions')).status, 401);
  });
});

describe('/v1/messages over chat', { timeout: 60_000 }, () => {
  test('takes no query along, and nothing that only Anthropic knows', async (t) => {
    const { app, provider } = await start(t);
    const headers = {
      'x-api-key': MASTER_KEY,
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'x-2026',
    };
    const answer = await post(app, headers, { ...ASK, betas: ['x'] }, 'messages?beta=true');
    assert.equal(answer.status, 200);
    const [sent] = provider.received;
    assert.equal(sent?.url, '/v1/chat/completions');
    assert.ok(!Object.keys(sent?.headers ?? {}).some((name) => name.startsWith('anthropic')));
  });

  test('all answers have the request id, errors also their code', async (t) => {
    const { app } = await start(t);
    for (const [path, body, status, code] of [
      ['messages', ASK, 200, null],
      ['messages/count_tokens', ASK, 200, null],
      ['messages', { ...ASK, model: 'nope' }, 404, 'model_not_found'],
      ['messages', { ...ASK, model: undefined }, 400, 'missing_required_parameter'],
      ['messages/nothing', ASK, 404, 'unknown_url'],
      ['messages/count_tokens', { model: 'm' }, 400, 'missing_required_parameter'],
    ] as const) {
      const answer = await post(app, { 'x-api-key': MASTER_KEY }, body, path);
      assert.equal(answer.status, status, `${path} ${await answer.clone().text()}`);
      assert.equal(answer.headers.get('request-id'), answer.headers.get('x-request-id'));
      assert.equal(answer.headers.get('x-ipin-error-code'), code);
      if (status === 200) continue;
      const value = (await answer.json()) as Json;
      assert.deepEqual([value['type'], value['request_id']], ['error', answer.headers.get('request-id')]);
    }
    const get = await fetch(`${app.origin}/v1/messages`, { headers: { 'x-api-key': MASTER_KEY } });
    assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST']);
    assert.equal(((await get.json()) as { error: Json }).error['type'], 'invalid_request_error');
    const text = await fetch(`${app.origin}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': MASTER_KEY },
      body: 'x',
    });
    assert.equal(text.status, 415);
    const hello = await fetch(`${app.origin}/api/hello`, { method: 'HEAD' });
    assert.equal(hello.status, 404);
  });

  test('answers of every size, whole and streamed', async (t) => {
    const { app, provider } = await start(t);
    for (const size of [10, 5_000, 100_000, 5_000_000]) {
      const content = 'wörd '.repeat(size / 5);
      provider.replies = [{ content }];
      const whole = (await expectStatus(200, await app.v1('messages', ASK))) as {
        content: { text: string }[];
      };
      assert.ok(whole.content[0]?.text === content, `${size} whole`);
      if (size > 100_000) continue;
      const text = await (await app.v1('messages', { ...ASK, stream: true })).text();
      const deltas = [...text.matchAll(/"text_delta","text":("(?:[^"\\]|\\.)*")/g)].map(
        ([, json]) => JSON.parse(json ?? '') as string,
      );
      assert.ok(deltas.join('') === content, `${size} streamed`);
      assert.ok(text.endsWith('data: {"type":"message_stop"}\n\n'));
    }
  });

  test('a long history arrives whole', async (t) => {
    const { app, provider } = await start(t);
    const messages = Array.from({ length: 3_000 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: index === 1_000 ? 'ü'.repeat(300_000) : `${index} "ü"\n`.repeat(20),
    }));
    await expectStatus(200, await app.v1('messages', { ...ASK, messages }));
    assert.deepEqual(provider.chats(), [{ model: 'real', max_tokens: 50, messages }]);
  });

  test('a request that becomes too large or too deep for chat is the mistake of the caller', async (t) => {
    const { app, provider } = await start(t);
    const call = '{"type":"tool_use","id":"a","name":"f","input":{}}';
    const calls = Array(60_000).fill(call).join(',');
    const deep = `${'{"properties":'.repeat(124)}{}${'}'.repeat(124)}`;
    for (const members of [
      `"messages":[{"role":"assistant","content":[${calls}]}]`,
      `"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"f","input_schema":${deep}}]`,
    ]) {
      const answer = await app.v1('messages', `{"model":"m","max_tokens":5,${members}}`);
      assert.deepEqual([answer.status, answer.headers.get('x-ipin-error-code')], [400, 'invalid_body']);
    }
    assert.equal(provider.received.length, 0);
  });

  test('a stream with thousands of records, one of 8 MB, a record that has no end', async (t) => {
    const big = 'x'.repeat(8_000_000);
    const chunk = (content: string): string =>
      `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk('ab').repeat(3_000));
      res.write(chunk(big));
      res.end(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]`);
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const text = await (await app.v1('messages', { ...ASK, stream: true })).text();
    assert.equal(text.split('"text":"ab"').length, 3_001);
    assert.ok(text.includes(`"text":"${big}"`));
    assert.ok(text.endsWith('data: {"type":"message_stop"}\n\n'));
  });

  test('a provider that does not stream, although it was asked to', async (t) => {
    const upstream = await startUpstream(
      t,
      json({
        choices: [
          {
            index: 0,
            message: { content: 'Hi', tool_calls: [{ id: 'a', function: { name: 'run', arguments: '{}' } }] },
            finish_reason: 'tool_calls',
          },
        ],
      }),
    );
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const answer = await app.v1('messages', { ...ASK, stream: true });
    assert.match(answer.headers.get('content-type') ?? '', /event-stream/);
    const types = [...(await answer.text()).matchAll(/^event: (\w+)/gm)].map(([, type]) => type);
    assert.deepEqual(types, [
      'message_start',
      ...['content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['content_block_start', 'content_block_delta', 'content_block_stop'],
      'message_delta',
      'message_stop',
    ]);
  });

  for (const [name, records, message] of [
    [
      'stops',
      'data: {"choices":[{"index":0,"delta":{"content":"So"}}]}\n\n',
      /before the answer was complete/,
    ],
    [
      'is cut within a record',
      'data: {"choices":[{"index":0,"delta":{"content":"So"}}]}\n\ndata: {"choices":[',
      /before the answer was complete/,
    ],
    [
      'reports an error',
      'data: {"choices":[{"index":0,"delta":{"content":"So"}}]}\n\ndata: {"error":{"message":"No memory for sk-up-key"}}\n\n',
      /No memory for \[redacted\]/,
    ],
    [
      'reports an error as bare JSON',
      'data: {"choices":[{"index":0,"delta":{"content":"So"}}]}\n\n{"detail":"x","error":"Gone"}\n\n',
      /Gone/,
    ],
  ] as const) {
    test(`a stream that ${name} ends with an error, and its connection stays`, async (t) => {
      const upstream = await startUpstream(t, (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(records);
      });
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'sk-up-key' }, [{ id: 'm' }]);
      const text = await (await app.v1('messages', { ...ASK, stream: true })).text();
      assert.ok(!text.includes('message_stop') && !text.includes('sk-up-key'));
      const last = text.slice(0, -2).split('\n\n').at(-1) ?? '';
      assert.match(last, /^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
      assert.match(last, message);
      assert.match(last, /"request_id":"req_\w+"\}$/);
    });
  }

  test('a stream that fails before its content is asked of the next provider', async (t) => {
    const { app, provider } = await start(t, { UPSTREAM_RETRIES: '2' });
    const broken = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(
        'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\ndata: {"error":{"message":"x"}}\n\n',
      );
    });
    await app.addProvider({ id: 'broken', baseUrl: broken.origin }, [
      { id: 'two', fallbacks: [{ providerId: 'up', upstreamModel: 'real', weight: null, price: null }] },
    ]);
    const answer = await app.v1('messages', { ...ASK, model: 'two', stream: true });
    assert.equal(answer.headers.get('x-ipin-provider'), 'up');
    assert.equal(answer.headers.get('x-ipin-attempts'), '2');
    const text = await answer.text();
    assert.ok(text.includes('"model":"two"') && text.endsWith('data: {"type":"message_stop"}\n\n'));
    assert.deepEqual([broken.received.length, provider.chats().length], [1, 1]);
  });

  test('a target that speaks the protocol, after one that does not', async (t) => {
    const failing = await startUpstream(t, json({ error: { message: 'x' } }, 500));
    const native = await startUpstream(t, json({ ...MESSAGE, model: 'm' }));
    const app = await startApp(t, { env: { UPSTREAM_RETRIES: '1' } });
    await app.addProvider({ id: 'native', baseUrl: `${native.origin}/anthropic` }, []);
    await app.addProvider({ id: 'up', baseUrl: failing.origin }, [
      { id: 'm', fallbacks: [{ providerId: 'native', upstreamModel: null, weight: null, price: null }] },
    ]);
    const answer = (await expectStatus(200, await app.v1('messages', { ...ASK, top_k: 3 }))) as Json;
    assert.equal(answer['id'], 'msg_1');
    assert.equal(failing.received[0]?.url, '/v1/chat/completions');
    assert.equal(native.received[0]?.url, '/anthropic/v1/messages');
    assert.deepEqual(JSON.parse(native.received[0]?.body.toString() ?? ''), { ...ASK, top_k: 3 });
  });

  test('options of the model apply to the chat request', async (t) => {
    const { app, provider } = await start(t);
    const options = {
      maxOutputTokens: 20,
      maxTokensField: 'max_completion_tokens',
      reasoningEffort: true,
      defaults: { top_k: 1 },
    } as const;
    await expectStatus(
      201,
      await app.admin('POST', '/api/admin/models', { id: 'o', providerId: 'up', options }),
    );
    await app.v1('messages', { ...ASK, model: 'o', output_config: { effort: 'max' } });
    const names = ['max_completion_tokens', 'reasoning_effort', 'top_k', 'max_tokens'];
    assert.deepEqual(
      names.map((name) => provider.chats()[0]?.[name]),
      [20, 'high', 1, undefined],
    );
  });

  test('pings while the model is silent, and before a provider has answered', async (t) => {
    let release = (): void => {};
    const upstream = await startUpstream(t, (_req, res) => {
      release = () => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
        release = () => void res.end('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n');
      };
    });
    const app = await startApp(t, { env: { SSE_KEEPALIVE_MS: '40', EARLY_STREAM_MS: '20' } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const answer = await app.v1('messages', { ...ASK, stream: true });
    const reader = (answer.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream() as never)
      .getReader();
    let text = '';
    const readUntil = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended with ${text}`);
        text += value as unknown as string;
      }
    };
    await readUntil(/event: ping/);
    release();
    await readUntil(/text_delta[\s\S]*event: ping/);
    release();
    await readUntil(/message_stop/);
    assert.ok(text.indexOf('event: ping') < text.indexOf('message_start'));
    assert.equal(text.split('event: message_start').length, 2);
  });

  test('an error after the headers have left early', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      setTimeout(
        () => res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"No."}}'),
        60,
      );
    });
    const app = await startApp(t, { env: { EARLY_STREAM_MS: '10' } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const answer = await app.v1('messages', { ...ASK, stream: true });
    assert.equal(answer.status, 200);
    assert.match(
      await answer.text(),
      /^event: error\ndata: \{"type":"error","error":\{"type":"invalid_request_error","message":"No\."\}/,
    );
  });
});

describe('rights, limits and books of /v1/messages', { timeout: 60_000 }, () => {
  test('rights', async (t) => {
    const { app, provider } = await start(t);
    const key = await app.addKey({ models: ['other'] });
    const forbidden = await app.v1('messages', ASK, key);
    assert.equal(forbidden.status, 403);
    assert.equal(((await forbidden.json()) as { error: Json }).error['type'], 'permission_error');
    assert.equal((await app.v1('messages/count_tokens', ASK, key)).status, 403);
    const own = await app.addKey({ models: ['m'] });
    // Members that pick other models mean nothing once they are translated.
    assert.equal(
      (await app.v1('messages', { ...ASK, models: ['other'], fallbacks: ['other'] }, own)).status,
      200,
    );
    assert.ok(!('models' in (provider.chats()[0] ?? {})));
    await app.addProvider({ id: 'native', baseUrl: 'http://127.0.0.1:9/anthropic' }, [{ id: 'n' }]);
    const narrow = await app.addKey({ models: ['n'] });
    const refused = await app.v1('messages', { ...ASK, model: 'n', models: ['other'] }, narrow);
    assert.equal(refused.status, 400);
    assert.equal(refused.headers.get('x-ipin-error-code'), 'invalid_body');
    assert.equal(
      (await app.v1('messages/count_tokens', { ...ASK, model: 'n', fallbacks: ['m'] }, narrow)).status,
      400,
    );
  });

  test('limits count messages, and not the counting of tokens', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({ limits: makeLimits({ rpm: 1 }) });
    for (let count = 0; count < 5; count++)
      assert.equal((await app.v1('messages/count_tokens', ASK, key)).status, 200);
    const first = await app.v1('messages', ASK, key);
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '0');
    const second = await app.v1('messages', ASK, key);
    assert.equal(second.status, 429);
    assert.ok(Number(second.headers.get('retry-after')) > 0);
    assert.equal(second.headers.get('x-should-retry'), null);
    assert.equal(((await second.json()) as { error: Json }).error['type'], 'rate_limit_error');
    assert.equal((await app.v1('messages/count_tokens', ASK, key)).status, 200);
  });

  test('usage and log, translated', async (t) => {
    const { app } = await start(t);
    const key = await app.addKey({ name: 'k' });
    await (await app.v1('messages', ASK, key)).text();
    await (await app.v1('messages', { ...ASK, stream: true }, key)).text();
    await (await app.v1('messages/count_tokens', ASK, key)).text();
    const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/requests'))) as {
      data: Json[];
    };
    assert.deepEqual(
      data.map(
        ({
          endpoint,
          model,
          upstreamModel,
          provider,
          status,
          stream,
          promptTokens,
          cachedTokens,
          completionTokens,
          estimated,
        }) => [
          endpoint,
          model,
          upstreamModel,
          provider,
          status,
          stream,
          promptTokens,
          cachedTokens,
          completionTokens,
          estimated,
        ],
      ),
      [true, false].map((stream) => ['messages', 'm', 'real', 'up', 200, stream, 30, 10, 5, false]),
    );
    assert.equal(recordOf(app, key).name, 'k');
  });

  test('usage of a provider that speaks the protocol, with its cache', async (t) => {
    const start_ = {
      type: 'message_start',
      message: { ...MESSAGE, content: [], usage: { ...MESSAGE.usage, output_tokens: 1 } },
    };
    const events = [
      start_,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
      { type: 'message_stop' },
    ];
    const { app } = await startNative(t, (req, res, request) => {
      if (!request.body.includes('"stream":true')) return json(MESSAGE)(req, res, request);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      res.end();
    });
    await (await app.v1('messages', ASK)).text();
    const streamed = await (await app.v1('messages', { ...ASK, stream: true })).text();
    assert.ok(streamed.includes('"model":"m"') && streamed.endsWith('{"type":"message_stop"}\n\n'));
    const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/requests'))) as {
      data: Json[];
    };
    for (const call of data) {
      const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, estimated } = call;
      assert.deepEqual(
        [promptTokens, cachedTokens, cacheWriteTokens, completionTokens, estimated],
        [14, 7, 2, 3, false],
      );
    }
    assert.equal(data.length, 2);
  });
});

describe('a provider that speaks the Messages API', { timeout: 60_000 }, () => {
  test('gets the bytes as they are but for the model, with query and headers', async (t) => {
    const { app, upstream } = await startNative(t, json(MESSAGE, 200, { 'request-id': 'req_theirs' }));
    const body =
      '{ "max_tokens": 5,"model" :"m", "messages":[{"role":"user","content":[{"type":"text","text":"\\u0048i","cache_control":{"type":"ephemeral"}}]}], "future":[1.0, 2e3] }';
    const answer = await fetch(`${app.origin}/v1/messages?beta=true`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': MASTER_KEY,
        'anthropic-version': '2026-10-21',
        'anthropic-beta': 'a-1,b-2',
      },
      body,
    });
    assert.deepEqual(await answer.json(), { ...MESSAGE, model: 'm' });
    assert.notEqual(answer.headers.get('request-id'), 'req_theirs');
    assert.equal(answer.headers.get('x-ipin-upstream-request-id'), 'req_theirs');
    const [sent] = upstream.received;
    assert.equal(sent?.url, '/anthropic/v1/messages?beta=true');
    assert.equal(sent?.body.toString(), body.replace('"m"', '"claude-real"'));
    assert.deepEqual(
      ['authorization', 'anthropic-version', 'anthropic-beta', 'x-api-key'].map(
        (name) => sent?.headers[name],
      ),
      ['Bearer sk-up', '2026-10-21', 'a-1,b-2', undefined],
    );
  });

  test('options of the model do not apply, and nothing is checked but pictures', async (t) => {
    const { app, upstream } = await startNative(t, json(MESSAGE));
    await expectStatus(
      201,
      await app.admin('POST', '/api/admin/models', {
        id: 'o',
        providerId: 'up',
        options: { maxOutputTokens: 2, drop: ['top_k'] },
      }),
    );
    const body = {
      model: 'o',
      max_tokens: 9,
      top_k: 3,
      thread: { type: 'continue', previous_message_id: 'x' },
      messages: [],
    };
    await expectStatus(200, await app.v1('messages', body));
    assert.deepEqual(JSON.parse(upstream.received[0]?.body.toString() ?? ''), body);
    const picture = (data: string): Json => ({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data },
    });
    const ask = (block: Json): Promise<Response> =>
      app.v1('messages', {
        ...ASK,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'a', content: [block] },
              picture(pictureOf('image/png').toString('base64')),
            ],
          },
        ],
      });
    assert.equal((await ask(picture(pictureOf('image/png').toString('base64')))).status, 200);
    for (const data of ['AAAA', 'not base64!', '']) {
      const refused = await ask(picture(data));
      assert.deepEqual(
        [refused.status, refused.headers.get('x-ipin-error-code')],
        [400, 'image_validation_failed'],
        data,
      );
    }
    const document = {
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
    };
    assert.equal((await ask(document)).status, 200);
  });

  test('its errors keep their type; a refused key does not look like the caller’s', async (t) => {
    let status = 529;
    let type = 'overloaded_error';
    const { app } = await startNative(t, (req, res, request) =>
      json({ type: 'error', error: { type, message: 'Told.' }, request_id: 'req_x' }, status)(
        req,
        res,
        request,
      ),
    );
    for (const [upstreamStatus, upstreamType, expected] of [
      [529, 'overloaded_error', [529, 'overloaded_error']],
      [400, 'invalid_request_error', [400, 'invalid_request_error']],
      [413, 'request_too_large', [413, 'request_too_large']],
      [404, 'not_found_error', [404, 'not_found_error']],
      [401, 'authentication_error', [502, 'api_error']],
    ] as const) {
      status = upstreamStatus;
      type = upstreamType;
      const answer = await app.v1('messages', ASK);
      const { error } = (await answer.json()) as { error: Json };
      assert.deepEqual([answer.status, error['type']], expected);
      await app.admin('POST', '/api/admin/providers/up/wake');
    }
  });

  test('its stream is cut: the end is an error', async (t) => {
    const { app } = await startNative(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(
        `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: MESSAGE })}\n\n`,
      );
      res.write(
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
      );
      res.end();
    });
    const text = await (await app.v1('messages', { ...ASK, stream: true })).text();
    assert.match(
      text,
      /event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]+"\},"request_id":"req_\w+"\}\n\n$/,
    );
  });

  test('counts tokens itself; where it cannot, the estimate stands in', async (t) => {
    const { app, upstream } = await startNative(t, json({ input_tokens: 77 }));
    const { max_tokens: _most, ...body } = ASK;
    assert.deepEqual(await expectStatus(200, await app.v1('messages/count_tokens?beta=true', body)), {
      input_tokens: 77,
    });
    assert.equal(upstream.received[0]?.url, '/anthropic/v1/messages/count_tokens?beta=true');
    upstream.answer = json({ detail: 'Not Found' }, 404);
    const { input_tokens: tokens } = (await expectStatus(
      200,
      await app.v1('messages/count_tokens', body),
    )) as { input_tokens: number };
    assert.ok(tokens > 5 && tokens < 30);
    upstream.answer = json({ error: { message: 'x' } }, 500);
    assert.equal((await app.v1('messages/count_tokens', body)).status, 500);
  });
});
