import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import {
  type Backup,
  type BackupSecrets,
  exportBackup,
  OMITTED_SECRET,
  type ParseBackupOptions,
  parseBackup,
} from '../../src/store/backup.ts';
import type { Provider, User } from '../../src/store/entities.ts';
import { createNewConfig } from '../../src/store/new-config.ts';
import { planRestore } from '../../src/store/restore.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { makeKey, secretOf, unreadableOf } from '../helpers/records.ts';
import { credentials, NOW_MS, sha256 } from './fixture.ts';
import { makeApiKey, TIME } from './store-contract.ts';

const now = (): number => NOW_MS;
const KEY = 'an encryption key';
const PASSPHRASE = 'correct horse battery — ü';

function provider(id: string, fields: Partial<Provider> = {}): Provider {
  return {
    id,
    name: `Provider ${id}`,
    baseUrl: `https://${id}.example/v1`,
    keys: [makeKey({ secret: `sk-secret-${id}` })],
    type: 'openai',
    enabled: true,
    options: { pathMode: 'exact' },
    prices: {},
    createdAt: TIME,
    updatedAt: TIME,
    ...fields,
  };
}

function user(id: string, fields: Partial<User> = {}): User {
  const times = { createdAt: TIME, updatedAt: TIME };
  return {
    id,
    username: `name-${id}`,
    name: id,
    enabled: true,
    models: null,
    limits: null,
    passwordHash: 'scrypt$x',
    ...times,
    ...fields,
  };
}

function byId<T extends { readonly id: string }>(...records: T[]): ReadonlyMap<string, T> {
  return new Map(records.map((record) => [record.id, record]));
}

function config(fields: Partial<ConfigState> = {}): ConfigState {
  return {
    ...createNewConfig({ now, randomBytes }),
    providers: byId(provider('p'), provider('open', { keys: [] })),
    apiKeys: byId(makeApiKey('a')),
    users: byId(user('u')),
    masterKey: { digest: sha256('master'), keyHint: 'sk-...er' },
    ...fields,
  };
}

function make(state: ConfigState, secrets: BackupSecrets): Promise<Buffer> {
  return exportBackup(state, { secrets, now, randomBytes });
}

function parse(bytes: Uint8Array, fields: Partial<ParseBackupOptions> = {}): Promise<Backup> {
  const keys = { encryptionKey: null, previousEncryptionKey: null, passphrase: null };
  return parseBackup(bytes, { ...keys, credentials, now, randomBytes, ...fields });
}

async function assertHttpError(promise: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof HttpError, String(error));
    assert.equal(error.error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

const MODES: readonly [string, BackupSecrets, Partial<ParseBackupOptions>][] = [
  ['under ENCRYPTION_KEY', { mode: 'encryption-key', key: KEY }, { encryptionKey: KEY }],
  [
    'under ENCRYPTION_KEY, changed since',
    { mode: 'encryption-key', key: KEY },
    { encryptionKey: 'another encryption key', previousEncryptionKey: KEY },
  ],
  ['under a passphrase', { mode: 'passphrase', passphrase: PASSPHRASE }, { passphrase: PASSPHRASE }],
  [
    'under a passphrase, typed in another form',
    { mode: 'passphrase', passphrase: PASSPHRASE },
    { passphrase: PASSPHRASE.normalize('NFD') },
  ],
];

for (const [how, secrets, keys] of MODES) {
  test(`a backup ${how} gives the whole configuration back, and shows no provider key`, async () => {
    const state = config();
    const bytes = await make(state, secrets);
    assert.ok(!bytes.includes('sk-secret'));
    const backup = await parse(bytes, keys);
    assert.deepEqual(backup.config, state);
    assert.equal(backup.createdAt, TIME);
  });
}

test('a backup without secrets marks the providers that had a key', async () => {
  const bytes = await make(config(), { mode: 'omit' });
  assert.ok(!bytes.includes('sk-secret'));
  const { providers } = (await parse(bytes)).config;
  assert.equal(unreadableOf(providers.get('p')), OMITTED_SECRET);
  assert.equal(unreadableOf(providers.get('open')), null);
});

test('a key that does not open the backup is refused, even where nothing is sealed', async () => {
  const empty = config({ providers: new Map() });
  for (const state of [config(), empty]) {
    const underKey = await make(state, { mode: 'encryption-key', key: KEY });
    await assertHttpError(parse(underKey), 'invalid_passphrase', /ENCRYPTION_KEY/);
    await assertHttpError(parse(underKey, { encryptionKey: 'another encryption key' }), 'invalid_passphrase');
    const underPassphrase = await make(state, { mode: 'passphrase', passphrase: PASSPHRASE });
    await assertHttpError(parse(underPassphrase), 'passphrase_required', /X-Backup-Passphrase/);
    await assertHttpError(
      parse(underPassphrase, { passphrase: 'something else' }),
      'invalid_passphrase',
      /The passphrase/,
    );
  }
});

test('what is no backup is refused with a reason', async () => {
  await assertHttpError(parse(Buffer.from('{')), 'invalid_json');
  await assertHttpError(parse(Buffer.from('[]')), 'invalid_json');
  await assertHttpError(parse(Buffer.from('{"a":1}')), 'invalid_body', /not a database of this program/);
  await assertHttpError(parse(Buffer.from('{"schemaVersion":4}')), 'invalid_body', /newer version/);
  const bytes = await make(config(), { mode: 'omit' });
  await assertHttpError(
    parse(Buffer.from(bytes.toString().replace('Provider p', 'Provider q'))),
    'invalid_body',
    /checksum/,
  );
  const { checksum: _, ...rest } = JSON.parse(bytes.toString());
  await assertHttpError(
    parse(Buffer.from(JSON.stringify({ ...rest, format: 'x' }))),
    'invalid_body',
    /not a backup/,
  );
  const greedy = {
    mode: 'passphrase',
    scrypt: { cost: 2 ** 24, blockSize: 8, parallelization: 1, salt: 'AA' },
  };
  const costly = parse(Buffer.from(JSON.stringify({ ...rest, secrets: greedy })), { passphrase: PASSPHRASE });
  await assertHttpError(costly, 'invalid_body', /out of bounds/);
});

test('a database file, and a plain file of an earlier program, can be restored too', async () => {
  const bytes = await make(config(), { mode: 'encryption-key', key: KEY });
  const { checksum: _, format: __, secrets: ___, ...database } = JSON.parse(bytes.toString());
  const fromDatabase = await parse(Buffer.from(JSON.stringify(database)), { encryptionKey: KEY });
  assert.equal(secretOf(fromDatabase.config.providers.get('p')), 'sk-secret-p');
  const plain = Buffer.from('{"providers":[{"id":"x","baseUrl":"https://x.example","apiKey":"sk-x"}]}');
  const { config: read } = await parse(plain);
  assert.equal(secretOf(read.providers.get('x')), 'sk-x');
});

test('planRestore() reports what changes and what would come back', () => {
  const current = config({
    providers: byId(provider('p', { name: 'Renamed' }), provider('later')),
    apiKeys: byId(makeApiKey('a'), makeApiKey('b', { enabled: false }), makeApiKey('d')),
    users: byId(user('v')),
  });
  const backup = config({
    providers: byId(provider('p')),
    apiKeys: byId(makeApiKey('a'), makeApiKey('b'), makeApiKey('c')),
    users: byId(user('u'), user('w', { enabled: false })),
    masterKey: null,
  });
  const { config: restored, report } = planRestore(current, {
    config: backup,
    unboundKeys: new Set(),
    createdAt: TIME,
  });
  assert.equal(restored.instanceId, current.instanceId);
  assert.equal(restored.masterKey, current.masterKey);
  assert.deepEqual(report.providers, {
    added: [],
    removed: [{ id: 'later', name: 'Provider later' }],
    changed: [{ id: 'p', name: 'Provider p' }],
  });
  const ids = (named: readonly { readonly id: string }[]): string[] => named.map(({ id }) => id);
  assert.deepEqual(
    [ids(report.apiKeys.added), ids(report.apiKeys.removed), ids(report.apiKeys.changed)],
    [['c'], ['d'], ['b']],
  );
  assert.deepEqual(ids(report.returning.apiKeys), ['b', 'c']);
  assert.deepEqual(report.returning.users, [{ id: 'u', name: 'name-u' }]);
  assert.equal(report.changesMasterKey, false);
  assert.doesNotMatch(JSON.stringify(report), /sk-secret|scrypt/);
});

test('planRestore() keeps present keys that the backup left out, but never for another host', async () => {
  const current = config({
    providers: byId(
      provider('p'),
      provider('moved', { baseUrl: 'https://old.example' }),
      provider('bare', { baseUrl: 'old.example:443' }),
    ),
  });
  const bare = provider('bare', { baseUrl: 'new.example:443' });
  const state = config({ providers: byId(provider('p'), provider('moved'), bare, provider('unknown')) });
  const backup = await parse(await make(state, { mode: 'omit' }));
  const { config: restored, report } = planRestore(current, backup);
  assert.equal(secretOf(restored.providers.get('p')), 'sk-secret-p');
  assert.equal(secretOf(restored.providers.get('moved')), null);
  assert.equal(secretOf(restored.providers.get('bare')), null);
  assert.deepEqual(
    report.providersWithoutKey.map(({ id }) => id),
    ['moved', 'bare', 'unknown'],
  );
});

test('a provider key that could not be read is carried through a backup', async () => {
  const state = config({ providers: byId(provider('p', { keys: [makeKey({ unreadable: 'v1.AAAA' })] })) });
  for (const [, secrets, keys] of MODES) {
    const backup = await parse(await make(state, secrets), keys);
    assert.equal(unreadableOf(backup.config.providers.get('p')), 'v1.AAAA');
  }
});

test('planRestore() takes back the keys that it knows by provider, key and origin', async () => {
  const keys = (...ids: string[]): Provider['keys'] =>
    ids.map((id) => makeKey({ id, secret: `sk-secret-${id}`, enabled: id !== 'off' }));
  const withKeys = (id: string, ...ids: string[]): Provider => provider(id, { keys: keys(...ids) });
  const state = config({
    providers: byId(withKeys('p', 'a', 'off', 'gone'), withKeys('moved', 'a'), withKeys('new', 'a')),
  });
  const backup = await parse(await make(state, { mode: 'omit' }));
  const current = config({
    providers: byId(
      provider('p', { keys: [...keys('later', 'a'), makeKey({ id: 'off', unreadable: 'v1.AAAA' })] }),
      provider('moved', { keys: keys('a'), baseUrl: 'https://old.example' }),
      withKeys('other', 'gone'),
    ),
  });
  const { config: restored, report } = planRestore(current, backup);
  const shown = (id: string): unknown =>
    restored.providers.get(id)?.keys.map((key) => [key.id, key.secret ?? key.unreadable, key.enabled]);
  assert.deepEqual(shown('p'), [
    ['a', 'sk-secret-a', true],
    ['off', 'v1.AAAA', false],
    ['gone', OMITTED_SECRET, true],
  ]);
  assert.deepEqual(shown('moved'), [['a', OMITTED_SECRET, true]]);
  assert.deepEqual(shown('new'), [['a', OMITTED_SECRET, true]]);
  assert.deepEqual(
    report.providersWithoutKey.map(({ id }) => id),
    ['p', 'moved', 'new'],
  );
});

test('planRestore() leaves out only the key that is in use at another host', async () => {
  const state = config({
    providers: byId(
      provider('new', {
        keys: [makeKey({ id: 'own', secret: 'sk-own' }), makeKey({ id: 'stolen', secret: 'sk-secret-p' })],
      }),
    ),
  });
  const bytes = await make(state, { mode: 'encryption-key', key: KEY });
  const backup = await parse(bytes, { encryptionKey: KEY });
  const { config: restored } = planRestore(config(), backup);
  assert.deepEqual(
    restored.providers.get('new')?.keys.map(({ secret, unreadable }) => secret ?? unreadable),
    ['sk-own', OMITTED_SECRET],
  );
});

test('planRestore() asks only about the keys that are bound to no address', () => {
  const [bound, unbound] = ['bound', 'unbound'].map((id) => makeKey({ id, secret: `sk-secret-${id}` }));
  assert.ok(bound && unbound);
  const backup: Backup = {
    config: config({ providers: byId(provider('x', { keys: [bound, unbound] })) }),
    unboundKeys: new Set([unbound]),
    createdAt: TIME,
  };
  const { report } = planRestore(config(), backup);
  assert.deepEqual(report.unboundKeys, [{ id: 'x', name: 'Provider x', origin: 'https://x.example' }]);
  const { config: closed } = planRestore(config(), backup, { closesUnboundKeys: true });
  assert.deepEqual(
    closed.providers.get('x')?.keys.map(({ secret }) => secret),
    ['sk-secret-bound', null],
  );
});

test('planRestore() gives no key that is in use at one host to another, whatever the provider is called', async () => {
  const current = config({ providers: byId(provider('p'), provider('q')) });
  const stolen = { keys: [makeKey({ secret: 'sk-secret-p' })], baseUrl: 'https://evil.example/v1' };
  const state = config({
    providers: byId(
      provider('p', stolen),
      provider('new', stolen),
      provider('q', { baseUrl: 'https://q.example/v2' }),
      provider('old', { keys: [makeKey({ secret: 'sk-secret-of-then' })] }),
    ),
  });
  const bytes = await make(state, { mode: 'encryption-key', key: KEY });
  const backup = await parse(bytes, { encryptionKey: KEY });
  const { config: restored, report } = planRestore(current, backup);
  const keys = [...restored.providers.values()].map((one) => [one.id, secretOf(one)]);
  assert.deepEqual(keys, [
    ['p', null],
    ['new', null],
    ['q', 'sk-secret-q'],
    ['old', 'sk-secret-of-then'],
  ]);
  assert.deepEqual(
    report.providersWithoutKey.map(({ id }) => id),
    ['p', 'new'],
  );
});
