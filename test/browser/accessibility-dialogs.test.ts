import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { addSampleData } from './sample-data.ts';
import { chooseTab, SKIPPED, visitPanel } from './start-browser.ts';

const OFFERED = Array.from({ length: 12 }, (_, number) => ({ id: `model-${number}`, object: 'model' }));

function button(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('button', { name, exact: true });
}

async function close(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

async function discard(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await button(page, 'Discard').click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

async function startFilled(t: Parameters<typeof startApp>[0]): Promise<AppUnderTest> {
  const app = await startApp(t);
  const upstream = await startUpstream(t, json({ object: 'list', data: OFFERED }));
  await addSampleData(app);
  await app.addProvider(
    { id: 'works', name: 'Works', baseUrl: `${upstream.origin}/v1`, apiKey: 'sk-up' },
    [],
  );
  await app.addProvider({ id: 'fails', name: 'Fails', baseUrl: 'http://127.0.0.1:9/v1' }, []);
  return app;
}

test('no barriers in the dialogs of providers', { skip: SKIPPED }, async (t) => {
  const app = await startFilled(t);
  const { page } = await visitPanel(t, app.origin, 'Providers');
  await button(page, 'Add Provider').click();
  await page.getByText('Advanced').click();
  await page.getByLabel('Provider Name').fill('A name');
  await button(page, 'Save').click();
  await page.getByText('Please fill this in.').waitFor();
  await checkLooks(page, 'add a provider, with a mistake');
  await page.keyboard.press('Escape');
  await page.getByText('Discard your changes?').waitFor();
  await checkLooks(page, 'discard?');
  await button(page, 'Discard').click();
  await button(page, 'Edit Works').click();
  await checkLooks(page, 'edit a provider');
  await close(page);
  await button(page, 'Test Works').click();
  await page.getByText('The provider answers and lists its models.').waitFor();
  await checkLooks(page, 'a test that passes');
  await close(page);
  await button(page, 'Test Fails').click();
  await page.getByText('does not work yet').waitFor();
  await checkLooks(page, 'a test that fails');
  await close(page);
  await button(page, 'Fetch models of Works').click();
  await page.getByLabel('model-3').check();
  await checkLooks(page, 'import models');
  await discard(page);
  await button(page, 'Fetch models of Fails').click();
  await page.getByText('Loading failed').waitFor();
  await checkLooks(page, 'import that fails');
  await close(page);
  await button(page, 'Delete OpenRouter').click();
  await checkLooks(page, 'delete a provider');
});

test('no barriers in the dialogs of models, keys, users and settings', { skip: SKIPPED }, async (t) => {
  const app = await startFilled(t);
  const { page, context } = await visitPanel(t, app.origin, 'Models');
  await button(page, 'Edit GPT-4o').click();
  await checkLooks(page, 'edit a model');
  await close(page);
  await chooseTab(page, 'API Keys');
  await button(page, 'Add API Key').click();
  await page.getByLabel('Name', { exact: true }).fill('Maria’s tablet');
  await page.getByText('Only selected').click();
  await page.getByLabel('Expires', { exact: true }).selectOption('At a date and time …');
  await checkLooks(page, 'add a key');
  await page.getByLabel('Expires', { exact: true }).selectOption('Never');
  await button(page, 'Create key').click();
  await page.getByText('Select a model above').waitFor();
  await checkLooks(page, 'a key without models');
  await page.getByRole('button', { name: /^Select all \d+$/ }).click();
  await button(page, 'Create key').click();
  await page.getByText('shown only once').waitFor();
  await checkLooks(page, 'a new key');
  await button(page, 'Done').click();
  await page.getByRole('alertdialog').waitFor();
  await checkLooks(page, 'closing without the key?');
  await button(page, 'Close anyway').click();
  await chooseTab(page, 'Users');
  await button(page, 'Edit john').click();
  await checkLooks(page, 'edit a user');
  await close(page);

  const backup = await (await app.admin('GET', '/api/admin/backup?secrets=omit')).text();
  await app.admin('DELETE', '/api/admin/users/maria');
  await chooseTab(page, 'Settings');
  const file = { name: 'backup.json', mimeType: 'application/json', buffer: Buffer.from(backup) };
  await page.getByLabel('Backup file').setInputFiles(file);
  await button(page, 'Check the file').click();
  await page.getByRole('heading', { name: 'What would change' }).waitFor();
  await checkLooks(page, 'report of a restore');
  await button(page, 'Restore now').click();
  await page.getByText('Replace the whole configuration?').waitFor();
  await checkLooks(page, 'restore?');
  await close(page);
  await context.clearCookies();
  await chooseTab(page, 'Models');
  await page.getByText('Please sign in again').waitFor();
  await checkLooks(page, 'sign in again');
});
