import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { Model, Provider } from '../../src/store/entities.ts';
import { createSealer } from '../../src/store/secrets.ts';
import type { Store } from '../../src/store/store.ts';
import { makeKey, makeModel, makeProvider } from '../helpers/records.ts';
import { captureLog, makeFolder, openStore } from './fixture.ts';
import { TIME } from './store-contract.ts';

const KEY = 'an encryption key';
const OTHER = 'another encryption key';
const PLACE = { record: 'provider', id: 'p', field: 'apiKey', origin: 'https://p.example' };
const KEYS = [
  makeKey({ id: 'key_1', secret: 'sk-canary-one' }),
  makeKey({ id: 'key_b', secret: 'sk-canary-two', enabled: false }),
  makeKey({ id: 'key_c', secret: 'sk-canary-three' }),
];

function provider(keys: Provider['keys'] = KEYS): Provider {
  return makeProvider({ id: 'p', baseUrl: 'https://p.example/v1', createdAt: TIME, updatedAt: TIME, keys });
}

function save(store: Store, saved: Provider, model?: Model): Promise<null> {
  return changeConfig(store.config, (state) => {
    const changed = withEntity(state, 'providers', saved);
    return { state: model === undefined ? changed : withEntity(changed, 'models', model), result: null };
  });
}

const keysOf = (store: Store): Provider['keys'] | undefined => store.config.view().providers.get('p')?.keys;
const secretsOf = (store: Store): unknown => keysOf(store)?.map(({ secret }) => secret);

interface StoredFile {
  checksum?: string;
  schemaVersion: number;
  providers: { id: string; keys?: { id: string; secret: unknown }[]; [name: string]: unknown }[];
}

function readFile(path: string): StoredFile {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Changes a database by hand, as somebody with an editor does. */
function edit(path: string, change: (file: StoredFile) => void): void {
  const file = readFile(path);
  delete file.checksum;
  change(file);
  writeFileSync(path, JSON.stringify(file));
}

/** The file as version 2 of the program wrote it: one key per provider. */
function asVersion2(file: StoredFile, apiKey: unknown): void {
  file.schemaVersion = 2;
  for (const one of file.providers) {
    delete one.keys;
    one['apiKey'] = one.id === 'p' ? apiKey : null;
  }
}

/** A database with the provider `p`. */
async function makeDatabase(encryptionKey: string | null, saved = provider()): Promise<string> {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path, { encryptionKey });
  await save(store, saved);
  await store.close();
  return path;
}

for (const encryptionKey of [KEY, null]) {
  const how = encryptionKey === null ? 'in clear text' : 'sealed';

  test(`the keys of a provider come back from the disk, ${how}, in their order`, async () => {
    const path = await makeDatabase(encryptionKey);
    const stored = readFile(path).providers.find(({ id }) => id === 'p');
    assert.deepEqual(
      stored?.keys?.map(({ id }) => id),
      ['key_1', 'key_b', 'key_c'],
    );
    assert.equal('apiKey' in (stored ?? {}), false);
    const store = await openStore(path, { encryptionKey });
    assert.deepEqual(keysOf(store), KEYS);
    await store.close();
  });

  for (const version of [1, 2]) {
    test(`a file of schema version ${version} with a key ${how} is read: the key is the first of a list`, async () => {
      const path = await makeDatabase(encryptionKey, provider(KEYS.slice(0, 1)));
      const sealer = createSealer({ key: KEY, previousKey: null, randomBytes });
      edit(path, (file) => {
        asVersion2(
          file,
          encryptionKey === null ? 'sk-canary-one' : { sealed: sealer.seal('sk-canary-one', PLACE) },
        );
        file.schemaVersion = version;
      });
      const store = await openStore(path, { encryptionKey });
      assert.deepEqual(keysOf(store), KEYS.slice(0, 1));
      assert.deepEqual(store.config.view().providers.get('chutes-dots-ocr')?.keys, []);
      await save(store, { ...provider(), keys: [...(keysOf(store) ?? []), ...KEYS.slice(1)] });
      await store.close();
      assert.equal(readFile(path).schemaVersion, 3, 'an older program would drop keys');
      const again = await openStore(path, { encryptionKey });
      assert.deepEqual(keysOf(again), KEYS);
      await again.close();
    });
  }
}

test('a file of schema version 2 whose key cannot be decrypted keeps it as the first of a list', async () => {
  const path = await makeDatabase(KEY, provider([]));
  const sealer = createSealer({ key: KEY, previousKey: null, randomBytes });
  const sealed = sealer.seal('sk-canary-one', PLACE);
  edit(path, (file) => asVersion2(file, { sealed }));
  const store = await openStore(path, { encryptionKey: OTHER });
  assert.deepEqual(keysOf(store), [makeKey({ unreadable: sealed })]);
  await save(store, {
    ...provider(),
    keys: [...(keysOf(store) ?? []), makeKey({ id: 'new', secret: 'sk-new' })],
  });
  await store.close();
  const again = await openStore(path, { encryptionKey: KEY, previousEncryptionKey: OTHER });
  assert.deepEqual(secretsOf(again), ['sk-canary-one', 'sk-new']);
  await again.close();
});

test('a key that cannot be decrypted is kept through writes; the others work, and are sealed anew', async () => {
  const path = await makeDatabase(KEY);
  const foreign = createSealer({ key: OTHER, previousKey: null, randomBytes }).seal('sk-foreign', PLACE);
  edit(path, ({ providers }) => {
    const key = providers.find(({ id }) => id === 'p')?.keys?.[1];
    assert.ok(key);
    key.secret = { sealed: foreign };
  });
  const { lines, logger } = captureLog();
  const newKey = 'the newest encryption key';
  const store = await openStore(path, { encryptionKey: newKey, previousEncryptionKey: KEY, logger });
  assert.deepEqual(secretsOf(store), ['sk-canary-one', null, 'sk-canary-three']);
  assert.equal(keysOf(store)?.[1]?.unreadable, foreign);
  assert.ok(lines.some(({ event }) => event === 'store.unreadable_keys'));
  await save(
    store,
    makeProvider({ id: 'q', baseUrl: 'https://q.example', createdAt: TIME, updatedAt: TIME }),
  );
  await store.close();
  const again = await openStore(path, { encryptionKey: newKey, previousEncryptionKey: OTHER });
  assert.deepEqual(secretsOf(again), ['sk-canary-one', 'sk-foreign', 'sk-canary-three']);
  await again.close();
});

test('with ENCRYPTION_KEY no key of a provider is in any file, also when it was turned on later', async () => {
  const path = await makeDatabase(null);
  const folder = join(path, '..');
  await (await openStore(path, { encryptionKey: KEY })).close();
  for (const name of readdirSync(folder).filter((one) => !one.includes('.sock-')))
    assert.doesNotMatch(readFileSync(join(folder, name), 'latin1'), /canary/, name);
});

describe('keys in a file that somebody edited', () => {
  const open = async (change: (stored: StoredFile['providers'][number]) => void): Promise<Store> => {
    const path = await makeDatabase(null);
    edit(path, ({ providers }) => providers.filter(({ id }) => id === 'p').forEach(change));
    return openStore(path);
  };

  test('are left out if they are empty, and enabled if nothing is said', async () => {
    const store = await open((stored) => {
      stored.keys = [
        { id: 'a', secret: '' },
        { id: 'b', secret: null },
        { id: 'c', secret: 'sk-c' },
      ];
    });
    assert.deepEqual(keysOf(store), [makeKey({ id: 'c', secret: 'sk-c' })]);
    await store.close();
  });

  test('as one apiKey are read as a list of one', async () => {
    const store = await open((stored) => {
      delete stored.keys;
      stored['apiKey'] = 'sk-by-hand';
    });
    assert.deepEqual(keysOf(store), [makeKey({ secret: 'sk-by-hand' })]);
    await store.close();
  });

  for (const [what, fields, message] of [
    ['a list and one key', { apiKey: 'sk-secret' }, /providers\[1\] has both apiKey and keys/],
    ['an apiKey that is a number', { apiKey: 7 }, /providers\[1\]\.apiKey is not a text/],
    ['no list', { keys: 'sk-secret' }, /providers\[1\]\.keys is not a list/],
    ['a text in the list', { keys: ['sk-secret'] }, /providers\[1\]\.keys\[0\] is not an object/],
    ['no id', { keys: [{ secret: 'sk-secret' }] }, /keys\[0\]\.id is not/],
    ['a wrong secret', { keys: [{ id: 'a', secret: 1 }] }, /keys\[0\]\.secret is not/],
    ['a wrong switch', { keys: [{ id: 'a', secret: 'x', enabled: 'no' }] }, /keys\[0\]\.enabled is not/],
    [
      'two of one id',
      { keys: [1, 2].map((n) => ({ id: 'a', secret: `sk-secret-${n}` })) },
      /two keys of the provider p have the same id/,
    ],
  ] as const) {
    test(`with ${what} end the start`, async () => {
      const opening = open((stored) => Object.assign(stored, fields));
      await assert.rejects(opening, (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /sk-secret/);
        return true;
      });
    });
  }
});

test('weight, fallbacks and options of a model come back from the disk', async () => {
  const path = await makeDatabase(null);
  const model = makeModel({
    id: 'gpt-*',
    providerId: 'p',
    upstreamModel: 'vendor/*',
    weight: 2.5,
    fallbacks: [
      { providerId: 'q', upstreamModel: null, weight: 1, price: null },
      { providerId: 'gone', upstreamModel: 'x-*', weight: null, price: null },
    ],
    options: { maxOutputTokens: 100, defaults: { a: { b: [1] }, c: null }, drop: ['d'], rename: { e: 'f' } },
    createdAt: TIME,
    updatedAt: TIME,
  });
  const store = await openStore(path);
  await save(store, provider(), model);
  await store.close();
  const again = await openStore(path);
  assert.deepEqual(again.config.view().models.get('gpt-*'), model);
  assert.deepEqual(again.config.view().wildcardModels, [model]);
  await again.close();
});
