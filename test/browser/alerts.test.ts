import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { SKIPPED, visitPanel } from './start-browser.ts';

const EVIL = '<img src=/xss onerror=xss()>';

test('alerts: a webhook is saved, tested and removed; models without a price are refused', {
  skip: SKIPPED,
}, async (t) => {
  const receiver = await startUpstream(t, json({}, 204));
  const app = await startApp(t);
  const { page } = await visitPanel(t, app.origin, 'Settings');
  const alerts = page.getByRole('form', { name: 'Alerts' });
  await alerts.getByLabel('Webhook URL').fill(`${receiver.origin}/hook`);
  await alerts.getByRole('button', { name: 'Save' }).click();
  await alerts.getByText('Please fill this in.').waitFor();
  await alerts.getByLabel('Signing secret').fill(EVIL.replaceAll(' ', ''));
  await alerts.getByRole('button', { name: 'Save' }).click();
  await alerts.getByText('Leave empty to keep it.').waitFor();
  await alerts.getByRole('button', { name: 'Send a test' }).click();
  await alerts.getByText(/^The test arrived: 204/).waitFor();
  assert.equal(receiver.received.length, 1);
  await checkLooks(page, 'settings with alerts');
  await alerts.getByLabel('Webhook URL').fill('https://example.com/other');
  await alerts.getByRole('button', { name: 'Save' }).click();
  await alerts.getByText('Enter the secret for it again.').waitFor();
  await alerts.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Alerts are sent nowhere now.').waitFor();
  await page.getByText('Refuse', { exact: true }).click();
  await page.getByText('Models without a price are refused.').waitFor();
  assert.equal(app.services.store.config.view().settings.unpricedModels, 'refuse');
  assert.equal(app.services.store.config.view().settings.alertWebhook, null);
});
