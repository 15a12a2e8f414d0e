import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeCall, makeLimits, recordOf } from '../helpers/limited-keys.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

const NANO = 1_000_000_000;

/** A key that spent $36.80 of $40 a month, and its user, who may spend $30 more. */
async function startWithBudgets(t: TestContext): Promise<{ app: AppUnderTest; key: string; userId: string }> {
  const app = await startApp(t);
  const limits = { budgetUsd: 66.8, rpm: 40 };
  const user = { username: 'maria', password: 'a password of hers', limits };
  const { id: userId } = (await (await app.admin('POST', '/api/admin/users', user)).json()) as { id: string };
  const key = await app.addKey({
    name: 'Nightly batch',
    userId,
    limits: makeLimits({ budgetUsd: 40, budgetPeriod: 'month', rpm: 60 }),
  });
  makeCall(app, key, { tokens: 1000, costNanoUsd: 36.8 * NANO });
  return { app, key, userId };
}

async function openNightly(page: Page) {
  await page.getByRole('link', { name: 'Nightly batch' }).click();
  return page.getByRole('complementary', { name: 'Nightly batch' });
}

test('a budget in the list: used of limit, a word, when it opens again', { skip: SKIPPED }, async (t) => {
  const { app, key } = await startWithBudgets(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys');
  const nightly = row(page, 'Nightly batch');
  await nightly.getByText('$36.80 of $40.00').waitFor();
  await nightly.getByText('92 % used').waitFor();
  await nightly.getByText(/^starts again on 1 /).waitFor();
  assert.equal(recordOf(app, key).limits?.budgetUsd, 40);
});

test('limits are a sentence: the old value struck, the effective limit with its origin, saved as a whole', {
  skip: SKIPPED,
}, async (t) => {
  const { app, key } = await startWithBudgets(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys', { width: 1440 });
  const drawer = await openNightly(page);
  const held = drawer.locator('.facts dd');
  assert.deepEqual(await held.allTextContents(), [
    '$3.20 left of $40.00 · this key',
    '40 · maria, over all their keys',
  ]);
  assert.equal(await drawer.getByRole('button', { name: 'Save limits' }).isDisabled(), true);
  await drawer.getByLabel('Budget in dollars').fill('$100');
  await drawer.locator('del').getByText('$40.00').waitFor();
  await drawer.getByText('With $100.00 it stands at 36 %.').waitFor();
  await drawer.getByText('maria may spend only $66.80').waitFor();
  assert.equal((await held.allTextContents())[0], '$30.00 left of $66.80 · maria, over all their keys');
  await drawer.getByLabel('Tokens per minute').fill('100k');
  await drawer.getByLabel('Requests per minute').fill('many');
  await drawer.getByRole('button', { name: 'Save limits' }).click();
  await drawer.getByRole('alert').getByText('Requests per minute: enter a whole number').waitFor();
  await drawer.getByLabel('Requests per minute').fill('');
  await drawer.getByLabel('Period').selectOption('a week');
  await drawer.getByLabel('Allowed addresses').fill('10.0.0.0/8, 192.0.2.999');
  await drawer.getByRole('button', { name: 'Save limits' }).click();
  await drawer.getByRole('alert').getByText('must be a list of').waitFor();
  await drawer.getByLabel('Allowed addresses').fill('10.0.0.0/8 192.0.2.9');
  await drawer.getByRole('button', { name: 'Save limits' }).click();
  await page.getByText('The limits of Nightly batch are saved.').waitFor();
  assert.deepEqual(recordOf(app, key).limits, {
    rpm: null,
    tpm: 100_000,
    concurrency: null,
    budgetUsd: 100,
    budgetTokens: null,
    budgetPeriod: 'week',
    warnPercent: null,
    allowedIps: ['10.0.0.0/8', '192.0.2.9'],
  });
  await drawer.getByLabel('Budget in dollars').fill('1');
  await drawer.getByRole('button', { name: 'Discard' }).click();
  assert.equal(await drawer.getByLabel('Budget in dollars').inputValue(), '$100.00');
});

test('more is given once, and the usage reset', { skip: SKIPPED }, async (t) => {
  const { app } = await startWithBudgets(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys', { width: 1440 });
  const drawer = await openNightly(page);
  await drawer.getByRole('button', { name: 'Give $10' }).click();
  await drawer.getByText('of $50.00 in ').waitFor();
  await drawer.getByText('$10.00 of it given once').waitFor();
  await row(page, 'Nightly batch').getByText('$36.80 of $50.00').waitFor();
  await drawer.getByLabel('Another amount').fill('2.5');
  await drawer.getByRole('button', { name: 'Give $2.50' }).click();
  await drawer.getByText('of $52.50 in ').waitFor();
  await drawer.getByRole('button', { name: 'Reset usage' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Reset usage' }).click();
  await row(page, 'Nightly batch').getByText('$0.00 of $40.00').waitFor();
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'hidden' });
});

test('a user’s limits hold over all keys; the drawer moves to the neighbour', {
  skip: SKIPPED,
}, async (t) => {
  const { app, userId } = await startWithBudgets(t);
  await app.admin('POST', '/api/admin/users', { username: 'zoe', password: 'a password of hers' });
  const { page } = await visitPanel(t, app.origin, 'Users', { width: 1440 });
  await row(page, 'maria').getByText('$36.80 of $66.80').waitFor();
  await page.getByRole('link', { name: 'maria' }).click();
  const drawer = page.getByRole('complementary', { name: 'maria' });
  await drawer.getByLabel('Requests at the same time').fill('3');
  await drawer.getByRole('button', { name: 'Save limits' }).click();
  await page.getByText('The limits of maria are saved.').waitFor();
  assert.equal(app.services.store.config.view().users.get(userId)?.limits?.concurrency, 3);
  await drawer.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('complementary', { name: 'zoe' }).getByText('no budget').waitFor();
  assert.match((await page.locator('tr.selected').textContent()) ?? '', /^zoe/);
});

test('limits are set with a new key', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys');
  await page.getByRole('button', { name: 'Add API Key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('With a budget');
  await page.getByLabel('Budget in dollars').fill('-3');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('Enter an amount over 0 in dollars').waitFor();
  await page.getByLabel('Budget in dollars').fill('12');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByRole('dialog', { name: 'With a budget is ready' }).getByText('Read the message').click();
  await page.getByText('Budget: $12.00 a month').waitFor();
  await page.getByRole('button', { name: 'Copy message' }).click();
  await page.getByText('The key is copied').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await row(page, 'With a budget').getByText('$0.00 of $12.00').waitFor();
});

test('the drawer looks right', { skip: SKIPPED }, async (t) => {
  const { app } = await startWithBudgets(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys');
  const drawer = await openNightly(page);
  await drawer.getByText('No requests.').waitFor();
  await drawer.getByLabel('Budget in dollars').fill('30');
  await checkLooks(page, 'a key in the drawer');
});

test('limits that another admin changed appear in an open drawer, unless somebody is at them', {
  skip: SKIPPED,
}, async (t) => {
  const { app, key } = await startWithBudgets(t);
  const { page } = await visitPanel(t, app.origin, 'API Keys');
  const drawer = await openNightly(page);
  const budget = drawer.getByLabel('Budget in dollars');
  await drawer.getByLabel('Requests per minute').focus();
  const { id, limits } = recordOf(app, key);
  const changed = { limits: { ...limits, budgetUsd: 50 } };
  assert.equal((await app.admin('PUT', `/api/admin/apikeys/${id}`, changed)).status, 200);
  // As every 30 seconds.
  const loadAgain = () => page.evaluate(() => dispatchEvent(new Event('rest-over')));
  await loadAgain();
  await row(page, 'Nightly batch').getByText('$36.80 of $50.00').waitFor();
  assert.equal(await budget.inputValue(), '$40.00');
  await drawer.focus();
  await loadAgain();
  await drawer.getByText('left of $50.00 · this key').waitFor();
  assert.equal(await budget.inputValue(), '$50.00');
  assert.equal((await app.admin('PUT', `/api/admin/apikeys/${id}`, { limits })).status, 200);
  await loadAgain();
  await drawer.getByText('left of $40.00 · this key').waitFor();
  assert.equal(await budget.inputValue(), '$40.00');
});
