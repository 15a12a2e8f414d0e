import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { makeKey } from '../helpers/records.ts';
import { ADMIN, expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';
import { makeFolder, openStore } from './fixture.ts';

const ENCRYPTION_KEY = 'sixteen characters';
const SECRETS = ['sk-provider-canary', 'sk-client-canary', 'open sesame canary'];
/** As an earlier program left it. */
const PLAIN = JSON.stringify({
  providers: [{ id: 'p', name: 'P', baseUrl: 'https://api.example/v1', apiKey: SECRETS[0] }],
  models: [],
  apiKeys: [{ id: 'key_1', name: 'John', key: SECRETS[1] }],
  users: [{ id: 'user_1', username: 'ann', password: SECRETS[2] }],
});

interface Status {
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

for (const env of [{ ENCRYPTION_KEY }, {}]) {
  const how = 'ENCRYPTION_KEY' in env ? 'with' : 'without';
  test(`B8: the original of a migration is named in log and panel until it is gone, ${how} ENCRYPTION_KEY`, async (t) => {
    const folder = makeTestFolder(t);
    writeFileSync(join(folder, 'ipin-proxy.db'), PLAIN);
    const login = {
      UI_USERNAME: ADMIN.username,
      UI_PASSWORD: ADMIN.password,
      MASTER_API_KEY: 'x'.repeat(24),
    };
    const server = await startServer(t, { folder, env: { ...login, ...env } });
    const token = await signIn(server.origin);
    const warning = async (): Promise<string | undefined> => {
      const answer = await fetch(`${server.origin}/api/admin/status`, jsonRequest('GET', `Bearer ${token}`));
      const { warnings } = (await expectStatus(200, answer)) as Status;
      return warnings.find(({ code }) => code === 'plaintext_copies')?.message;
    };
    assert.match((await warning()) ?? '', /clear text.*delete them.*: rm 'ipin-proxy\.db\.v0\.bak'$/);
    assert.match(server.stdout(), /"event":"plaintext_copies".*v0\.bak/);
    for (const secret of SECRETS) assert.ok(!server.stdout().includes(secret));
    rmSync(join(folder, 'ipin-proxy.db.v0.bak'));
    assert.equal(await warning(), undefined);
    await server.stop();
    const again = await startServer(t, { folder, env: { ...login, ...env } });
    assert.doesNotMatch(again.stdout(), /plaintext_copies/);
  });
}

/** The preset's provider with a key, or without any provider. */
function withProviders(secret: string | null): (state: ConfigState) => { state: ConfigState; result: null } {
  return (state) => {
    const providers = new Map(state.providers);
    for (const [id, provider] of providers) providers.set(id, { ...provider, keys: [makeKey({ secret })] });
    if (secret === null) providers.clear();
    return { state: { ...state, providers }, result: null };
  };
}

const textOf = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => !name.includes('.sock-'))
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('\n');

describe('backups from before ENCRYPTION_KEY was set', () => {
  test('B8: are sealed although the provider is gone from the database', async () => {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    const plain = await openStore(path);
    await changeConfig(plain.config, withProviders('sk-canary'));
    await changeConfig(plain.config, withProviders(null));
    await plain.close();
    assert.match(textOf(folder), /sk-canary/);
    const store = await openStore(path, { encryptionKey: ENCRYPTION_KEY });
    assert.doesNotMatch(textOf(folder), /sk-canary/);
    assert.deepEqual(await store.findPlainCopies(), []);
    await store.close();
  });

  test('B8: are sealed at the next start where the first one was cut off', async () => {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    const plain = await openStore(path);
    await changeConfig(plain.config, withProviders('sk-canary'));
    await changeConfig(plain.config, withProviders('sk-canary-2'));
    await plain.close();
    const backups = readdirSync(folder).filter((name) => name.includes('.bak-'));
    const before = backups.map((name) => [name, readFileSync(join(folder, name))] as const);
    await (await openStore(path, { encryptionKey: ENCRYPTION_KEY })).close();
    for (const [name, bytes] of before) writeFileSync(join(folder, name), bytes);
    assert.match(textOf(folder), /sk-canary/);
    const store = await openStore(path, { encryptionKey: ENCRYPTION_KEY });
    assert.doesNotMatch(textOf(folder), /sk-canary/);
    await store.close();
  });
});

test('B8: what nobody can seal is named: copies kept for people, and what a snapshot moved aside', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const plain = await openStore(path);
  await changeConfig(plain.config, withProviders('sk-canary'));
  await plain.close();
  const bytes = readFileSync(path);
  await (await openStore(path, { encryptionKey: ENCRYPTION_KEY })).close();
  const pretty = JSON.stringify(JSON.parse(bytes.toString()), null, 2);
  writeFileSync(`${path}.corrupt-20260301T120000000Z`, pretty.slice(0, -40));
  writeFileSync(`${path}.conflict-20260301T120000000Z`, bytes);
  writeFileSync(`${path}.torn`, readFileSync(path));
  mkdirSync(join(folder, 'replaced-1'));
  writeFileSync(join(folder, 'replaced-1', 'ipin-proxy.db'), bytes);
  writeFileSync(join(folder, 'replaced-1', 'ipin-proxy.db.v0.bak'), PLAIN);
  writeFileSync(join(folder, 'notes.json'), bytes);
  const expected = [
    'ipin-proxy.db.conflict-20260301T120000000Z',
    'ipin-proxy.db.corrupt-20260301T120000000Z',
    'replaced-1/ipin-proxy.db',
    'replaced-1/ipin-proxy.db.v0.bak',
  ];
  const store = await openStore(path, { encryptionKey: ENCRYPTION_KEY });
  assert.deepEqual(await store.findPlainCopies(), expected);
  renameSync(`${path}.torn`, `${path}.conflict-20260301T120000000Z`);
  assert.deepEqual(await store.findPlainCopies(), expected.slice(1), 'another file under the same name');
  await store.close();
  const open = await openStore(path);
  assert.deepEqual(await open.findPlainCopies(), ['replaced-1/ipin-proxy.db.v0.bak']);
  await open.close();
});
