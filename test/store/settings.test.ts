import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BackupSecrets, exportBackup, OMITTED_SECRET, parseBackup } from '../../src/store/backup.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import type { AlertWebhook, Settings } from '../../src/store/entities.ts';
import { createNewConfig } from '../../src/store/new-config.ts';
import { NEW_SETTINGS } from '../../src/store/new-records.ts';
import { planRestore } from '../../src/store/restore.ts';
import type { ConfigState, Store } from '../../src/store/store.ts';
import { credentials, makeFolder, NOW_MS, openStore } from './fixture.ts';

const KEY = 'an encryption key';
const OTHER = 'another encryption key';
const SECRET = 'canary-secret-of-the-webhook';
const URL = 'https://hook.example/path';
const HOOK: AlertWebhook = { url: URL, secret: SECRET, unreadable: null };
const SETTINGS: Settings = { defaultProviderId: null, unpricedModels: 'refuse', alertWebhook: HOOK };

const newPath = (): string => join(makeFolder(), 'ipin-proxy.db');
const save = (store: Store, settings: Settings): Promise<null> =>
  changeConfig(store.config, (state) => ({ state: { ...state, settings }, result: null }));
const settingsOf = (store: Store): Settings => store.config.view().settings;

interface StoredFile {
  checksum?: string;
  settings?: { alertWebhook: { url: string; secret: unknown } | null; [name: string]: unknown };
}

const readFile = (path: string): StoredFile => JSON.parse(readFileSync(path, 'utf8'));

/** Changes a database by hand, as somebody with an editor does. */
function edit(path: string, change: (file: StoredFile) => void): void {
  const file = readFile(path);
  delete file.checksum;
  change(file);
  writeFileSync(path, JSON.stringify(file));
}

/** A database with the settings above, closed. */
async function makeDatabase(encryptionKey: string | null): Promise<string> {
  const path = newPath();
  const store = await openStore(path, { encryptionKey });
  await save(store, SETTINGS);
  await store.close();
  return path;
}

describe('settings in a file', () => {
  test('are those of a new server where the file has none', async () => {
    const path = await makeDatabase(null);
    edit(path, (file) => delete file.settings);
    const store = await openStore(path);
    assert.deepEqual(settingsOf(store), NEW_SETTINGS);
    await store.close();
  });

  for (const encryptionKey of [null, KEY]) {
    test(`come back ${encryptionKey === null ? 'in clear text' : 'and are sealed'}`, async () => {
      const path = await makeDatabase(encryptionKey);
      assert.equal(readFileSync(path, 'utf8').includes(SECRET), encryptionKey === null);
      const store = await openStore(path, { encryptionKey });
      assert.deepEqual(settingsOf(store), SETTINGS);
      await store.close();
    });
  }

  test('keep their sealed form while they do not change', async () => {
    const path = await makeDatabase(KEY);
    const before = readFile(path).settings;
    const store = await openStore(path, { encryptionKey: KEY });
    await changeConfig(store.config, (state) => ({
      state: { ...state, apiKeys: new Map(state.apiKeys) },
      result: null,
    }));
    await store.close();
    assert.deepEqual(readFile(path).settings, before);
  });

  test('are sealed anew with the present key', async () => {
    const path = await makeDatabase(null);
    const sealed = await openStore(path, { encryptionKey: KEY });
    await sealed.close();
    assert.ok(!readFileSync(path, 'utf8').includes(SECRET));
    const rotated = await openStore(path, { encryptionKey: OTHER, previousEncryptionKey: KEY });
    assert.equal(settingsOf(rotated).alertWebhook?.secret, SECRET);
    await rotated.close();
    const after = await openStore(path, { encryptionKey: OTHER });
    assert.equal(settingsOf(after).alertWebhook?.secret, SECRET);
    await after.close();
  });

  test('do not give their secret to another origin, and keep it sealed', async () => {
    const path = await makeDatabase(KEY);
    const sealed = readFile(path).settings?.alertWebhook?.secret as { sealed: string };
    edit(path, (file) => Object.assign(file.settings?.alertWebhook ?? {}, { url: 'https://evil.example/' }));
    const store = await openStore(path, { encryptionKey: KEY });
    const hook = { url: 'https://evil.example/', secret: null, unreadable: sealed.sealed };
    assert.deepEqual(settingsOf(store).alertWebhook, hook);
    await save(store, { ...settingsOf(store), unpricedModels: 'allow' });
    await store.close();
    assert.deepEqual(readFile(path).settings?.alertWebhook?.secret, sealed);
    edit(path, (file) => Object.assign(file.settings?.alertWebhook ?? {}, { url: URL }));
    const again = await openStore(path, { encryptionKey: KEY });
    assert.deepEqual(settingsOf(again).alertWebhook, HOOK);
    await again.close();
  });

  for (const [settings, problem] of [
    [5, /settings is not an object/],
    [{ unpricedModels: 'x' }, /settings\.unpricedModels is not one of allow, refuse/],
    [{ defaultProviderId: 5 }, /settings\.defaultProviderId is not a text/],
    [{ alertWebhook: [] }, /settings\.alertWebhook is not an object/],
    [{ alertWebhook: { secret: 'x' } }, /settings\.alertWebhook\.url is not a text/],
    [{ alertWebhook: { url: URL, secret: 5 } }, /settings\.alertWebhook\.secret is not/],
  ] as const) {
    test(`are refused as ${JSON.stringify(settings)}`, async () => {
      const path = await makeDatabase(null);
      edit(path, (file) => Object.assign(file, { settings }));
      await assert.rejects(openStore(path), problem);
    });
  }
});

describe('settings in a backup', () => {
  const now = (): number => NOW_MS;
  const config = (settings: Settings): ConfigState => ({
    ...createNewConfig({ now, randomBytes }),
    settings,
  });

  async function restore(current: Settings, secrets: BackupSecrets, url = URL): Promise<Settings> {
    const backup = config({ ...SETTINGS, alertWebhook: { ...HOOK, url } });
    const bytes = await exportBackup(backup, { secrets, now, randomBytes });
    assert.ok(!bytes.includes(SECRET));
    const passphrase = secrets.mode === 'passphrase' ? secrets.passphrase : null;
    const keys = { encryptionKey: KEY, previousEncryptionKey: null, passphrase };
    const parsed = await parseBackup(bytes, { ...keys, credentials, now, randomBytes });
    const plan = planRestore(config(current), parsed);
    const isSame = JSON.stringify(plan.config.settings) === JSON.stringify(current);
    assert.equal(plan.report.changesSettings, !isSame);
    return plan.config.settings;
  }

  for (const secrets of [
    { mode: 'encryption-key', key: KEY },
    { mode: 'passphrase', passphrase: 'a long passphrase' },
  ] as const) {
    test(`come back under ${secrets.mode}`, async () => {
      assert.deepEqual(await restore(NEW_SETTINGS, secrets), SETTINGS);
    });
  }

  const omit = { mode: 'omit' } as const;
  const OMITTED = { url: URL, secret: null, unreadable: OMITTED_SECRET };

  test('come back without the secret where secrets are left out', async () => {
    assert.deepEqual(await restore(NEW_SETTINGS, omit), { ...SETTINGS, alertWebhook: OMITTED });
  });

  test('leave the present secret if the webhook has the same origin', async () => {
    const present = { ...SETTINGS, alertWebhook: { ...HOOK, url: 'https://hook.example/other' } };
    assert.deepEqual(await restore(present, omit), SETTINGS);
    assert.deepEqual(await restore(SETTINGS, omit), SETTINGS);
    const elsewhere = { ...SETTINGS, alertWebhook: { ...HOOK, url: 'https://other.example/' } };
    assert.deepEqual((await restore(elsewhere, omit)).alertWebhook, OMITTED);
  });

  test('never take the present secret to another origin', async () => {
    const secrets = { mode: 'passphrase', passphrase: 'a long passphrase' } as const;
    const { alertWebhook } = await restore(SETTINGS, secrets, 'https://evil.example/');
    assert.deepEqual(alertWebhook, { ...OMITTED, url: 'https://evil.example/' });
  });
});
