import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';

interface Fixture {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
}

async function start(t: TestContext): Promise<Fixture> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'gpt-4o', upstreamModel: 'exact' },
    { id: 'gpt-off', enabled: false },
    { id: 'gpt-*', upstreamModel: 'vendor/*' },
    { id: 'gpt-*-mini', upstreamModel: 'small' },
    { id: 'gpt-5*', enabled: false, upstreamModel: 'never' },
    { id: '*-vl' },
  ]);
  await app.addProvider({ id: 'off', baseUrl: upstream.origin, enabled: false }, [
    { id: 'claude-*' },
    { id: 'llama-*', fallbacks: [{ providerId: 'up', upstreamModel: null, weight: null, price: null }] },
  ]);
  return { app, upstream };
}

const get = (app: AppUnderTest, path: string, key = MASTER_KEY): Promise<Response> =>
  fetch(`${app.origin}${path}`, { headers: { authorization: `Bearer ${key}` } });

/** The names, and the names at the provider: what stands for `*`, the longest literal text, exact ids first. */
const SERVED = [
  ['gpt-4o', 'exact'],
  ['gpt-4', 'vendor/4'],
  ['gpt-off', 'vendor/off'],
  ['gpt-5', 'vendor/5'],
  ['gpt-4-mini', 'small'],
  ['gpt--mini', 'vendor/-mini'],
  ['gpt-*', 'vendor/*'],
  ['gpt-$&$1', 'vendor/$&$1'],
  ['gpt-日本', 'vendor/日本'],
  ['qwen/a-vl', 'qwen/a-vl'],
] as const;
const UNSERVED = ['gpt-', 'gpt', 'GPT-4', '-vl', 'xgpt-4', 'mistral', '*', ''] as const;

describe('wildcard models', { timeout: 30_000 }, () => {
  test('serve the names that fit', async (t) => {
    const { app, upstream } = await start(t);
    for (const [name, upstreamModel] of SERVED) {
      const answer = await app.v1('chat/completions', { model: name, messages: [] });
      const { model } = (await expectStatus(200, answer)) as { model: string };
      const sent = upstream.received.at(-1);
      assert.equal(JSON.parse(sent?.body.toString() ?? '{}').model, upstreamModel, name);
      if (name !== upstreamModel) assert.equal(model, name);
    }
    for (const name of UNSERVED) {
      const answer = await app.v1('chat/completions', { model: name, messages: [] });
      assert.ok([400, 404].includes(answer.status), name);
      await answer.text();
    }
    assert.equal(upstream.received.length, SERVED.length);
  });

  test('are not in the lists of models', async (t) => {
    const { app } = await start(t);
    const { data } = (await expectStatus(200, await get(app, '/v1/models'))) as { data: { id: string }[] };
    assert.deepEqual(
      data.map(({ id }) => id),
      ['gpt-4o'],
    );
    const user = { username: 'anna', password: 'a long password', models: ['gpt-*'] };
    await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
    const me = await get(app, '/api/user/me', await signIn(app.origin, user));
    assert.deepEqual(((await expectStatus(200, me)) as { models: string[] }).models, ['gpt-4o']);
  });

  test('answer under /v1/models for the names that are served, and for no others', async (t) => {
    const { app } = await start(t);
    for (const [name] of SERVED) {
      const path = `/v1/models/${encodeURIComponent(name)}`;
      const model = (await expectStatus(200, await get(app, path))) as Record<string, unknown>;
      assert.deepEqual([model['id'], model['name'], model['owned_by']], [name, name, 'up'], name);
      assert.equal(
        model['vision'],
        name === 'gpt-4o' || name.endsWith('-vl') || name.startsWith('gpt-5'),
        name,
      );
    }
    for (const name of [...UNSERVED.slice(0, -1), 'claude-5']) {
      const answer = await get(app, `/v1/models/${encodeURIComponent(name)}`);
      const { error } = (await expectStatus(404, answer)) as { error: { code: string } };
      assert.equal(error.code, 'model_not_found', name);
    }
    await expectStatus(200, await get(app, '/v1/models/llama-4'));
  });

  test('are compared with the rights of a key by the name that was asked for', async (t) => {
    const { app, upstream } = await start(t);
    const key = await app.addKey({ models: ['gpt-4', 'gpt-4-*'] });
    for (const [name, status] of [
      ['gpt-4', 200],
      ['gpt-4-mini', 200],
      ['gpt-4o', 403],
      ['gpt-3', 403],
      ['gpt-*', 403],
      ['mistral', 404],
    ] as const) {
      await expectStatus(status, await app.v1('chat/completions', { model: name, messages: [] }, key));
      const path = `/v1/models/${encodeURIComponent(name)}`;
      await expectStatus(status === 200 ? 200 : 404, await get(app, path, key));
    }
    assert.equal(upstream.received.length, 2);
  });
});
