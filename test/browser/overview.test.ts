import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../helpers/start-app.ts';
import { expectFocus } from './keyboard-hands.ts';
import { addSampleData } from './sample-data.ts';
import { chooseTab, SKIPPED, visitPanel } from './start-browser.ts';

test('counts lead to their tabs; warnings are in sight', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.getByRole('list', { name: 'Warnings' }).getByText('ENCRYPTION_KEY').waitFor();
  for (const [text, tab] of [
    ['Providers86 on', 'Providers'],
    ['Models96 on', 'Models'],
    ['API keys75 on', 'API Keys'],
    ['Users65 on', 'Users'],
  ] as const) {
    await chooseTab(page, 'Overview');
    await page.locator('button.count').filter({ hasText: text }).click();
    await page.getByRole('tab', { name: tab, selected: true }).waitFor();
    await expectFocus(page, page.locator('main'));
  }
});

test('the last snapshot is the last that was written, not the last that was tried', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t, {
    snapshotStatus: () => ({
      enabled: true,
      target: 'keep.example',
      lastAt: '2026-03-05T10:00:00.000Z',
      lastResult: 'unreachable',
      lastWrittenAt: '2026-03-04T10:00:00.000Z',
      protected: true,
      message: 'keep.example cannot be reached.',
    }),
  });
  const { page } = await visitPanel(t, app.origin, 'Overview');
  const fact = page.locator('.details div').filter({ hasText: 'Off-site snapshots' });
  assert.match((await fact.textContent()) ?? '', /cannot be reached\.Last snapshot: .*\b4\b/);
});

test('what could not be loaded is said, and loaded after “Try again”', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page, context } = await visitPanel(t, app.origin, 'Users');
  await page.getByRole('heading', { name: 'No users yet' }).waitFor();
  await context.route('**/api/admin/status', (route) => route.fulfill({ status: 500, body: 'no JSON' }));
  for (const tab of ['Overview', 'Settings']) {
    await chooseTab(page, tab);
    await page.getByRole('alert').getByText('The server answered with status 500.').waitFor();
  }
  await page.getByRole('heading', { name: 'Backup' }).waitFor();
  await context.unroute('**/api/admin/status');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Running for').waitFor();
});
