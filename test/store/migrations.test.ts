import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_PASSWORD_HASH } from '../../src/store/migrations.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { secretOf } from '../helpers/records.ts';
import { createFaultyOps } from './faulty-ops.ts';
import { captureLog, makeFolder, NOW_MS, noLock, openStore, sha256 } from './fixture.ts';

const NOW = new Date(NOW_MS).toISOString();

const LISTS = {
  providers: [
    {
      id: 'openai',
      name: 'OpenAI',
      baseUrl: 'https://api.openai.com/v1',
      apiKey: 'sk-up',
      type: 'openai',
      enabled: true,
    },
    { id: 'local', name: 'Local', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: '', enabled: false },
  ],
  models: [{ id: 'gpt-4o', name: 'GPT-4o', providerId: 'openai', enabled: true, supportsImageUpload: true }],
  apiKeys: [
    { id: 'master', key: 'sk-master', name: 'Master Key' },
    {
      id: 'key_1',
      key: 'sk-john',
      name: "John's Key",
      allowedModels: [],
      enabled: true,
      createdAt: 1_700_000_000_000,
    },
    { id: 'key_2', key: 'sk-ann', name: 'Ann', allowedModels: ['gpt-4o'], enabled: false },
  ],
  users: [{ id: 'user_1', username: 'ann', password: 'open sesame', apiKeyId: 'key_2', enabled: true }],
};

const SNAKE_MAPS = {
  providers: {
    openai: {
      name: 'OpenAI',
      base_url: 'https://api.openai.com/v1',
      api_key: 'sk-up',
      type: 'openai',
      enabled: true,
    },
    local: { name: 'Local', base_url: 'http://127.0.0.1:11434/v1', enabled: 0 },
  },
  models: {
    'gpt-4o': { display_name: 'GPT-4o', provider_id: 'openai', is_enabled: true, supports_vision: true },
  },
  api_keys: {
    master: { key: 'sk-master' },
    key_1: { key: 'sk-john', name: "John's Key", created_at: '2023-11-14T22:13:20.000Z' },
    key_2: { key: 'sk-ann', name: 'Ann', allowed_models: ['gpt-4o'], enabled: false, user_id: 'user_1' },
  },
  users: { user_1: { id: 'user_1', username: 'ann', password: 'open sesame' } },
};

async function migrate(content: unknown): Promise<ConfigState> {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, JSON.stringify(content));
  const store = await openStore(path);
  await store.close();
  return store.config.view();
}

for (const [shape, content] of [
  ['lists in camelCase', LISTS],
  ['maps by id in snake_case', SNAKE_MAPS],
] as const) {
  test(`a plain file is read: ${shape}`, async () => {
    const { providers, models, apiKeys, users, masterKey, instanceId } = await migrate(content);
    assert.match(instanceId, /^[0-9a-f]{16}$/);
    assert.deepEqual(providers.get('openai'), {
      id: 'openai',
      name: 'OpenAI',
      baseUrl: 'https://api.openai.com/v1',
      keys: [{ id: 'key_1', secret: 'sk-up', unreadable: null, enabled: true }],
      type: 'openai',
      enabled: true,
      options: {},
      prices: {},
      createdAt: NOW,
      updatedAt: NOW,
    });
    assert.deepEqual([secretOf(providers.get('local')), providers.get('local')?.enabled], [null, false]);
    assert.deepEqual(models.get('gpt-4o'), {
      id: 'gpt-4o',
      name: 'GPT-4o',
      providerId: 'openai',
      upstreamModel: null,
      enabled: true,
      vision: true,
      weight: null,
      fallbacks: [],
      options: {},
      price: null,
      createdAt: NOW,
      updatedAt: NOW,
    });
    assert.equal(masterKey?.digest, sha256('sk-master'));
    assert.deepEqual([...apiKeys.keys()], ['key_1', 'key_2']);
    assert.deepEqual(apiKeys.get('key_1'), {
      id: 'key_1',
      name: "John's Key",
      digest: sha256('sk-john'),
      keyHint: 'sk-...hn',
      enabled: true,
      models: null,
      userId: null,
      expiresAt: null,
      passThrough: false,
      limits: null,
      createdAt: '2023-11-14T22:13:20.000Z',
    });
    const { models: allowed, enabled, userId } = apiKeys.get('key_2') ?? {};
    assert.deepEqual([allowed, enabled, userId], [['gpt-4o'], false, 'user_1']);
    assert.equal(users.get('user_1')?.passwordHash, `scrypt$test$${sha256('open sesame')}`);
  });
}

test('keys in a map that goes by the keys themselves', async () => {
  const { apiKeys } = await migrate({ apiKeys: { 'sk-0123456789abcdefghij': { name: 'one' } } });
  const [key] = apiKeys.values();
  assert.equal(key?.digest, sha256('sk-0123456789abcdefghij'));
  assert.equal(key?.id, `key_${key?.digest.slice(0, 12)}`);
});

test('a password that was stored as a digest cannot be taken over, and that is said', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, JSON.stringify({ users: [{ id: 'u', username: 'u', password: sha256('secret') }] }));
  const { lines, logger } = captureLog();
  const store = await openStore(path, { logger });
  assert.equal(store.config.view().users.get('u')?.passwordHash, NO_PASSWORD_HASH);
  assert.ok(lines.some(({ message }) => message?.includes('set a new password for each')));
  await store.close();
});

test('no plain key or password is left in the new file; the original is kept beside it, mode 0600', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const original = JSON.stringify(LISTS, null, 2);
  writeFileSync(path, original, { mode: 0o644 });
  await (await openStore(path, { encryptionKey: 'an encryption key' })).close();
  const migrated = readFileSync(path, 'utf8');
  for (const secret of ['sk-up', 'sk-master"', 'sk-john', 'sk-ann"', 'open sesame']) {
    assert.ok(!migrated.includes(secret), secret);
  }
  assert.equal(readFileSync(`${path}.v0.bak`, 'utf8'), original);
  assert.equal(statSync(`${path}.v0.bak`).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder).sort(), ['ipin-proxy.db', 'ipin-proxy.db.v0.bak']);
});

const UNREADABLE: readonly [string, unknown, RegExp][] = [
  ['a provider without address', { providers: [{ id: 'p' }] }, /providers\[0\]\.baseUrl is not a text/],
  ['a provider that is no object', { providers: ['p'] }, /providers\[0\] is not an object/],
  ['providers that are no collection', { providers: 7 }, /providers is neither a list nor a map/],
  ['a model without provider', { models: { m: {} } }, /models\[0\]\.providerId/],
  ['a key without value', { api_keys: [{ id: 'k' }] }, /api_keys\[0\]\.key/],
  [
    'a switch that is neither on nor off',
    { models: [{ id: 'm', providerId: 'p', enabled: 'yes' }] },
    /models\[0\]\.enabled/,
  ],
  [
    'two providers of one id',
    { providers: [1, 2].map((n) => ({ id: 'p', baseUrl: `http://${n}` })) },
    /twice/,
  ],
  [
    'two users of one name',
    { users: [1, 2].map((n) => ({ id: `u${n}`, username: 'ann' })) },
    /usernames are the same/,
  ],
  [
    'two equal keys',
    { apiKeys: [1, 2].map((n) => ({ id: `k${n}`, key: 'sk-same' })) },
    /API keys are the same/,
  ],
];

for (const [what, content, message] of UNREADABLE) {
  test(`a plain file with ${what} ends the start and stays as it is`, async () => {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    writeFileSync(path, JSON.stringify(content));
    await assert.rejects(openStore(path), message);
    assert.equal(readFileSync(path, 'utf8'), JSON.stringify(content));
    assert.deepEqual(readdirSync(folder), ['ipin-proxy.db']);
  });
}

test('death at any call of a migrating start leaves the old file or the new one, never a mixture', async () => {
  const original = JSON.stringify(LISTS);
  const total = await callsOfStart(original);
  const found = new Set<string>();
  for (let at = 1; at <= total; at += 1) {
    const path = join(makeFolder(), 'ipin-proxy.db');
    writeFileSync(path, original);
    const ops = createFaultyOps();
    ops.arm({ at, kind: 'death', code: '', torn: at % 2 === 0 });
    void openStore(path, { ops, acquireLock: noLock });
    while (ops.calls.length < at) await new Promise(setImmediate);
    const content = readFileSync(path, 'utf8');
    const isOld = content === original;
    found.add(isOld ? 'old' : 'new');
    if (!isOld) assert.equal(readFileSync(`${path}.v0.bak`, 'utf8'), original);
    const store = await openStore(path, { acquireLock: noLock });
    assert.equal(store.config.view().apiKeys.size, 2);
    assert.equal(store.status().state, 'ok');
    await store.close();
    assert.equal(readFileSync(`${path}.v0.bak`, 'utf8'), original);
  }
  assert.deepEqual([...found].sort(), ['new', 'old']);
});

test('an earlier original is not written over by another one', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, JSON.stringify(LISTS));
  writeFileSync(`${path}.v0.bak`, 'an earlier one');
  await (await openStore(path)).close();
  assert.equal(readFileSync(`${path}.v0.bak`, 'utf8'), 'an earlier one');
  assert.ok(existsSync(`${path}.v0.bak-${NOW_MS}`));
});

async function callsOfStart(content: string): Promise<number> {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, content);
  const ops = createFaultyOps();
  ops.arm(null);
  await openStore(path, { ops, acquireLock: noLock });
  return ops.calls.length;
}
