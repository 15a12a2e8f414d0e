import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';

type Json = Record<string, unknown>;

const OK = json({ object: 'list', data: [] }, 200, { 'x-request-id': 'req_theirs' });

async function start(
  t: TestContext,
): Promise<{ app: AppUnderTest; upstream: FakeUpstream; other: FakeUpstream }> {
  const upstream = await startUpstream(t, OK);
  const other = await startUpstream(t, OK);
  const app = await startApp(t);
  await app.addProvider({ id: 'default', baseUrl: `${upstream.origin}/v1`, apiKey: 'sk-default' }, []);
  await app.addProvider({ id: 'other', baseUrl: `${other.origin}/v1`, apiKey: 'sk-other' }, [
    { id: 'mine', upstreamModel: 'real/one' },
  ]);
  await expectStatus(200, await app.admin('PUT', '/api/admin/settings', { defaultProviderId: 'default' }));
  return { app, upstream, other };
}

function ask(app: AppUnderTest, path: string, init: RequestInit = {}, key = MASTER_KEY): Promise<Response> {
  return fetch(`${app.origin}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...init.headers },
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('paths without a row', { timeout: 60_000 }, () => {
  for (const [method, path, body] of [
    ['GET', '/v1/files', null],
    ['GET', '/v1/files/file-1/content?limit=2&after=a%2Fb', null],
    ['HEAD', '/v1/files/file-1', null],
    ['DELETE', '/v1/files/file-1', null],
    ['POST', '/v1/batches', '{ "input_file_id": "f" , "endpoint":"/v1/chat/completions"}'],
    ['POST', '/v1/threads/t/runs/r/cancel', null],
    ['PATCH', '/v1/things/1', '{"a": 1.0}'],
    ['PUT', '/v1/things/1', '[1, 2]'],
    ['POST', '/v1/things', 'not JSON at all'],
    ['POST', '/v1/vector_stores/v/search', '{"query":"x"}'],
    ['GET', '/v1/responses/resp_1?stream=true&starting_after=3', null],
    ['POST', '/v1/messages/batches?beta=true', '{"requests":[]}'],
  ] as const) {
    test(`${method} ${path}`, async (t) => {
      const { app, upstream } = await start(t);
      const isJson = body !== null && /^[{[]/.test(body) && !body.startsWith('[');
      const headers: Record<string, string> =
        body === null ? {} : { 'content-type': isJson ? 'application/json' : 'text/plain' };
      const answer = await ask(app, path, { method, headers, ...(body === null ? {} : { body }) });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('x-ipin-provider'), 'default');
      assert.equal(answer.headers.get('x-ipin-upstream-request-id'), 'req_theirs');
      const [sent] = upstream.received;
      assert.deepEqual([sent?.method, sent?.url, sent?.body.toString()], [method, path, body ?? '']);
      assert.equal(sent?.headers['content-type'], headers['content-type']);
      assert.equal(sent?.headers.authorization, 'Bearer sk-default');
      if (method !== 'HEAD') assert.deepEqual(await answer.json(), { object: 'list', data: [] });
    });
  }

  test('bytes of any size stay what they are, in both directions', async (t) => {
    const { app, upstream } = await start(t);
    for (const size of [10, 5_000, 100_000, 5_000_000]) {
      const bytes = randomBytes(size);
      upstream.answer = (_req, res, { body }) => {
        res.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-disposition': 'attachment; filename="a"',
        });
        res.end(body);
      };
      const answer = await ask(app, '/v1/uploads/u/parts', {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: bytes,
      });
      assert.match(answer.headers.get('content-disposition') ?? '', /attachment/);
      const got = Buffer.from(await answer.arrayBuffer());
      assert.equal(
        createHash('sha256').update(got).digest('hex'),
        createHash('sha256').update(bytes).digest('hex'),
        String(size),
      );
    }
  });

  test('a form without a model passes byte for byte', async (t) => {
    const { app, upstream } = await start(t);
    const file = randomBytes(300_000).toString('latin1');
    const body = Buffer.from(
      `--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="m.jsonl"\r\n\r\nname="model"\r\n\r\nfake ${file}\r\n--x--\r\n`,
      'latin1',
    );
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    assert.equal((await ask(app, '/v1/files', { method: 'POST', headers, body })).status, 200);
    assert.ok(upstream.received[0]?.body.equals(body));
    assert.equal(upstream.received[0]?.headers['content-type'], headers['content-type']);
  });

  test('event streams pass record by record', async (t) => {
    const { app, upstream } = await start(t);
    const records = Array.from(
      { length: 2_000 },
      (_, index) => `event: thread.message.delta\ndata: {"n":${index}}\n\n`,
    ).join('');
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(`${records}event: done\ndata: [DONE]\n\n`);
    };
    const answer = await ask(app, '/v1/threads/runs', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"stream":true}',
    });
    assert.equal(await answer.text(), `${records}event: done\ndata: [DONE]\n\n`);
  });

  test('a model in the body, the query or a form decides, under its name there', async (t) => {
    const { app, upstream, other } = await start(t);
    await ask(app, '/v1/fine_tuning/jobs', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"model":"mine","training_file":"f"}',
    });
    assert.equal(other.received[0]?.body.toString(), '{"model":"real/one","training_file":"f"}');
    await ask(app, '/v1/things?a=1&model=mine&b=2');
    assert.equal(other.received[1]?.url, '/v1/things?a=1&model=real%2Fone&b=2');
    const form = new FormData();
    form.set('model', 'mine');
    form.set('input_reference', new Blob(['xyz']), 'a.bin');
    await ask(app, '/v1/videos', { method: 'POST', body: form });
    const sent = other.received[2]?.body.toString() ?? '';
    assert.ok(sent.includes('real/one') && sent.includes('xyz') && !sent.includes('mine'));
    assert.equal(upstream.received.length, 0);
    // A model that is not known here may be the provider's own.
    await ask(app, '/v1/fine_tuning/jobs', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"model":"ft:theirs"}',
    });
    assert.equal(upstream.received[0]?.body.toString(), '{"model":"ft:theirs"}');
  });

  test('paths that lead above the base URL are unknown', async (t) => {
    const { app, upstream } = await start(t);
    for (const path of [
      '/v1/files/%2e%2e/%2e%2e/admin',
      '/v1/%2E./x',
      '/v1/a/.%2e/b',
      '/v1/files/%2e',
      '/v1/files/../../x',
      '/v1/..',
    ]) {
      // `fetch` would resolve the dots.
      const headers = { authorization: `Bearer ${MASTER_KEY}` };
      const asking = request({ host: '127.0.0.1', port: app.port, path, headers, agent: false }).end();
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      answer.resume();
      assert.equal(answer.statusCode, 404, path);
    }
    assert.equal(upstream.received.length, 0);
  });

  test('who may', async (t) => {
    const { app, upstream, other } = await start(t);
    const plain = await app.addKey({});
    const { key: free } = (await expectStatus(
      201,
      await app.admin('POST', '/api/admin/apikeys', { name: 'free', passThrough: true }),
    )) as { key: string };
    const created = (await expectStatus(
      201,
      await app.admin('POST', '/api/admin/apikeys', { name: 'narrow', passThrough: true, models: ['mine'] }),
    )) as Json;
    assert.equal(created['passThrough'], true);
    const narrow = String(created['key']);
    const status = async (path: string, key: string, init: RequestInit = {}): Promise<number> =>
      (await ask(app, path, init, key)).status;
    assert.equal(await status('/v1/files', plain), 404);
    assert.equal(await status('/v1/files', 'sk-wrong'), 401);
    assert.equal(await status('/v1/files', free), 200);
    assert.equal(await status('/v1/files', narrow), 200);
    const post = (body: string): RequestInit => ({ method: 'POST', headers: JSON_TYPE, body });
    assert.equal(await status('/v1/things', narrow, post('{"model":"mine"}')), 200);
    assert.equal(await status('/v1/things', narrow, post('{"model":"other"}')), 404);
    assert.equal(await status('/v1/things', narrow, post('{"models":["other"]}')), 400);
    assert.equal(await status('/v1/things?model=other', narrow), 404);
    const form = new FormData();
    form.set('file', new Blob(['x']), 'a');
    form.set('model', 'other');
    assert.equal(await status('/v1/videos', narrow, { method: 'POST', body: form }), 400);
    assert.equal(await status('/v1/videos', free, { method: 'POST', body: form }), 200);
    assert.deepEqual([upstream.received.length, other.received.length], [3, 1]);
    const user = { username: 'ann', password: 'a long password' };
    await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
    const login = await fetch(`${app.origin}/api/login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(user),
    });
    const { token } = (await login.json()) as { token: string };
    const own = await fetch(`${app.origin}/api/user/apikeys`, {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      body: '{"name":"x","passThrough":true}',
    });
    assert.equal(own.status, 403);
    // Without a default provider, and when it is deleted, the paths are unknown again, for everybody.
    await expectStatus(204, await app.admin('DELETE', '/api/admin/providers/default'));
    assert.equal(app.services.store.config.view().settings.defaultProviderId, null);
    for (const key of [MASTER_KEY, free, 'sk-wrong']) assert.equal(await status('/v1/files', key), 404);
  });

  test('a default provider that is off', async (t) => {
    const { app } = await start(t);
    await expectStatus(200, await app.admin('PUT', '/api/admin/providers/default', { enabled: false }));
    const answer = await ask(app, '/v1/files');
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /provider of `default` is missing or disabled/);
  });

  test('requests without a model, on paths with a row', async (t) => {
    const { app, upstream } = await start(t);
    const plain = await app.addKey({});
    const body = '{"input":"x"}';
    const send = (key: string): Promise<Response> =>
      ask(app, '/v1/moderations', { method: 'POST', headers: JSON_TYPE, body }, key);
    assert.equal((await send(MASTER_KEY)).status, 200);
    assert.equal(upstream.received[0]?.body.toString(), body);
    assert.equal((await send(plain)).status, 400);
    upstream.answer = json({ id: 'resp_1', object: 'response', output: [] });
    const response = await ask(app, '/v1/responses', { method: 'POST', headers: JSON_TYPE, body });
    assert.equal(response.status, 200);
    assert.deepEqual(
      [upstream.received[1]?.url, upstream.received[1]?.body.toString()],
      ['/v1/responses', body],
    );
    const form = new FormData();
    form.set('image', new Blob([Buffer.from('89504e470d0a1a0a0000000d', 'hex')]), 'a.png');
    assert.equal((await ask(app, '/v1/images/edits', { method: 'POST', body: form })).status, 200);
    assert.equal(upstream.received[2]?.url, '/v1/images/edits');
    assert.equal((await ask(app, '/v1/images/edits', { method: 'POST', body: form }, plain)).status, 400);
    const message = { max_tokens: 5, messages: [{ role: 'user', content: 'x' }] };
    assert.equal(
      (await ask(app, '/v1/messages', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(message) }))
        .status,
      400,
    );
  });

  test('calls are limited and booked, with the usage that is reported', async (t) => {
    const { app, upstream } = await start(t);
    upstream.answer = json({
      id: 'run_1',
      usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
    });
    const { key } = (await expectStatus(
      201,
      await app.admin('POST', '/api/admin/apikeys', {
        name: 'free',
        passThrough: true,
        limits: makeLimits({ rpm: 2 }),
      }),
    )) as { key: string };
    await (
      await ask(app, '/v1/threads/t/runs', { method: 'POST', headers: JSON_TYPE, body: '{}' }, key)
    ).text();
    upstream.answer = OK;
    await (await ask(app, '/v1/FILES-of-odd-name', {}, key)).text();
    assert.equal((await ask(app, '/v1/files', {}, key)).status, 429);
    const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/requests'))) as {
      data: Json[];
    };
    const seen = data.map(({ endpoint, model, status, promptTokens, completionTokens, estimated }) => [
      endpoint,
      model,
      status,
      promptTokens,
      completionTokens,
      estimated,
    ]);
    assert.deepEqual(seen, [
      ['files', null, 429, null, null, false],
      ['other', null, 200, null, null, false],
      ['threads', null, 200, 12, 3, false],
    ]);
  });

  test('what is worked on in the background is booked once, however often it is looked at', async (t) => {
    const { app, other, upstream } = await start(t);
    await expectStatus(
      200,
      await app.admin('PUT', '/api/admin/models/mine', { price: { inputPerMTok: 1, outputPerMTok: 10 } }),
    );
    const job = { id: 'resp_1', object: 'response', model: 'real/one', output: [] };
    other.answer = json({ ...job, status: 'queued', usage: null });
    const body = JSON.stringify({ model: 'mine', input: 'Hi', background: true });
    await (await ask(app, '/v1/responses', { method: 'POST', headers: JSON_TYPE, body })).text();
    const look = async (path: string, answer: Json): Promise<void> => {
      upstream.answer = json(answer);
      await (await ask(app, path)).text();
    };
    const usage = { input_tokens: 12, output_tokens: 3, total_tokens: 15 };
    await look('/v1/responses/resp_1', { ...job, status: 'in_progress', usage: null });
    await look('/v1/responses/resp_1', { ...job, status: 'completed', usage });
    await look('/v1/responses/resp_1', { ...job, status: 'completed', usage });
    await look('/v1/responses/resp_1/input_items', { object: 'list', data: [] });
    // It was booked when it was made, by whoever made it.
    await look('/v1/chat/completions/chatcmpl-1', { id: 'chatcmpl-1', choices: [], usage });
    const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/requests'))) as {
      data: Json[];
    };
    assert.deepEqual(
      data
        .toReversed()
        .map(({ endpoint, model, promptTokens, completionTokens, costUsd }) => [
          endpoint,
          model,
          promptTokens,
          completionTokens,
          costUsd,
        ]),
      [
        ['responses', 'mine', null, null, null],
        ['responses', null, null, null, null],
        ['responses', 'mine', 12, 3, 0.000042],
        ['responses', null, null, null, null],
        ['responses', null, null, null, null],
        ['chat', null, null, null, null],
      ],
    );
    const { totals } = (await expectStatus(200, await app.admin('GET', '/api/admin/usage'))) as {
      totals: Json;
    };
    assert.deepEqual(
      [totals['promptTokens'], totals['completionTokens'], totals['costUsd'], totals['unpricedRequests']],
      [12, 3, 0.000042, 0],
    );
  });

  test('a job that is cancelled is booked then', async (t) => {
    const { app, upstream } = await start(t);
    const post = async (path: string, answer: Json): Promise<void> => {
      upstream.answer = json(answer);
      await (await ask(app, path, { method: 'POST', headers: JSON_TYPE, body: '{}' })).text();
    };
    const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
    await post('/v1/threads/t/runs', { id: 'run_1', status: 'queued', usage: null });
    await post('/v1/threads/t/runs/run_1/cancel', { id: 'run_1', status: 'cancelled', usage });
    upstream.answer = json({ id: 'run_1', status: 'cancelled', usage });
    await (await ask(app, '/v1/threads/t/runs/run_1')).text();
    const { totals } = (await expectStatus(200, await app.admin('GET', '/api/admin/usage'))) as {
      totals: Json;
    };
    assert.deepEqual([totals['requests'], totals['promptTokens'], totals['completionTokens']], [3, 12, 3]);
  });

  test('a job whose answer is read as a stream is booked at its end, once', async (t) => {
    const { app, upstream, other } = await start(t);
    other.answer = json({ id: 'resp_1', object: 'response', status: 'in_progress', usage: null });
    const body = JSON.stringify({ model: 'mine', input: 'Hi', background: true });
    await (await ask(app, '/v1/responses', { method: 'POST', headers: JSON_TYPE, body })).text();
    const usage = { input_tokens: 12, output_tokens: 3, total_tokens: 15 };
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [type, reported] of [
        ['response.in_progress', null],
        ['response.completed', usage],
      ] as const)
        res.write(
          `event: ${type}\ndata: ${JSON.stringify({ type, response: { id: 'resp_1', usage: reported } })}\n\n`,
        );
      res.end();
    };
    for (let count = 0; count < 2; count += 1)
      await (await ask(app, '/v1/responses/resp_1?stream=true')).text();
    const { totals } = (await expectStatus(200, await app.admin('GET', '/api/admin/usage'))) as {
      totals: Json;
    };
    assert.deepEqual([totals['requests'], totals['promptTokens'], totals['completionTokens']], [3, 12, 3]);
  });

  test('errors pass in the usual envelope; below messages in that of Anthropic', async (t) => {
    const { app, upstream } = await start(t);
    upstream.answer = json(
      { error: { message: 'No such file', type: 'invalid_request_error', code: 'no_file' } },
      404,
    );
    const file = await ask(app, '/v1/files/x');
    assert.equal(file.status, 404);
    assert.deepEqual(((await file.json()) as { error: Json }).error, {
      message: 'No such file',
      type: 'invalid_request_error',
      param: null,
      code: 'no_file',
    });
    const batch = (await (await ask(app, '/v1/messages/batches/x')).json()) as Json;
    assert.deepEqual([batch['type'], (batch['error'] as Json)['type']], ['error', 'not_found_error']);
  });
});
