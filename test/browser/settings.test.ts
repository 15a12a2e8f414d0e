import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createSealer } from '../../src/store/secrets.ts';
import { secretOf } from '../helpers/records.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { makeFolder, openStore } from '../store/fixture.ts';
import { SKIPPED, visitPanel } from './start-browser.ts';

const PROVIDER_KEY = 'sk-of-the-provider-0123456789';
const ENCRYPTION_KEY = 'an encryption key for tests';
const PASSPHRASE = 'three old ships at sea';

async function makeBackup(app: AppUnderTest, query = '?secrets=omit'): Promise<string> {
  return (await app.admin('GET', `/api/admin/backup${query}`)).text();
}

async function check(page: Page, content: string, passphrase = ''): Promise<void> {
  const file = { name: 'backup.json', mimeType: 'application/json', buffer: Buffer.from(content) };
  await page.getByLabel('Backup file').setInputFiles(file);
  await page.getByLabel('Passphrase of the backup').fill(passphrase);
  await page.getByRole('button', { name: 'Check the file' }).click();
}

function change(page: Page, text: string): ReturnType<Page['locator']> {
  return page.locator('dl > div').filter({ hasText: text });
}

async function download(page: Page): Promise<string> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download backup' }).click();
  const stream = await (await downloading).createReadStream();
  return Buffer.concat(await stream.toArray()).toString();
}

test('a restore says what it would change before anything does', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.addProvider(
    { id: 'old', name: 'Old one', baseUrl: 'https://old.example/v1', apiKey: PROVIDER_KEY },
    [{ id: 'same' }, { id: 'renamed' }],
  );
  await app.addKey({ name: 'Gone key' });
  const backup = await makeBackup(app);
  const { page } = await visitPanel(t, app.origin, 'Settings');
  await check(page, backup);
  await page.getByText('Nothing. The backup equals the current configuration.').waitFor();

  await app.admin('PUT', '/api/admin/models/renamed', { name: 'Another name' });
  await app.admin('DELETE', '/api/admin/providers/old?cascade=true');
  await app.admin('POST', '/api/admin/users', { username: 'newcomer', password: 'long enough' });
  const { data } = (await (await app.admin('GET', '/api/admin/apikeys')).json()) as {
    data: { id: string }[];
  };
  await app.admin('DELETE', `/api/admin/apikeys/${data.find(({ id }) => id !== 'master')?.id}`);
  await page.getByRole('button', { name: 'Check the file' }).click();
  for (const text of [
    'Providers addedOld one',
    'Models addedsame, renamed',
    'API keys addedGone key',
    'Users removednewcomer',
    'API keys that work againGone key',
    'Providers whose key you must enter againOld one',
  ])
    await change(page, text).waitFor();
  assert.equal(app.services.store.config.view().providers.has('old'), false);
  await page.getByRole('button', { name: 'Restore now' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(app.services.store.config.view().providers.has('old'), false);
});

test('B6: a backup of an earlier version shows where its keys go, and once more before it is restored', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t, { env: { ENCRYPTION_KEY } });
  const baseUrl = 'https://up.example/v1';
  await app.addProvider({ id: 'up', name: 'Up', baseUrl, apiKey: PROVIDER_KEY }, []);
  const { checksum: _, ...file } = JSON.parse(await makeBackup(app, ''));
  const sealer = createSealer({ key: ENCRYPTION_KEY, previousKey: null, randomBytes });
  for (const one of file.providers)
    if (one.id === 'up') {
      delete one.keys;
      one.apiKey = { sealed: sealer.seal(PROVIDER_KEY, { record: 'provider', id: 'up', field: 'apiKey' }) };
    }
  await app.admin('DELETE', '/api/admin/providers/up');
  const { page } = await visitPanel(t, app.origin, 'Settings');
  await check(page, JSON.stringify(file));
  const address = 'The key of up will be sent to https://up.example.';
  await change(page, 'Check these addresses').filter({ hasText: address }).waitFor();
  await page.getByRole('button', { name: 'Restore now' }).click();
  await page.getByRole('alertdialog').filter({ hasText: address }).waitFor();
  await page.getByRole('button', { name: 'Replace' }).click();
  await page.getByText('The backup is restored.').waitFor();
  assert.equal(secretOf(app.services.store.config.view().providers.get('up')), PROVIDER_KEY);
});

test('a file that is no backup and a passphrase that does not open it', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', name: 'Up', baseUrl: 'https://up.example/v1', apiKey: PROVIDER_KEY }, []);
  const { page } = await visitPanel(t, app.origin, 'Settings');
  const alert = page.getByRole('alert');
  await check(page, 'not a backup');
  await alert.getByText('This file is not a backup. A backup is a JSON file.').waitFor();
  await check(page, '{"hello":"there"}');
  await alert.getByText(/backup/).waitFor();

  await page.getByLabel('Passphrase', { exact: true }).fill('too short');
  await page.getByRole('button', { name: 'Download backup' }).click();
  assert.equal(await page.getByLabel('Passphrase', { exact: true }).getAttribute('aria-invalid'), 'true');
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  const backup = await download(page);
  assert.equal(backup.includes(PROVIDER_KEY), false);
  await check(page, backup);
  await alert.getByText('Enter the passphrase of this backup.').waitFor();
  await check(page, backup, 'another passphrase');
  await alert.getByText(/passphrase/).waitFor();
  const report = page.getByRole('heading', { name: 'What would change' });
  assert.equal(await report.count(), 0);
  await check(page, backup, PASSPHRASE);
  await report.waitFor();
});

test('with ENCRYPTION_KEY a backup needs no passphrase; keys can be left out', {
  skip: SKIPPED,
}, async (t) => {
  const store = await openStore(join(makeFolder(), 'ipin-proxy.db'), { encryptionKey: ENCRYPTION_KEY });
  const app = await startApp(t, { store, env: { ENCRYPTION_KEY } });
  await app.addProvider({ id: 'up', name: 'Up', baseUrl: 'https://up.example/v1', apiKey: PROVIDER_KEY }, []);
  const { page } = await visitPanel(t, app.origin, 'Settings');
  await page.getByText('Encrypted', { exact: true }).waitFor();
  await page.getByText('With ENCRYPTION_KEY').click();
  await page.getByLabel('Passphrase', { exact: true }).waitFor({ state: 'hidden' });
  const sealed = await download(page);
  await page.getByText('Left out').click();
  const bare = await download(page);
  for (const file of [sealed, bare]) assert.equal(file.includes(PROVIDER_KEY), false);
  await app.admin('DELETE', '/api/admin/providers/up');
  await check(page, sealed);
  await change(page, 'Providers addedUp').waitFor();
  assert.equal(await change(page, 'enter again').count(), 0);
  await check(page, bare);
  await change(page, 'Providers whose key you must enter againUp').waitFor();
});
