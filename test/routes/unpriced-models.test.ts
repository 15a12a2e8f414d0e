import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';

const PRICE = { ...UNKNOWN_PRICE, inputPerMTok: 1 };
const ANNA = { username: 'anna', password: 'a long password' };
const to = (providerId: string, price: typeof PRICE | null = null) => ({
  providerId,
  upstreamModel: null,
  weight: null,
  price,
});

/** Each model, and whether it may be used where models without a price are refused. */
const MODELS = {
  bare: [{}, false],
  priced: [{ price: PRICE }, true],
  free: [{ price: { ...PRICE, inputPerMTok: 0 } }, true],
  'empty-price': [{ price: UNKNOWN_PRICE }, false],
  taken: [{}, true],
  'priced-with-fallback': [{ price: PRICE, fallbacks: [to('other')] }, true],
  'fallback-priced': [{ fallbacks: [to('other', PRICE)] }, false],
  'taken-with-bare-fallback': [{ upstreamModel: 'taken', fallbacks: [to('other')] }, false],
  'taken-with-priced-fallback': [{ upstreamModel: 'taken', fallbacks: [to('other', PRICE)] }, true],
  'taken-with-closed-fallback': [{ upstreamModel: 'taken', fallbacks: [to('closed'), to('gone')] }, true],
  'wild-*': [{ upstreamModel: 't*' }, false],
} as const;

async function start(t: TestContext, unpricedModels: 'allow' | 'refuse'): Promise<AppUnderTest> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  const prices = { taken: { price: PRICE, asOf: '2026-01-01T00:00:00.000Z' } };
  await app.addProvider({ id: 'other', baseUrl: upstream.origin }, []);
  await app.addProvider({ id: 'closed', baseUrl: upstream.origin, enabled: false }, [{ id: 'orphan' }]);
  const models = Object.entries(MODELS).map(([id, [fields]]) => ({ id, ...fields }));
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, prices }, models);
  await app.admin('PUT', '/api/admin/settings', { unpricedModels });
  return app;
}

async function codeOf(answer: Response): Promise<string> {
  if (answer.status === 200) return 'ok';
  const { error } = (await answer.json()) as { error: { code: string; param: string } };
  if (error.code === 'model_not_priced') assert.deepEqual([answer.status, error.param], [403, 'model']);
  return error.code;
}

test('models without a price are refused to keys and users where the settings say so', {
  timeout: 30_000,
}, async (t) => {
  const app = await start(t, 'refuse');
  const key = await app.addKey({});
  for (const [model, [, mayUse]] of Object.entries(MODELS)) {
    const answer = await app.v1('chat/completions', { model, messages: [] }, key);
    assert.equal(await codeOf(answer), mayUse ? 'ok' : 'model_not_priced', model);
  }
  const ask = async (model: string, by = key) =>
    codeOf(await app.v1('chat/completions', { model, messages: [] }, by));
  assert.equal(await ask('wild-aken'), 'ok');
  assert.equal(await ask('wild-other'), 'model_not_priced');
  // Without a target that may be asked, the provider is what is missing.
  assert.equal(await ask('orphan'), 'provider_not_configured');
  assert.equal(await ask('nope'), 'model_not_found');
  assert.equal(await ask('bare', await app.addKey({ models: ['priced'] })), 'model_not_allowed');
  // A field that is checked later.
  const wrong = await app.v1('chat/completions', { model: 'bare', stream: 'yes' }, key);
  assert.equal(await codeOf(wrong), 'model_not_priced');
});

test('who may use models without a price', { timeout: 30_000 }, async (t) => {
  const app = await start(t, 'refuse');
  const created = await app.admin('POST', '/api/admin/users', ANNA);
  const { id: userId } = (await created.json()) as { id: string };
  const session = async (credentials?: typeof ANNA): Promise<string> => {
    const login = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const { username, password } = credentials ?? {
      username: app.config.uiUsername,
      password: app.config.uiPassword,
    };
    const answer = await fetch(`${app.origin}/api/login`, {
      ...login,
      body: JSON.stringify({ username, password }),
    });
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };
  const body = { method: 'POST', body: JSON.stringify({ model: 'bare', messages: [] }) };
  const as = async (headers: Record<string, string>): Promise<string> => {
    const all = { 'content-type': 'application/json', ...headers };
    return codeOf(await fetch(`${app.origin}/v1/chat/completions`, { ...body, headers: all }));
  };
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const rows = [
    ['nobody', {}, null],
    ['a key', bearer(await app.addKey({})), 'model_not_priced'],
    ['a disabled key', bearer(await app.addKey({ enabled: false })), 'invalid_api_key'],
    ['a user’s key', bearer(await app.addKey({ userId })), 'model_not_priced'],
    ['a user’s session', { cookie: await session(ANNA) }, 'model_not_priced'],
    ['a user’s token', bearer(await signIn(app.origin, ANNA)), 'invalid_api_key'],
    ['the admin’s session', { cookie: await session() }, 'ok'],
    ['the master key', bearer(MASTER_KEY), 'ok'],
  ] as const;
  for (const [who, headers, code] of rows) assert.equal(await as(headers), code, who);
});

test('models without a price are allowed as long as nobody says otherwise', {
  timeout: 30_000,
}, async (t) => {
  const app = await start(t, 'allow');
  const key = await app.addKey({});
  assert.equal(await codeOf(await app.v1('chat/completions', { model: 'bare', messages: [] }, key)), 'ok');
});
