import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { changeConfig } from '../../src/store/change-config.ts';
import { startApp } from '../helpers/start-app.ts';
import { expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { addSampleData, SAMPLE_PASSWORD } from './sample-data.ts';
import { fillSignIn, flip, row, SKIPPED, visit } from './start-browser.ts';
import { startTraffic } from './traffic-setup.ts';

function button(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('button', { name, exact: true });
}

test('a user sees and changes the own keys, and nobody else’s', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'john', SAMPLE_PASSWORD);
  await page.getByRole('heading', { name: 'Hello, John Appleseed' }).waitFor();
  await row(page, 'John’s phone').waitFor();
  for (const other of ['Maria’s laptop', 'Master key', 'Home Assistant'])
    assert.equal(await row(page, other).count(), 0, other);
  assert.deepEqual(
    await page.getByRole('table', { name: 'Your models' }).locator('tbody .mono').allTextContents(),
    ['gpt-4o', 'mistral-large'],
  );

  await button(page, 'Edit John’s phone').click();
  await page.getByLabel('Name', { exact: true }).fill('John’s new phone');
  assert.equal(await page.getByLabel('Owner').count(), 0);
  await page.getByLabel('mistral-large').check();
  await button(page, 'Save').click();
  await row(page, 'John’s new phone').getByText('2 models').waitFor();
  await flip(page, 'John’s new phone');
  const [key] = [...app.services.store.config.view().apiKeys.values()].filter(
    ({ userId }) => userId === 'john',
  );
  assert.deepEqual([key?.enabled, key?.models], [false, ['gpt-4o', 'mistral-large']]);
});

test('a user sees what is left, the own usage and the own requests, and nobody else’s', {
  skip: SKIPPED,
}, async (t) => {
  const { app, chat, spentThisMonthUsd } = await startTraffic(t);
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  await page.getByRole('heading', { name: 'Hello, Maria Lindt' }).waitFor();
  const left = page.getByRole('region', { name: /^Left in / });
  const spentUsd = spentThisMonthUsd();
  await left.getByText(`$${(20 - spentUsd).toFixed(2)}`, { exact: true }).waitFor();
  await left.getByText('of $20.00').waitFor();
  const lines = await left.getByRole('listitem').allTextContents();
  assert.deepEqual(lines.slice(0, 3), [
    'Requests a minute60',
    'At the same time5',
    'Nearly used up at80\u202f%, $16.00',
  ]);
  await page.getByRole('radio', { name: new RegExp(`^Spend\\s*≈\\s\\$${spentUsd.toFixed(2)}`) }).waitFor();
  await page.getByRole('radio', { name: /^Tokens/ }).click();
  await page.getByRole('heading', { name: 'Tokens per day by model' }).waitFor();
  const latest = page.getByRole('region', { name: 'Your latest requests' });
  assert.equal(await latest.locator('tbody tr').count(), 8);
  await latest.getByRole('cell', { name: 'no-price' }).waitFor();
  const shown = (await page.locator('main').textContent()) ?? '';
  for (const other of ['Nightly batch', 'Physics class', 'sk-one'])
    assert.equal(shown.includes(other), false, other);
  await checkLooks(page, 'dashboard with usage');

  await page.clock.install();
  assert.equal(await chat('gpt-small'), 200);
  await page.clock.runFor(11_000);
  await latest.locator('tbody tr').first().getByText('gpt-small').waitFor();
});

test('models have their prices, and a request opens in the drawer, by address too', {
  skip: SKIPPED,
}, async (t) => {
  const { app } = await startTraffic(t);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  const models = page.getByRole('table', { name: 'Your models' });
  await models.getByRole('row', { name: /^gpt-large gpt-large \$2 \/ \$10$/ }).waitFor();
  await models.getByRole('row', { name: /no-price no price$/ }).waitFor();
  const latest = page.getByRole('region', { name: 'Your latest requests' });
  await latest.getByRole('link', { name: 'no-price' }).click();
  const drawer = page.getByRole('complementary', { name: /^Request req_/ });
  await drawer.getByText('One attempt').waitFor();
  const text = (await drawer.textContent()) ?? '';
  for (const hidden of ['sk-one', 'undefined', 'Provider’s model'])
    assert.equal(text.includes(hidden), false, hidden);
  await checkLooks(page, 'a request of one’s own');
  await page.setViewportSize({ width: 1280, height: 800 });
  const again = await open(new URL(page.url()).pathname + new URL(page.url()).hash);
  await again
    .getByRole('complementary', { name: /^Request req_/ })
    .getByText('One attempt')
    .waitFor();
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'hidden' });
  await expectFocus(page, latest.getByRole('link', { name: 'no-price' }));
});

test('the search finds pages, own keys, models and requests', { skip: SKIPPED }, async (t) => {
  const { app } = await startTraffic(t);
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  await page.getByRole('region', { name: 'Your latest requests' }).waitFor();
  const find = async (text: string, option: RegExp | string): Promise<void> => {
    await page.keyboard.press('ControlOrMeta+K');
    await expectFocus(page, page.getByRole('combobox', { name: 'Search' }));
    await page.keyboard.type(text);
    await page.getByRole('option', { name: option, selected: true }).waitFor();
    await page.keyboard.press('Enter');
  };
  await find('tablet', /^Maria’s tablet/);
  await page.getByRole('dialog', { name: 'Edit Maria’s tablet' }).waitFor();
  await page.keyboard.press('Escape');
  await find('gpt-small', /^gpt-small/);
  await page.locator('tr[aria-current="true"]').filter({ hasText: 'gpt-small' }).waitFor();
  await find('no-price 200', /^no-price 200 · /);
  await page.getByRole('complementary', { name: /^Request req_/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('ControlOrMeta+K');
  await page.getByRole('combobox', { name: 'Search' }).fill('nightly');
  await page.getByText('Nothing fits “nightly”.').waitFor();
  await page.getByRole('combobox').fill('change the pass');
  await page.keyboard.press('Enter');
  await expectFocus(page, page.getByLabel('Current password'));
  await find('chat', 'Chat');
  await page.waitForURL(/\/chat\.html/);
});

test('before the first request the page says so, and what could not be loaded is loaded again', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page, context } = await visit(t, app.origin, '/');
  await context.route('**/api/user/usage?**', (route) => route.fulfill({ status: 500, body: 'no JSON' }));
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  await page.getByRole('alert').getByText('The server answered with status 500.').waitFor();
  await context.unroute('**/api/user/usage?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'No requests yet' }).waitFor();
  await page
    .getByRole('region', { name: /^Used in / })
    .getByText('$0.00')
    .waitFor();
});

test('a key wider than its user is refused at the field that says so', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'john', SAMPLE_PASSWORD);
  await button(page, 'Add API Key').click();
  await page.getByLabel('Name', { exact: true }).fill('Too wide');
  await page.getByText('Only selected').click();
  await page.getByLabel('Patterns').fill('claude-*');
  await button(page, 'Create key').click();
  await page.getByText('This allows more models than the owner of the key may use.').waitFor();
  assert.equal(await page.getByLabel('Patterns').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Too wide');
});

test('nothing yet: no keys, no models; one way to the chat', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  await changeConfig(app.services.store.config, (state) => ({
    state: { ...state, models: new Map() },
    result: null,
  }));
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'amelie', SAMPLE_PASSWORD);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await page.getByRole('heading', { name: 'No models yet' }).waitFor();
  await page.getByRole('link', { name: 'Open chat' }).click();
  await page.waitForURL(/\/chat\.html/);
  await page.getByRole('link', { name: 'My account' }).click();
  await page.getByRole('heading', { name: 'Hello, amelie' }).waitFor();
});
