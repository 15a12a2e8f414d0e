import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AllowedAddresses } from '../../src/auth/allowed-addresses.ts';
import { digestKey } from '../../src/auth/api-keys.ts';
import { HttpError } from '../../src/errors.ts';
import type { ApiKey, Principal, User } from '../../src/store/entities.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { makeUser } from '../helpers/records.ts';
import { jsonRequest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { addUser } from './quick-users.ts';

function makeKey(allowedIps: readonly string[] | null): ApiKey {
  const limits = allowedIps === null ? null : makeLimits({ allowedIps });
  const digest = digestKey('a key');
  const rest = { name: 'k', digest, keyHint: '', enabled: true, models: null, userId: null, expiresAt: null };
  return { id: 'k', ...rest, passThrough: false, limits, createdAt: '' };
}

function makeOwner(allowedIps: readonly string[] | null): User {
  const limits = allowedIps === null ? null : makeLimits({ allowedIps });
  return makeUser({ id: 'u', passwordHash: '', limits });
}

function codeFor(
  addresses: AllowedAddresses,
  principal: Principal,
  remoteAddress: string | undefined,
): unknown {
  try {
    addresses.require(principal, { socket: { remoteAddress }, headers: {} });
    return 'allowed';
  } catch (error) {
    return error instanceof HttpError ? error.error.code : error;
  }
}

describe('allowed addresses', { timeout: 60_000 }, () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.7', '::ffff:192.0.2.7', true],
    ['::ffff:192.0.2.7', '192.0.2.7', true],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.77/24', '192.0.2.1', true],
    ['::ffff:192.0.2.0/120', '192.0.2.255', true],
    ['::ffff:192.0.2.0/120', '192.0.3.1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:DB8:0:0::1', '2001:db8::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['192.0.2.7/32', '192.0.2.7', true],
    ['2001:db8::1/128', '2001:db8::2', false],
  ];
  for (const [network, address, isAllowed] of cases) {
    test(`${network} ${isAllowed ? 'allows' : 'refuses'} ${address}`, () => {
      const principal: Principal = { kind: 'key', key: makeKey(['203.0.113.250', network]), user: null };
      const code = codeFor(new AllowedAddresses(0), principal, address);
      assert.equal(code, isAllowed ? 'allowed' : 'ip_not_allowed');
    });
  }

  test('the lists of a key and of its user both hold', () => {
    const addresses = new AllowedAddresses(0);
    const ask = (key: readonly string[] | null, user: readonly string[] | null): unknown =>
      codeFor(addresses, { kind: 'key', key: makeKey(key), user: makeOwner(user) }, '192.0.2.7');
    assert.equal(ask(null, null), 'allowed');
    assert.equal(ask(['192.0.2.7'], null), 'allowed');
    assert.equal(ask(['192.0.2.7'], ['192.0.2.0/24']), 'allowed');
    assert.equal(ask(['192.0.2.7'], ['192.0.2.8']), 'ip_not_allowed');
    assert.equal(ask(null, ['192.0.2.8']), 'ip_not_allowed');
    assert.equal(ask(['192.0.2.8'], ['192.0.2.7']), 'ip_not_allowed');
  });

  test('a client whose socket is closed is nobody', () => {
    const principal: Principal = { kind: 'key', key: makeKey(['0.0.0.0/0', '::/0']), user: null };
    assert.equal(codeFor(new AllowedAddresses(0), principal, undefined), 'ip_not_allowed');
  });

  test('hold for every path of /v1 and for sessions, by the address behind trusted proxies', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t, { env: { TRUST_PROXY_HOPS: '1' } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const limits = makeLimits({ allowedIps: ['203.0.113.0/24'] });
    await addUser(app, { id: 'anna', limits });
    const bound = await app.addKey({ limits });
    const hers = await app.addKey({ userId: 'anna' });
    const free = await app.addKey({});
    const status = async (key: string, path: string, forwarded: string): Promise<number> => {
      const isChat = path.endsWith('completions');
      const { headers, ...request } = jsonRequest(
        isChat ? 'POST' : 'GET',
        `Bearer ${key}`,
        isChat ? { model: 'm' } : undefined,
      );
      const answer = await fetch(`${app.origin}/v1/${path}`, {
        ...request,
        headers: { ...(headers as Record<string, string>), 'x-forwarded-for': forwarded },
      });
      await answer.text();
      return answer.status;
    };
    for (const path of ['models', 'models/m', 'key', 'chat/completions']) {
      for (const key of [bound, hers]) {
        assert.equal(await status(key, path, '203.0.113.9'), 200, path);
        assert.equal(await status(key, path, '203.0.113.9, 198.51.100.1'), 403, path);
        assert.equal(await status(key, path, '198.51.100.1, ::ffff:203.0.113.9'), 200, path);
      }
      for (const key of [free, MASTER_KEY]) assert.equal(await status(key, path, '198.51.100.1'), 200, path);
    }
    assert.equal(await status('sk-unknown', 'models', '198.51.100.1'), 401);
    assert.equal(await status(bound, 'nope', '198.51.100.1'), 404);
  });

  test('a changed list holds at once', async (t) => {
    const app = await startApp(t);
    const key = await app.addKey({ limits: { allowedIps: ['192.0.2.7'] } });
    const [id] = app.services.store.config.view().apiKeys.keys();
    const status = async (): Promise<number> =>
      (await fetch(`${app.origin}/v1/models`, jsonRequest('GET', `Bearer ${key}`))).status;
    assert.equal(await status(), 403);
    await app.admin('PUT', `/api/admin/apikeys/${id}`, { limits: { allowedIps: ['127.0.0.0/8'] } });
    assert.equal(await status(), 200);
    await app.admin('PUT', `/api/admin/apikeys/${id}`, { limits: { allowedIps: ['::1'] } });
    assert.equal(await status(), 403);
    await app.admin('PUT', `/api/admin/apikeys/${id}`, { limits: null });
    assert.equal(await status(), 200);
  });
});
