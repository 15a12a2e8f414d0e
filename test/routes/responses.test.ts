import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { followEvents, textsOf } from '../dialects/responses/follow-events.ts';
import { type Event, eventsIn, type Json } from '../dialects/responses/rendering.ts';
import { type ChatProvider, type ChatReply, startChatProvider, toolCall } from '../helpers/chat-provider.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, type ModelFields, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const HI: ChatReply = { content: 'Hello' };
const ASK = { model: 'm', input: 'Hi' };

interface Setting {
  readonly app: AppUnderTest;
  readonly provider: ChatProvider;
}

/** A provider of chat alone, whose Responses are translated from the beginning. */
async function start(
  t: TestContext,
  replies: readonly ChatReply[] = [HI],
  {
    model = {},
    env = {},
  }: { readonly model?: Partial<ModelFields>; readonly env?: Record<string, string> } = {},
): Promise<Setting> {
  const provider = await startChatProvider(t, ...replies);
  const app = await startApp(t, { env });
  await app.addProvider(
    { id: 'up', baseUrl: provider.origin, apiKey: 'provider-secret', options: { responses: 'translate' } },
    [{ id: 'm', upstreamModel: 'real', ...model }],
  );
  return { app, provider };
}

async function eventsOf(answer: Response): Promise<Event[]> {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  return eventsIn(await answer.text());
}

async function errorOf(answer: Response): Promise<Json> {
  const { error } = (await answer.json()) as { error: Json };
  return { status: answer.status, ...error };
}

const chunk = (delta: Json, finish: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const STREAM = { 'content-type': 'text/event-stream' };

describe('/v1/responses over a provider of chat completions', { timeout: 60_000 }, () => {
  test('answers whole and as a stream', async (t) => {
    const { app, provider } = await start(t);
    const answer = await app.v1('responses', ASK);
    const whole = (await answer.json()) as Json;
    assert.deepEqual(
      [answer.status, whole['object'], whole['model'], whole['status']],
      [200, 'response', 'm', 'completed'],
    );
    assert.deepEqual(
      [answer.headers.get('x-ipin-provider'), answer.headers.get('x-ipin-attempts')],
      ['up', '1'],
    );
    const { items, end } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.equal(textsOf(items).text, 'Hello');
    assert.deepEqual((end['response'] as Json)['usage'], whole['usage']);
    const [first, second] = provider.received;
    assert.deepEqual(
      [first?.url, first?.headers['authorization']],
      ['/v1/chat/completions', 'Bearer provider-secret'],
    );
    assert.deepEqual(JSON.parse(second?.body.toString() ?? ''), {
      stream_options: { include_usage: true },
      model: 'real',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
  });

  test('takes no query and no headers of the client along', async (t) => {
    const { app, provider } = await start(t);
    const answer = await fetch(`${app.origin}/v1/responses?api-version=1`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await app.addKey({})}`,
        'content-type': 'application/json',
        'openai-beta': 'x',
      },
      body: JSON.stringify(ASK),
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      [provider.received[0]?.url, provider.received[0]?.headers['openai-beta']],
      ['/v1/chat/completions', undefined],
    );
  });

  for (const size of [10, 5 * 1024, 100 * 1024, 4_000_000]) {
    test(`passes ${size} bytes of text and of arguments`, async (t) => {
      const text = 'ä"\n<x> '.repeat(size).slice(0, size);
      const message = { reasoning_content: text, content: text, tool_calls: [toolCall('c', 'f', { text })] };
      const { app } = await start(t, [message]);
      const { items } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
      const told = textsOf(items);
      assert.ok(told.text === text && told.reasoning === text);
      assert.deepEqual(JSON.parse(String(told.calls[0]?.['arguments'])), { text });
      const whole = (await (await app.v1('responses', ASK)).json()) as { output: Json[] };
      assert.deepEqual(textsOf(whole.output).text, told.text);
    });
  }

  test('passes a stream of 20,000 records', async (t) => {
    const pieces = Array.from({ length: 20_000 }, (_, index) => `${index} `);
    const { app } = await start(t, [
      (res) => {
        res.writeHead(200, STREAM);
        for (const content of pieces) res.write(chunk({ content }));
        res.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
      },
    ]);
    const events = await eventsOf(await app.v1('responses', { ...ASK, stream: true }));
    assert.equal(textsOf(followEvents(events).items).text, pieces.join(''));
    assert.equal(events.filter(({ type }) => type === 'response.output_text.delta').length, pieces.length);
  });

  test('reads records that are cut anywhere', async (t) => {
    const bytes = Buffer.from(
      `${chunk({ content: 'Grüße' })}${chunk({ content: ' 🎉' })}${chunk({}, 'stop')}data: [DONE]\n\n`,
    );
    const { app } = await start(t, [
      (res) => {
        res.writeHead(200, STREAM);
        const sendFrom = (at: number): void => {
          if (at >= bytes.length) res.end();
          else res.write(bytes.subarray(at, at + 1), () => sendFrom(at + 1));
        };
        sendFrom(0);
      },
    ]);
    const { items } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.equal(textsOf(items).text, 'Grüße 🎉');
  });

  test('answers JSON as events where the provider does not stream', async (t) => {
    const { app } = await start(t, [
      (res) =>
        res.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 3, completion_tokens: 4 },
          }),
        ),
    ]);
    const { items, end } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.equal(textsOf(items).text, 'Hello');
    assert.equal(((end['response'] as Json)['usage'] as Json)['total_tokens'], 7);
  });

  test('is in the books as a call of this endpoint, with what it used', async (t) => {
    const { app } = await start(t);
    await (await app.v1('responses', { ...ASK, stream: true })).text();
    const { data } = (await (await app.admin('GET', '/api/admin/requests')).json()) as { data: Json[] };
    const [{ endpoint, model, upstreamModel, promptTokens, completionTokens, outcome, stream } = {} as Json] =
      data;
    assert.deepEqual(
      [endpoint, model, upstreamModel, promptTokens, completionTokens, outcome, stream],
      ['responses', 'm', 'real', 30, 5, 'ok', true],
    );
  });
});

describe('what a model takes', { timeout: 30_000 }, () => {
  const history = [
    { role: 'user', content: 'Hi' },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'So?' },
  ];
  for (const [name, model, body, expected] of [
    [
      'a limit of tokens in the other field, cut to the most',
      { options: { maxTokensField: 'max_completion_tokens', maxOutputTokens: 50 } },
      { max_output_tokens: 100 },
      { max_completion_tokens: 50 },
    ],
    ['a limit of tokens', {}, { max_output_tokens: 100 }, { max_tokens: 100 }],
    [
      'an effort, by its name',
      { upstreamModel: 'gpt-oss-20b' },
      { reasoning: { effort: 'xhigh' } },
      { reasoning_effort: 'high' },
    ],
    [
      'no effort, by its option',
      { upstreamModel: 'gpt-oss-20b', options: { reasoningEffort: false } },
      { reasoning: { effort: 'low' } },
      { reasoning_effort: undefined },
    ],
    [
      'its reasoning back',
      { options: { reasoningContent: true } },
      { input: history },
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello', reasoning_content: 'hm' },
          { role: 'user', content: 'So?' },
        ],
      },
    ],
    [
      'fields that its options drop and fill in',
      { options: { drop: ['temperature'], defaults: { seed: 7 } } },
      { temperature: 1 },
      { temperature: undefined, seed: 7 },
    ],
  ] as const) {
    test(name, async (t) => {
      const { app, provider } = await start(t, [HI], { model: model as Partial<ModelFields> });
      assert.equal((await app.v1('responses', { ...ASK, ...body })).status, 200);
      for (const [field, value] of Object.entries(expected))
        assert.deepEqual(provider.chats()[0]?.[field], value, field);
    });
  }

  test('files only where it reads them', async (t) => {
    const { app } = await start(t);
    const input = [
      {
        role: 'user',
        content: [
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
        ],
      },
    ];
    const { status, code, param } = await errorOf(await app.v1('responses', { model: 'm', input }));
    assert.deepEqual([status, code, param], [400, 'unsupported_parameter', 'input']);
  });

  test('pictures that are pictures', async (t) => {
    const { app, provider } = await start(t);
    const ask = (image_url: string, place: 'message' | 'output'): Promise<Response> => {
      const content = [{ type: 'input_image', image_url }];
      const input =
        place === 'message'
          ? [{ role: 'user', content }]
          : [
              { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
              { type: 'function_call_output', call_id: 'c', output: content },
            ];
      return app.v1('responses', { model: 'm', input });
    };
    for (const place of ['message', 'output'] as const) {
      const { status, code } = await errorOf(await ask('data:image/png;base64,AAAA', place));
      assert.deepEqual([status, code], [400, 'image_validation_failed']);
      const mislabelled = dataUrl('image/gif', pictureOf('image/png'));
      assert.equal((await ask(mislabelled, place)).status, 200);
      const sent = JSON.stringify(provider.chats().at(-1)?.['messages']);
      assert.ok(sent.includes(dataUrl('image/png', pictureOf('image/png'))), 'a wrong label is mended');
    }
  });
});

describe('which way /v1/responses takes', { timeout: 30_000 }, () => {
  const NATIVE = {
    id: 'resp_up',
    object: 'response',
    model: 'm',
    output: [],
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  };

  test('natively, byte for byte, where the provider has it', async (t) => {
    const upstream = await startUpstream(t, json(NATIVE));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const body = JSON.stringify({ ...ASK, previous_response_id: 'resp_0', background: true });
    const answer = await app.v1('responses?x=1', body);
    assert.equal(await answer.text(), JSON.stringify(NATIVE));
    assert.deepEqual(
      [upstream.received[0]?.url, upstream.received[0]?.body.toString()],
      ['/v1/responses?x=1', body],
    );
  });

  for (const status of [404, 405, 501]) {
    test(`translated after ${status}, which is remembered`, async (t) => {
      const paths: string[] = [];
      const upstream = await startUpstream(t, (req, res, request) => {
        paths.push(request.url);
        if (request.url.endsWith('/responses')) json({ detail: 'Not Found' }, status)(req, res, request);
        else
          json({ choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] })(
            req,
            res,
            request,
          );
      });
      const app = await startApp(t, { env: { UPSTREAM_RETRIES: '0' } });
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const first = await app.v1('responses', ASK);
      assert.deepEqual([first.status, first.headers.get('x-ipin-attempts')], [200, '2']);
      const second = await app.v1('responses', ASK);
      assert.deepEqual([second.status, second.headers.get('x-ipin-attempts')], [200, '1']);
      assert.deepEqual(paths, ['/v1/responses', '/v1/chat/completions', '/v1/chat/completions']);
      await app.admin('PUT', '/api/admin/providers/up', { name: 'changed' });
      assert.equal((await app.v1('responses', ASK)).headers.get('x-ipin-attempts'), '2');
    });
  }

  for (const error of [
    { message: 'The model `m` does not exist', code: 'model_not_found' },
    { message: 'no such model: m' },
  ]) {
    test(`not translated after a 404 that speaks of the model: ${error.message}`, async (t) => {
      const upstream = await startUpstream(t, json({ error }, 404));
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const { status, message } = await errorOf(await app.v1('responses', ASK));
      assert.deepEqual([status, message, upstream.received.length], [404, error.message, 1]);
    });
  }

  test('never translated with the option native, never native with translate', async (t) => {
    const provider = await startChatProvider(t, HI);
    const app = await startApp(t);
    for (const mode of ['native', 'translate'] as const)
      await app.addProvider({ id: mode, baseUrl: provider.origin, options: { responses: mode } }, [
        { id: mode },
      ]);
    assert.equal((await app.v1('responses', { ...ASK, model: 'native' })).status, 404);
    assert.equal((await app.v1('responses', { ...ASK, model: 'translate' })).status, 200);
    assert.deepEqual(
      provider.received.map(({ url }) => url),
      ['/v1/responses', '/v1/chat/completions'],
    );
  });

  test('over a fallback of another kind', async (t) => {
    const broken = await startUpstream(t, json({ error: { message: 'down' } }, 500));
    const provider = await startChatProvider(t, HI);
    const app = await startApp(t, { env: { UPSTREAM_RETRIES: '1' } });
    await app.addProvider({ id: 'chat', baseUrl: provider.origin, options: { responses: 'translate' } }, []);
    const fallbacks = [{ providerId: 'chat', upstreamModel: 'other', weight: null, price: null }];
    await app.addProvider({ id: 'up', baseUrl: broken.origin }, [{ id: 'm', fallbacks }]);
    const { items, end } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.equal(textsOf(items).text, 'Hello');
    assert.equal((end['response'] as Json)['model'], 'm');
    assert.deepEqual([broken.received[0]?.url, provider.chats()[0]?.['model']], ['/v1/responses', 'other']);
  });
});

describe('rights and limits of translated responses', { timeout: 30_000 }, () => {
  test('a key may use its models only, and members that name others are left out', async (t) => {
    const { app, provider } = await start(t);
    const other = await app.addKey({ models: ['other'] });
    assert.deepEqual((await errorOf(await app.v1('responses', ASK, other)))['code'], 'model_not_allowed');
    const own = await app.addKey({ models: ['m'] });
    const picking = {
      ...ASK,
      models: ['big'],
      fallbacks: ['big'],
      route: 'fallback',
      tools: [{ type: 'function', name: 'f', model: 'big' }],
    };
    assert.equal((await app.v1('responses', picking, own)).status, 200);
    assert.doesNotMatch(JSON.stringify(provider.chats()), /big|fallback/);
  });

  test('where the way is not known yet, members that name other models are refused', async (t) => {
    const provider = await startChatProvider(t, HI);
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: provider.origin }, [{ id: 'm' }]);
    const own = await app.addKey({ models: ['m'] });
    const refused = await errorOf(await app.v1('responses', { ...ASK, models: ['big'] }, own));
    assert.deepEqual(
      [refused['status'], refused['code'], provider.received.length],
      [400, 'invalid_body', 0],
    );
    assert.equal((await app.v1('responses', ASK, own)).status, 200);
    assert.equal((await app.v1('responses', { ...ASK, models: ['big'] }, own)).status, 200);
  });

  test('limits count its tokens, and refuse before anything is sent', async (t) => {
    const { app, provider } = await start(t);
    const key = await app.addKey({ limits: makeLimits({ rpm: 2, budgetTokens: 35, budgetPeriod: 'day' }) });
    assert.equal(
      (
        await app
          .v1('responses', { ...ASK, max_output_tokens: 5, stream: true }, key)
          .then((answer) => answer.text().then(() => answer))
      ).status,
      200,
    );
    const spent = await app.v1('responses', ASK, key);
    assert.deepEqual(
      [spent.headers.get('x-should-retry'), (await errorOf(spent))['code']],
      ['false', 'insufficient_quota'],
    );
    assert.equal(provider.chats().length, 1);
    const hasty = await app.addKey({ limits: makeLimits({ rpm: 1 }) });
    await (await app.v1('responses', ASK, hasty)).text();
    const refused = await app.v1('responses', ASK, hasty);
    assert.deepEqual([refused.status, Number(refused.headers.get('retry-after')) > 0], [429, true]);
  });
});

describe('a translated stream that fails', { timeout: 30_000 }, () => {
  const begun = chunk({ content: 'Hel' });
  for (const [name, finish, outcome] of [
    ['ends early', (res) => res.end(begun), 'server_error'],
    ['is cut', (res) => res.write(begun, () => res.destroy()), 'server_error'],
    [
      'tells an error',
      (res) => res.end(`${begun}data: {"error":{"message":"slow down","code":"rate_limit_exceeded"}}\n\n`),
      'rate_limit_exceeded',
    ],
    [
      'tells a bare error',
      (res) =>
        res.end(
          `${begun}{"detail":"maximum context length exceeded","error":"maximum context length exceeded"}\n\n`,
        ),
      'context_length_exceeded',
    ],
  ] as readonly (readonly [
    string,
    (res: Parameters<Extract<ChatReply, (...args: never) => void>>[0]) => void,
    string,
  ])[]) {
    test(`${name}: an error, the failed response, and a proper end`, async (t) => {
      const { app } = await start(t, [
        (res) => {
          res.writeHead(200, STREAM);
          finish(res);
        },
      ]);
      const { end, error } = followEvents(
        await eventsOf(await app.v1('responses', { ...ASK, stream: true })),
      );
      const {
        status,
        error: told,
        output,
      } = end['response'] as { status: string; error: Json; output: Json[] };
      assert.deepEqual([status, told['code'], error?.['code']], ['failed', outcome, outcome]);
      assert.equal(textsOf(output).text, 'Hel');
      const { data } = (await (await app.admin('GET', '/api/admin/requests')).json()) as { data: Json[] };
      assert.equal(data[0]?.['outcome'], 'broken');
    });
  }

  test('before its content is an error with its status, and another target is asked', async (t) => {
    const { app, provider } = await start(
      t,
      [
        (res) => {
          res.writeHead(200, STREAM);
          res.end('data: {"error":{"message":"overloaded","type":"overloaded_error","code":503}}\n\n');
        },
        HI,
      ],
      { env: { UPSTREAM_RETRIES: '1' } },
    );
    followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.equal(provider.chats().length, 2);
  });

  test('keeps a silent stream alive with records of its own', async (t) => {
    const { app } = await start(
      t,
      [
        (res) => {
          res.writeHead(200, STREAM);
          res.write(chunk({ reasoning_content: 'hm' }));
          setTimeout(() => res.end(chunk({ content: 'Hello' }, 'stop')), 200);
        },
      ],
      { env: { SSE_KEEPALIVE_MS: '20' } },
    );
    const text = await (await app.v1('responses', { ...ASK, stream: true })).text();
    const { keepAlives, items } = followEvents(eventsIn(text));
    assert.ok(keepAlives > 0);
    assert.equal(textsOf(items).text, 'Hello');
  });

  test('that is too large to be held ends with an error', async (t) => {
    const pieces = 40;
    const { app } = await start(
      t,
      [
        (res) => {
          res.writeHead(200, STREAM);
          for (let piece = 0; piece < pieces; piece += 1) res.write(chunk({ content: 'x'.repeat(100_000) }));
          res.end(chunk({}, 'stop'));
        },
      ],
      { env: { MAX_INFLIGHT_MB: '4' } },
    );
    const { end, error } = followEvents(await eventsOf(await app.v1('responses', { ...ASK, stream: true })));
    assert.deepEqual([end.type, error?.['code']], ['response.failed', 'server_error']);
    assert.match(String(error?.['message']), /too large/);
    await until(() => app.services.budget.usedBytes === 0, 'nothing is held');
  });

  test('of a client that leaves ends at the provider', async (t) => {
    const { app, provider } = await start(t, [
      (res) => {
        res.writeHead(200, STREAM);
        res.write(begun);
      },
    ]);
    const gone = new AbortController();
    const answer = await fetch(`${app.origin}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await app.addKey({})}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...ASK, stream: true }),
      signal: gone.signal,
    });
    assert.equal(answer.status, 200);
    gone.abort();
    await until(() => provider.sockets.size === 0, 'the provider is left');
  });

  test('that began before the provider answered ends with both events', async (t) => {
    const { app } = await start(
      t,
      [
        (res) =>
          void setTimeout(
            () => res.writeHead(400).end('{"error":{"message":"no","type":"invalid_request_error"}}'),
            100,
          ),
      ],
      { env: { EARLY_STREAM_MS: '10', SSE_KEEPALIVE_MS: '0' } },
    );
    const events = eventsIn(await (await app.v1('responses', { ...ASK, stream: true })).text());
    assert.deepEqual(
      events.map(({ type, code }) => [type, code]),
      [
        ['error', 'invalid_prompt'],
        ['response.failed', undefined],
      ],
    );
  });
});

describe('errors of the provider', { timeout: 30_000 }, () => {
  for (const [name, status, error, expected] of [
    [
      'a prompt that is too long',
      400,
      { message: "This model's maximum context length is 8192 tokens", code: 400 },
      [400, 'context_length_exceeded'],
    ],
    [
      'the same with another status',
      413,
      { message: 'prompt is too long: 9 tokens > 8 maximum' },
      [400, 'context_length_exceeded'],
    ],
    [
      'llama.cpp',
      400,
      { message: 'request (9000 tokens) exceeds', type: 'exceed_context_size_error' },
      [400, 'context_length_exceeded'],
    ],
    [
      'a rate limit',
      429,
      { message: 'Request too large: too many tokens per minute', code: 'rate_limit_exceeded' },
      [429, 'rate_limit_exceeded'],
    ],
    ['a mistake', 400, { message: 'bad', code: 'bad_thing' }, [400, 'bad_thing']],
    ['a refused key', 401, { message: 'who?' }, [502, 'upstream_auth_failed']],
    ['no credit', 402, { message: 'pay', code: 'insufficient_quota' }, [402, 'insufficient_quota']],
  ] as const) {
    test(name, async (t) => {
      const { app } = await start(t, [
        (res) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error })),
      ]);
      for (const stream of [false, true]) {
        const refused = await errorOf(await app.v1('responses', { ...ASK, stream }));
        assert.deepEqual([refused['status'], refused['code']], expected);
        assert.deepEqual(Object.keys(refused).sort(), ['code', 'message', 'param', 'status', 'type']);
      }
    });
  }
});
