import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { addUser } from '../auth/quick-users.ts';
import { makeCall, makeLimits } from '../helpers/limited-keys.ts';
import { jsonRequest, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const MONTH = { period: 'month', resetsAt: '2026-12-01T00:00:00.000Z' };
const NOTHING = { costUsd: 0, tokens: 0, requests: 0, grantedUsd: 0, grantedTokens: 0 };
const USED = { costUsd: 0.25, tokens: 30, requests: 1, grantedUsd: 0, grantedTokens: 0 };

test('/v1/key tells what a key may do and has used', { timeout: 30_000 }, async (t) => {
  const app = await startApp(t, { now: () => NOW });
  const limits = makeLimits({ budgetUsd: 5, budgetPeriod: 'total' });
  const token = await addUser(app, { id: 'anna', name: 'Anna', models: ['m'], limits });
  const expiresAt = '2030-01-01T00:00:00.000Z';
  const alone = await app.addKey({ name: 'alone', models: ['a', 'b*'], expiresAt, limits: { rpm: 60 } });
  const hers = await app.addKey({ name: 'hers', userId: 'anna' });
  for (const key of [alone, hers]) makeCall(app, key, { tokens: 30, costNanoUsd: 0.25e9 });
  const cookieName = sessionCookieName(app.services.store.config.view().instanceId, false);
  const cookie = (session: string): Record<string, string> => ({ cookie: `${cookieName}=${session}` });
  const ask = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${app.origin}/v1/key`, { headers });
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    return answer.json();
  };
  const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
  const open = { object: 'key', models: null, expiresAt: null, limits: null, user: null };
  assert.deepEqual(await ask(bearer(alone)), {
    object: 'key',
    name: 'alone',
    models: ['a', 'b*'],
    expiresAt,
    limits: makeLimits({ rpm: 60 }),
    usage: { ...MONTH, ...USED },
    user: null,
  });
  const ever = { period: 'total', resetsAt: null, ...USED };
  assert.deepEqual(await ask(bearer(hers)), {
    ...open,
    name: 'hers',
    models: ['m'],
    usage: { ...MONTH, ...USED },
    user: { limits, usage: ever },
  });
  assert.deepEqual(await ask(cookie(token)), { ...open, name: 'Anna', models: ['m'], limits, usage: ever });
  assert.deepEqual(await ask(bearer(MASTER_KEY)), {
    ...open,
    name: 'Master key',
    usage: { ...MONTH, ...NOTHING },
  });
  assert.deepEqual(await ask(cookie(await signIn(app.origin))), {
    ...open,
    name: 'Administrator',
    usage: { ...MONTH, ...NOTHING },
  });
});

test('/v1/key is no call', { timeout: 30_000 }, async (t) => {
  const app = await startApp(t);
  const key = await app.addKey({ limits: { rpm: 1, concurrency: 1 } });
  for (let index = 0; index < 3; index += 1) {
    const answer = await fetch(`${app.origin}/v1/key`, jsonRequest('GET', `Bearer ${key}`));
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /"requests":0/);
  }
});

test('/v1/key needs a key', { timeout: 30_000 }, async (t) => {
  const app = await startApp(t);
  const disabled = await app.addKey({ enabled: false });
  for (const key of [null, 'sk-unknown', disabled]) {
    const authorization = key === null ? null : `Bearer ${key}`;
    assert.equal((await fetch(`${app.origin}/v1/key`, jsonRequest('GET', authorization))).status, 401);
  }
});
