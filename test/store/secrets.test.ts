import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Changed, changeConfig } from '../../src/store/change-config.ts';
import { createSealer } from '../../src/store/secrets.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { makeKey, secretOf, unreadableOf } from '../helpers/records.ts';
import { captureLog, makeFolder, openStore } from './fixture.ts';

const CANARY = 'sk-canary-0123456789abcdef';
const OLD = 'an old encryption key';
const NEW = 'a new encryption key!';
const place = { record: 'provider', id: 'p', field: 'apiKey' };

function withProviderKey(id: string, secret: string): (state: ConfigState) => Changed<null> {
  return (state) => {
    const preset = state.providers.get('chutes-dots-ocr');
    assert.ok(preset);
    const provider = { ...preset, id, keys: [makeKey({ secret })] };
    return { state: { ...state, providers: new Map(state.providers).set(id, provider) }, result: null };
  };
}

/** All bytes of the folder's files, for looking for what must not be there. */
function allBytes(folder: string): string {
  const names = readdirSync(folder).filter((name) => !name.includes('.sock-'));
  return names.map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
}

test('a sealer opens what it sealed, with a fresh nonce each time', () => {
  const sealer = createSealer({ key: OLD, previousKey: null, randomBytes });
  const sealed = sealer.seal(CANARY, place);
  assert.match(sealed, /^v1\.[\w-]+$/);
  assert.notEqual(sealer.seal(CANARY, place), sealed);
  assert.deepEqual(sealer.open(sealed, place), { text: CANARY, isStale: false });
});

test('what is sealed opens in its own place only', () => {
  const sealer = createSealer({ key: OLD, previousKey: null, randomBytes });
  const sealed = sealer.seal(CANARY, place);
  assert.equal(sealer.open(sealed, { ...place, id: 'q' }), null);
  assert.equal(sealer.open(sealed, { ...place, field: 'other' }), null);
  assert.equal(sealer.open(sealed, { ...place, record: 'user' }), null);
});

test('no changed byte goes unseen', () => {
  const sealer = createSealer({ key: OLD, previousKey: null, randomBytes });
  const sealed = sealer.seal('short', place);
  for (let index = 0; index < sealed.length; index += 1) {
    const flipped = sealed[index] === 'A' ? 'B' : 'A';
    const changed = sealed.slice(0, index) + flipped + sealed.slice(index + 1);
    const opened = sealer.open(changed, place);
    // The last character holds bits that base64url ignores.
    assert.ok(opened === null || (index === sealed.length - 1 && opened.text === 'short'), `byte ${index}`);
  }
  for (const nonsense of ['', 'v1.', 'v1.AAAA', 'v2.AAAA', CANARY])
    assert.equal(sealer.open(nonsense, place), null);
});

test('with ENCRYPTION_KEY a provider key is in no file, and is there again after a restart', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const store = await openStore(path, { encryptionKey: OLD });
  assert.equal(store.status().encrypted, true);
  await changeConfig(store.config, withProviderKey('p', CANARY));
  await changeConfig(store.config, withProviderKey('q', 'sk-other'));
  assert.doesNotMatch(allBytes(folder), /canary|sk-other/);
  await store.close();
  const again = await openStore(path, { encryptionKey: OLD });
  assert.equal(secretOf(again.config.view().providers.get('p')), CANARY);
  await again.close();
});

test('a write seals only what changed', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const sealedOf = (id: string): string => {
    const { providers } = JSON.parse(readFileSync(path, 'utf8'));
    return providers.find((provider: { id: string }) => provider.id === id).keys[0].secret.sealed;
  };
  const store = await openStore(path, { encryptionKey: OLD });
  await changeConfig(store.config, withProviderKey('p', CANARY));
  const before = sealedOf('p');
  await changeConfig(store.config, withProviderKey('q', 'sk-other'));
  assert.equal(sealedOf('p'), before);
  await store.close();
  const again = await openStore(path, { encryptionKey: OLD });
  await changeConfig(again.config, withProviderKey('r', 'sk-third'));
  assert.equal(sealedOf('p'), before);
  await again.close();
});

test('turning encryption on seals what is there, backups included', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const plain = await openStore(path);
  await changeConfig(plain.config, withProviderKey('p', CANARY));
  await changeConfig(plain.config, withProviderKey('q', 'sk-other'));
  await plain.close();
  assert.match(allBytes(folder), /canary/);
  const store = await openStore(path, { encryptionKey: OLD });
  assert.doesNotMatch(allBytes(folder), /canary/);
  assert.equal(secretOf(store.config.view().providers.get('p')), CANARY);
  await store.close();
});

test('a changed key: with both everything opens and is sealed anew, then the old one is needed no more', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const before = await openStore(path, { encryptionKey: OLD });
  await changeConfig(before.config, withProviderKey('p', CANARY));
  await changeConfig(before.config, withProviderKey('q', 'sk-other'));
  await before.close();
  await (await openStore(path, { encryptionKey: NEW, previousEncryptionKey: OLD })).close();
  const store = await openStore(path, { encryptionKey: NEW });
  assert.equal(secretOf(store.config.view().providers.get('p')), CANARY);
  await store.close();
  writeFileSync(path, 'torn');
  const recovered = await openStore(path, { encryptionKey: NEW });
  assert.equal(secretOf(recovered.config.view().providers.get('p')), CANARY);
  await recovered.close();
});

for (const [what, encryptionKey] of [
  ['a wrong', NEW],
  ['no', null],
] as const) {
  test(`with ${what} key the provider is closed and its ciphertext kept through writes, until the right one is back`, async () => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    const before = await openStore(path, { encryptionKey: OLD });
    await changeConfig(before.config, withProviderKey('p', CANARY));
    await before.close();
    const { lines, logger } = captureLog();
    const store = await openStore(path, { encryptionKey, logger });
    const closed = store.config.view().providers.get('p');
    assert.equal(secretOf(closed), null);
    assert.match(unreadableOf(closed) ?? '', /^v2\./);
    assert.ok(lines.some(({ event, level }) => event === 'store.unreadable_keys' && level === 'error'));
    await changeConfig(store.config, withProviderKey('q', 'sk-other'));
    await store.close();
    const again = await openStore(path, { encryptionKey: OLD });
    assert.equal(secretOf(again.config.view().providers.get('p')), CANARY);
    await again.close();
  });
}

test('a ciphertext that was changed or moved closes its provider alone', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const before = await openStore(path, { encryptionKey: OLD });
  for (const id of ['p', 'q', 'r']) await changeConfig(before.config, withProviderKey(id, `${CANARY}-${id}`));
  await before.close();
  const { checksum: _, ...document } = JSON.parse(readFileSync(path, 'utf8'));
  const [, p, q] = document.providers;
  [p.keys, q.keys] = [q.keys, p.keys];
  writeFileSync(path, JSON.stringify(document));
  const store = await openStore(path, { encryptionKey: OLD });
  const { providers } = store.config.view();
  assert.deepEqual(
    ['p', 'q', 'r'].map((id) => secretOf(providers.get(id))),
    [null, null, `${CANARY}-r`],
  );
  await store.close();
});

test('a new key for a closed provider takes the place of the old ciphertext', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const before = await openStore(path, { encryptionKey: OLD });
  await changeConfig(before.config, withProviderKey('p', CANARY));
  await before.close();
  const store = await openStore(path, { encryptionKey: NEW });
  await changeConfig(store.config, withProviderKey('p', 'sk-new'));
  await store.close();
  const again = await openStore(path, { encryptionKey: NEW });
  assert.equal(secretOf(again.config.view().providers.get('p')), 'sk-new');
  await again.close();
});

/** Changes the stored providers by hand, as somebody with an editor does. */
function editProviders(
  path: string,
  edit: (provider: { id: string; baseUrl: string; keys: { secret: unknown }[] }) => void,
): void {
  const { checksum: _, ...document } = JSON.parse(readFileSync(path, 'utf8'));
  document.providers.forEach(edit);
  writeFileSync(path, JSON.stringify(document));
}

const OTHER_ORIGINS = [
  'https://evil.example/v1',
  'http://chutes-rednote-hilab-dots-ocr.chutes.ai',
  'https://chutes-rednote-hilab-dots-ocr.chutes.ai:8443',
  'https://user:pw@chutes-rednote-hilab-dots-ocr.chutes.ai',
  'nonsense:',
];

for (const baseUrl of OTHER_ORIGINS) {
  test(`B6: a base URL changed in the file to ${baseUrl} closes the provider, and its key is kept`, async () => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    const before = await openStore(path, { encryptionKey: OLD });
    await changeConfig(before.config, withProviderKey('p', CANARY));
    await before.close();
    const original = JSON.parse(readFileSync(path, 'utf8')).providers[1].baseUrl;
    editProviders(path, (provider) => {
      if (provider.id === 'p') provider.baseUrl = baseUrl;
    });
    const { lines, logger } = captureLog();
    const store = await openStore(path, { encryptionKey: OLD, logger });
    const closed = store.config.view().providers.get('p');
    assert.equal(secretOf(closed), null);
    assert.match(unreadableOf(closed) ?? '', /^v2\./);
    const line = lines.find(({ event }) => event === 'store.unreadable_keys');
    assert.match(line?.message ?? '', /base URL was changed/);
    await changeConfig(store.config, withProviderKey('q', 'sk-other'));
    await store.close();
    editProviders(path, (provider) => {
      if (provider.id === 'p') provider.baseUrl = `${original}/another/path`;
    });
    const again = await openStore(path, { encryptionKey: OLD });
    assert.equal(secretOf(again.config.view().providers.get('p')), CANARY);
    await again.close();
  });
}

test('B6: a file whose keys are bound to no address is opened, said so with the addresses, and sealed anew', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const before = await openStore(path, { encryptionKey: OLD });
  await changeConfig(before.config, withProviderKey('p', CANARY));
  await changeConfig(before.config, withProviderKey('q', 'sk-other'));
  await before.close();
  const sealer = createSealer({ key: OLD, previousKey: null, randomBytes });
  const keys: Record<string, string> = { p: CANARY, q: 'sk-other' };
  for (const name of readdirSync(folder).filter((one) => /\.db$|\.bak-/.test(one)))
    editProviders(join(folder, name), (provider) => {
      const secret = keys[provider.id];
      const [key] = provider.keys;
      if (secret === undefined || key === undefined) return;
      key.secret = { sealed: sealer.seal(secret, { record: 'provider', id: provider.id, field: 'apiKey' }) };
    });
  assert.match(allBytes(folder), /"v1\./);
  const { lines, logger } = captureLog();
  const store = await openStore(path, { encryptionKey: OLD, logger });
  assert.equal(secretOf(store.config.view().providers.get('p')), CANARY);
  const line = lines.find(({ event }) => event === 'store.unbound_keys');
  assert.equal(line?.level, 'warn');
  assert.match(JSON.stringify(line), /p \(https:\/\/chutes-rednote-hilab-dots-ocr\.chutes\.ai\), q \(/);
  assert.doesNotMatch(JSON.stringify(lines), /canary/);
  await store.close();
  assert.doesNotMatch(allBytes(folder), /"v1\.|canary/);
  const { lines: later, logger: laterLogger } = captureLog();
  const again = await openStore(path, { encryptionKey: OLD, logger: laterLogger });
  assert.equal(secretOf(again.config.view().providers.get('p')), CANARY);
  assert.ok(!later.some(({ event }) => event === 'store.unbound_keys'));
  await again.close();
});

test('B6: a sealed text opens for its origin only, whatever its form claims to be', () => {
  const sealer = createSealer({ key: OLD, previousKey: null, randomBytes });
  const bound = { ...place, origin: 'https://one.example' };
  const sealed = sealer.seal(CANARY, bound);
  assert.match(sealed, /^v2\.[\w-]+$/);
  assert.deepEqual(sealer.open(sealed, bound), { text: CANARY, isStale: false });
  for (const origin of ['https://two.example', 'http://one.example', ''])
    assert.equal(sealer.open(sealed, { ...place, origin }), null);
  assert.equal(sealer.open(sealed, place), null);
  assert.equal(sealer.open(sealed.replace('v2.', 'v1.'), bound), null);
  assert.equal(sealer.open(sealed.replace('v2.', 'v1.'), place), null);
  const unbound = sealer.seal(CANARY, place);
  assert.deepEqual(sealer.open(unbound, bound), { text: CANARY, isStale: true });
  assert.equal(sealer.open(unbound.replace('v1.', 'v2.'), bound), null);
});
