import { test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { addSampleData, SAMPLE_PASSWORD } from './sample-data.ts';
import { chooseTab, fillSignIn, row, SKIPPED, visit, visitPanel } from './start-browser.ts';

test('no barriers at the door, with and without a mistake, and on the own page', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page } = await visit(t, app.origin, '/');
  await page.getByLabel('Username').waitFor();
  await checkLooks(page, 'sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Please fill this in.').first().waitFor();
  await checkLooks(page, 'sign-in, nothing filled in');
  await fillSignIn(page, ADMIN.username, 'wrong');
  await page.getByRole('alert').getByText('wrong').waitFor();
  await checkLooks(page, 'sign-in, a wrong password');
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  await row(page, 'gpt-4o').waitFor();
  await checkLooks(page, 'dashboard');
  await page.getByRole('button', { name: 'Add API Key' }).click();
  await checkLooks(page, 'dashboard: add a key');
});

test('no barriers in the tabs of the panel', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.getByRole('heading', { name: 'Set it up' }).waitFor();
  await checkLooks(page, 'Overview');
  for (const [tab, content] of [
    ['Providers', 'Groq'],
    ['Models', 'GPT-4o'],
    ['API Keys', 'Home Assistant'],
    ['Users', 'maria'],
  ] as const) {
    await chooseTab(page, tab);
    await row(page, content).waitFor();
    await checkLooks(page, tab);
  }
  await page.getByLabel('Search users').fill('nobody of this name');
  await page.getByText('Nothing found').waitFor();
  await checkLooks(page, 'a search that finds nothing');
  await chooseTab(page, 'Settings');
  await page.getByText('Running for').waitFor();
  await checkLooks(page, 'Settings');
});

test('no barriers in the tabs of a panel where nothing is set up', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await changeConfig(app.services.store.config, (state) => ({
    state: { ...state, providers: new Map(), models: new Map() },
    result: null,
  }));
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.getByRole('heading', { name: 'Set it up' }).waitFor();
  await checkLooks(page, 'Overview, empty');
  for (const tab of ['Providers', 'Models', 'Users']) {
    await chooseTab(page, tab);
    await page.getByRole('heading', { name: `No ${tab.toLowerCase()} yet` }).waitFor();
    await checkLooks(page, `${tab}, empty`);
  }
  await chooseTab(page, 'API Keys');
  await row(page, 'Master key').waitFor();
  await checkLooks(page, 'API Keys, empty');
});
