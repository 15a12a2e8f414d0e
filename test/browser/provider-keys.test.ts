import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { makeKey } from '../helpers/records.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { fromNow, giveStates } from './given-states.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const SECRETS = ['sk-first-0123456789aaaa', 'sk-second-0123456789bbbb', 'sk-third-0123456789cccc'];

async function startWithKeys(t: TestContext, secrets = SECRETS): Promise<AppUnderTest> {
  const app = await startApp(t);
  const keys = secrets.map((secret, index) => makeKey({ id: `key_${index}`, secret }));
  await app.addProvider({ id: 'up', name: 'Up', baseUrl: 'https://api.example.com/v1', keys }, []);
  return app;
}

function keysOf(app: AppUnderTest): (string | null)[] {
  const provider = app.services.store.config.view().providers.get('up');
  return provider?.keys.map(({ secret }) => secret) ?? [];
}

async function openKeys(page: Page): Promise<{ dialog: Locator; items: Locator }> {
  await row(page, 'Up')
    .getByRole('button', { name: /^Keys of Up/ })
    .click();
  const dialog = page.getByRole('dialog', { name: 'State and keys of Up' });
  const items = dialog.getByRole('list', { name: 'Keys' }).getByRole('listitem');
  await dialog.getByLabel('New key').waitFor();
  return { dialog, items };
}

test('keys are added, switched off and removed', options, async (t) => {
  const app = await startWithKeys(t, SECRETS.slice(0, 1));
  const { page } = await visitPanel(t, app.origin, 'Providers');
  const { dialog, items } = await openKeys(page);
  assert.equal(await items.count(), 1);
  const field = dialog.getByLabel('New key');
  for (const secret of SECRETS.slice(1)) {
    await field.fill(secret);
    await dialog.getByRole('button', { name: 'Add key' }).click();
    await items.locator('code', { hasText: secret.slice(-3) }).waitFor();
    assert.equal(await field.inputValue(), '');
  }
  assert.deepEqual(keysOf(app), SECRETS);
  assert.equal((await page.content()).includes(SECRETS[1] ?? ''), false, 'a key can be seen');

  await field.fill(SECRETS[1] ?? '');
  await dialog.getByRole('button', { name: 'Add key' }).click();
  await dialog.getByText('The provider has this key already.').waitFor();
  await field.fill('');

  const second = items.nth(1);
  await second.getByRole('switch').click();
  await second.getByText('Off').waitFor();
  assert.equal(app.services.store.config.view().providers.get('up')?.keys[1]?.enabled, false);

  await second.getByRole('button', { name: /^Remove the key/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await items.count(), 3);
  await items
    .nth(0)
    .getByRole('button', { name: /^Remove the key/ })
    .click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await items.nth(2).waitFor({ state: 'detached' });
  assert.deepEqual(keysOf(app), SECRETS.slice(1));
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await row(page, 'Up').getByText('1 of 2 ready').waitFor();
});

test('keys work from the keyboard, and the focus is never lost', options, async (t) => {
  const app = await startWithKeys(t);
  const { page } = await visitPanel(t, app.origin, 'Providers');
  const hands = createKeyboard(page);
  const opener = row(page, 'Up').getByRole('button', { name: /^Keys of Up/ });
  await hands.activate(opener);
  const dialog = page.getByRole('dialog', { name: 'State and keys of Up' });
  const items = dialog.getByRole('list', { name: 'Keys' }).getByRole('listitem');
  const toggle = items.nth(1).getByRole('switch');
  await hands.goTo(toggle);
  await hands.press('Space');
  await items.nth(1).getByText('Off').waitFor();
  await expectFocus(page, toggle);
  for (const left of [2, 1]) {
    await hands.activate(items.last().getByRole('button', { name: /^Remove the key/ }));
    await expectFocus(page, page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }));
    await hands.activate(page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }));
    await items.nth(left).waitFor({ state: 'detached' });
    await expectFocus(page, items.last().getByRole('button', { name: /^Remove the key/ }));
  }
  await hands.press('Enter');
  await page.getByText('It is the only key of Up.').waitFor();
  await hands.activate(page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }));
  await dialog.getByText('No key is stored').waitFor();
  await expectFocus(page, dialog.getByLabel('New key'));
  await page.keyboard.type('sk-new-0123456789dddd');
  await hands.press('Enter');
  await items.locator('code', { hasText: 'ddd' }).waitFor();
  await hands.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expectFocus(page, opener);
});

test('a resting key is tried at once when asked to', options, async (t) => {
  const app = await startWithKeys(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  const lastError = {
    at: fromNow(-5),
    status: 401,
    code: 'invalid_api_key',
    message: 'Incorrect key <sk-…aaaa>',
  };
  const given = await giveStates(page, {
    up: {
      health: { state: 'resting', restingUntil: fromNow(600), lastError },
      keys: [
        { state: 'refused', restingUntil: fromNow(600), lastError, lastUsedAt: fromNow(-5) },
        { state: 'resting', restingUntil: fromNow(42), lastUsedAt: fromNow(-5) },
        { state: 'unreadable' },
      ],
    },
  });
  await page.getByRole('tab', { name: 'Providers' }).click();
  await row(page, 'Up').getByText('0 of 3 ready').waitFor();
  const { dialog, items } = await openKeys(page);
  await items.nth(0).getByText('Refused').waitFor();
  await items.nth(0).getByText('Incorrect key <sk-…aaaa>').waitFor();
  await items
    .nth(0)
    .getByText(/tried again in 9 min/)
    .waitFor();
  await items
    .nth(1)
    .getByText(/Resting [34]\d s/)
    .waitFor();
  await items.nth(2).getByText('Unreadable').waitFor();
  assert.equal(
    await items
      .nth(2)
      .getByRole('button', { name: /^Try now/ })
      .count(),
    0,
  );
  await checkLooks(page, 'keys of a provider');

  given.set({});
  const woken = page.waitForRequest((request) => request.method() === 'POST');
  await items
    .nth(1)
    .getByRole('button', { name: /^Try now/ })
    .click();
  assert.match((await woken).url(), /\/api\/admin\/providers\/up\/keys\/key_1\/wake$/);
  await items.nth(1).getByText('Not used lately').first().waitFor();
  await expectFocus(page, items.nth(1).getByRole('switch'));
  await dialog.getByRole('button', { name: 'Try now', exact: true }).waitFor({ state: 'hidden' });
});

test('a whole provider is woken', options, async (t) => {
  const app = await startWithKeys(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  const given = await giveStates(page, { up: { health: { state: 'resting', restingUntil: fromNow(60) } } });
  await page.getByRole('tab', { name: 'Providers' }).click();
  const { dialog } = await openKeys(page);
  given.set({});
  const woken = page.waitForRequest((request) => request.method() === 'POST');
  const wake = dialog.getByRole('button', { name: 'Try now', exact: true });
  await wake.click();
  assert.match((await woken).url(), /\/api\/admin\/providers\/up\/wake$/);
  await wake.waitFor({ state: 'hidden' });
  await expectFocus(page, dialog.getByRole('button', { name: 'Close' }).last());
});

test('the form names the first key of several, and what a stream is asked for', options, async (t) => {
  const app = await startWithKeys(t);
  const { page } = await visitPanel(t, app.origin, 'Providers');
  await page.getByRole('button', { name: 'Edit Up' }).click();
  await page.getByText('the first of 3 keys').waitFor();
  await page.getByText('Advanced').click();
  await page.getByLabel('Request token counts in streams').selectOption('Never');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const provider = app.services.store.config.view().providers.get('up');
  assert.equal(provider?.options.includeUsage, 'never');
  assert.deepEqual(keysOf(app), SECRETS);
});
