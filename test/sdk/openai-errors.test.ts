import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

async function start(t: TestContext): Promise<{
  app: AppUnderTest;
  upstream: FakeUpstream;
  client: (apiKey?: string, maxRetries?: number) => OpenAI;
}> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret' }, [{ id: 'm' }]);
  await app.addProvider({ id: 'closed', baseUrl: upstream.origin, enabled: false }, [{ id: 'closed' }]);
  return {
    app,
    upstream,
    client: (apiKey = MASTER_KEY, maxRetries = 0) =>
      new OpenAI({ apiKey, baseURL: `${app.origin}/v1`, maxRetries, timeout: 10_000 }),
  };
}

type ErrorClass = abstract new (...args: never[]) => InstanceType<typeof OpenAI.APIError>;

async function failure(
  client: OpenAI,
  request: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {},
): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await client.chat.completions.create({ model: 'm', messages: [], ...request }).then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OpenAI.APIError, String(error));
  return error;
}

describe('errors in the openai package', { timeout: 30_000 }, () => {
  const upstreamErrors: readonly (readonly [number, ErrorClass])[] = [
    [400, OpenAI.BadRequestError],
    [404, OpenAI.NotFoundError],
    [409, OpenAI.ConflictError],
    [422, OpenAI.UnprocessableEntityError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError],
  ];
  for (const [status, errorClass] of upstreamErrors) {
    test(`${status} of the provider is a ${errorClass.name}`, async (t) => {
      const { client, upstream } = await start(t);
      upstream.answer = json(
        { error: { message: 'told by the provider', type: 'a_type', param: 'p', code: 'a_code' } },
        status,
      );
      const error = await failure(client());
      assert.ok(error instanceof errorClass);
      assert.deepEqual(
        [error.status, error.type, error.param, error.code],
        [status, 'a_type', 'p', 'a_code'],
      );
      assert.match(error.message, /told by the provider/);
      assert.match(error.requestID ?? '', /^req_[\da-f]{32}$/);
    });
  }

  test('of this server are distinguished by their codes', async (t) => {
    const { client, app } = await start(t);
    const narrow = await app.addKey({ models: ['other'] });
    for (const [key, request, errorClass, code] of [
      ['sk-wrong', {}, OpenAI.AuthenticationError, 'invalid_api_key'],
      [narrow, {}, OpenAI.PermissionDeniedError, 'model_not_allowed'],
      [MASTER_KEY, { model: 'nope' }, OpenAI.NotFoundError, 'model_not_found'],
      [MASTER_KEY, { model: '' }, OpenAI.BadRequestError, 'missing_required_parameter'],
      [MASTER_KEY, { model: 'closed' }, OpenAI.InternalServerError, 'provider_not_configured'],
    ] as const) {
      const error = await failure(client(key), request);
      assert.ok(error instanceof errorClass, `${code}: ${error.constructor.name}`);
      assert.equal(error.code, code);
      assert.match(error.requestID ?? '', /^req_/);
    }
  });

  test('a refused provider key is not the caller’s fault', async (t) => {
    const { client, upstream } = await start(t);
    upstream.answer = json({ error: { message: 'bad key' } }, 401);
    const error = await failure(client(MASTER_KEY, 2));
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.deepEqual([error.status, error.code], [502, 'upstream_auth_failed']);
    assert.equal(upstream.received.length, 1, 'no retry can help');
  });

  test('in the middle of a stream are thrown', async (t) => {
    const { client, upstream } = await start(t);
    for (const record of [
      'data: {"error":{"message":"lost","type":"t","param":null,"code":"c"}}\n\n',
      '{"error":"lost"}',
      'data: {"object":"error","message":"lost","type":"t","param":null,"code":"c"}\n\n',
      '',
    ]) {
      upstream.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(`data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n${record}`);
      };
      const stream = await client().chat.completions.create({ model: 'm', messages: [], stream: true });
      let text = '';
      const read = async (): Promise<void> => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };
      await assert.rejects(
        read,
        (error) => error instanceof OpenAI.APIError && (record === '' || /lost/.test(error.message)),
        record,
      );
      assert.equal(text, 'a');
    }
  });
});

describe('the attempts of the openai package', { timeout: 30_000 }, () => {
  const quick = { 'retry-after-ms': '1' };
  for (const [name, status, headers, tries] of [
    ['429', 429, quick, 3],
    ['500', 500, quick, 3],
    ['503', 503, quick, 3],
    ['409', 409, quick, 3],
    ['400', 400, quick, 1],
    ['404', 404, quick, 1],
    ['429 with x-should-retry: false', 429, { ...quick, 'x-should-retry': 'false' }, 1],
    ['503 with x-should-retry: false', 503, { ...quick, 'x-should-retry': 'false' }, 1],
    ['400 with x-should-retry: true', 400, { ...quick, 'x-should-retry': 'true' }, 3],
  ] as const) {
    test(`${name}: ${tries}`, async (t) => {
      const { client, upstream } = await start(t);
      upstream.answer = json(
        { error: { message: 'no', type: 't', param: null, code: null } },
        status,
        headers,
      );
      const error = await failure(client(MASTER_KEY, 2));
      assert.equal(error.status, status);
      assert.equal(upstream.received.length, tries);
    });
  }

  test('succeed when the provider recovers', async (t) => {
    const { client, upstream } = await start(t);
    let count = 0;
    upstream.answer = (req, res, request) => {
      count += 1;
      json(count < 3 ? { error: { message: 'busy' } } : CHAT_ANSWER, count < 3 ? 429 : 200, quick)(
        req,
        res,
        request,
      );
    };
    const answer = await client(MASTER_KEY, 2).chat.completions.create({ model: 'm', messages: [] });
    assert.equal(answer.choices[0]?.message.content, 'Hi');
    assert.equal(count, 3);
  });

  test('stop after the first for a disabled provider', async (t) => {
    const { client, app } = await start(t);
    await failure(client(MASTER_KEY, 2), { model: 'closed' });
    assert.equal(app.logs.filter((line) => line.includes('provider_not_configured')).length, 1);
  });
});
