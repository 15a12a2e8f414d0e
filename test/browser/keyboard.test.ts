import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { row, SKIPPED, visit, visitPanel } from './start-browser.ts';

function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

test('from the sign-in through the tabs and out again', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page } = await visit(t, app.origin, '/');
  const hands = createKeyboard(page);
  await expectFocus(page, page.getByLabel('Username'));
  await page.keyboard.type(ADMIN.username);
  await hands.type(page.getByLabel('Password'), ADMIN.password);
  await hands.press('Enter');
  await page.waitForURL(/\/admin\.html/);
  await page.getByRole('heading', { name: 'Set it up' }).waitFor();

  const skip = page.getByRole('link', { name: 'Skip to content' });
  await hands.activate(skip);
  await expectFocus(page, page.locator('main'));

  await hands.goTo(page.getByRole('tab', { name: 'Overview' }), { backwards: true });
  for (const [key, tab] of [
    ['ArrowDown', 'Usage'],
    ['ArrowRight', 'Requests'],
    ['End', 'Settings'],
    ['ArrowRight', 'Overview'],
    ['ArrowUp', 'Settings'],
    ['Home', 'Overview'],
    ['ArrowLeft', 'Settings'],
  ] as const) {
    await hands.press(key);
    const chosen = page.getByRole('tab', { name: tab, selected: true });
    await expectFocus(page, chosen);
    await page.getByRole('heading', { name: tab, level: 1 }).waitFor();
  }
  await hands.press('Tab');
  assert.equal(
    await page.getByRole('tab', { name: 'Settings' }).evaluate((tab) => tab === document.activeElement),
    false,
  );
  await hands.goTo(page.getByRole('button', { name: 'Account' }), { backwards: true });
  await hands.press('Enter');
  await expectFocus(page, page.getByRole('radio', { name: 'System' }));
  await hands.activate(button(page, 'Sign out'));
  await expectFocus(page, page.getByLabel('Username'));
});

test('a provider: added from a preset, tested, imported from, changed, switched and deleted', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const data = ['alpha', 'beta'].map((id) => ({ id, object: 'model' }));
  const upstream = await startUpstream(t, json({ object: 'list', data }));
  const { page } = await visitPanel(t, app.origin, 'Providers');
  const hands = createKeyboard(page);
  await row(page, 'Dots OCR').waitFor();

  await hands.activate(button(page, 'Add Provider'));
  await expectFocus(page, page.getByLabel('API Key'));
  await page.keyboard.type('sk-mine-0123456789');
  await hands.goTo(page.getByLabel('Preset'));
  await page.keyboard.type('Groq');
  await hands.type(page.getByLabel('Provider Name'), 'Mine');
  await hands.type(page.getByLabel('Provider ID'), 'mine');
  await hands.type(page.getByLabel('Base URL'), `${upstream.origin}/v1`);
  await hands.goTo(page.getByLabel('Enabled'));
  await hands.press('Space', 'Space');
  await hands.goTo(page.getByText('Advanced'));
  await hands.press('Space');
  await hands.type(page.getByLabel('Connect timeout'), '4000');
  await hands.press('Enter');
  await row(page, 'Mine').waitFor();
  await expectFocus(page, button(page, 'Add Provider'));
  assert.equal(app.services.store.config.view().providers.get('mine')?.options.connectTimeoutMs, 4000);

  await hands.activate(button(page, 'Test Mine'));
  await page.getByText('The provider answers and lists its models.').waitFor();
  await hands.press('Escape');
  await expectFocus(page, button(page, 'Test Mine'));

  await hands.activate(button(page, 'Fetch models of Mine'));
  await hands.goTo(page.getByLabel('alpha'));
  await hands.press('Space');
  await hands.activate(button(page, 'Import 1 model'));
  await page.getByText('1 model imported.').waitFor();
  await expectFocus(page, button(page, 'Fetch models of Mine'));

  await hands.activate(button(page, 'Edit Mine'));
  await hands.type(page.getByLabel('Provider Name'), 'Mine two');
  await hands.press('Escape');
  await page.getByText('Discard your changes?').waitFor();
  await expectFocus(page, button(page, 'Keep editing'));
  await hands.press('Enter');
  await expectFocus(page, page.getByLabel('Provider Name'));
  await hands.activate(button(page, 'Save'));
  await row(page, 'Mine two').waitFor();
  await expectFocus(page, button(page, 'Edit Mine two'));

  const toggle = page.getByRole('switch', { name: 'Mine two' });
  await hands.goTo(toggle, { backwards: true });
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
  await hands.press('Space');
  await saved;
  await expectFocus(page, toggle);
  assert.equal(app.services.store.config.view().providers.get('mine')?.enabled, false);

  await hands.activate(button(page, 'Delete Mine two'));
  await expectFocus(page, button(page, 'Cancel'));
  await hands.activate(button(page, 'Delete with 1 model'));
  await row(page, 'Mine two').waitFor({ state: 'detached' });
  await expectFocus(page, page.getByLabel('Search providers'));
});

test('a model: added, found, changed, switched and deleted', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', name: 'Up', baseUrl: 'http://127.0.0.1:9/v1' }, [{ id: 'other' }]);
  const { page } = await visitPanel(t, app.origin, 'Models');
  const hands = createKeyboard(page);
  await row(page, 'other').waitFor();
  await hands.activate(button(page, 'Add Model'));
  await expectFocus(page, page.getByLabel('Display Name'));
  await page.keyboard.type('Mine');
  await hands.type(page.getByLabel('Model ID'), 'vendor/mine');
  await hands.goTo(page.getByLabel('Provider', { exact: true }));
  await page.keyboard.type('Up');
  await hands.goTo(page.getByRole('radio', { name: 'Guess from the name' }));
  await hands.press('ArrowRight');
  await expectFocus(page, page.getByRole('radio', { name: 'Yes' }));
  await hands.activate(button(page, 'Save'));
  await row(page, 'Mine').getByText('Takes images').waitFor();
  await expectFocus(page, button(page, 'Add Model'));

  await hands.goTo(page.getByLabel('Search models'), { backwards: true });
  await page.keyboard.type('vendor');
  await row(page, 'other').waitFor({ state: 'detached' });
  await hands.goTo(button(page, 'Model'));
  await hands.press('Enter');
  await expectFocus(page, button(page, 'Model'));
  assert.equal(await page.locator('th[aria-sort="ascending"]').count(), 1);

  await hands.activate(button(page, 'Edit Mine'));
  await hands.type(page.getByLabel('Upstream Name'), 'mine-large');
  await hands.press('Enter');
  await row(page, 'mine-large').waitFor();
  await hands.goTo(page.getByRole('switch', { name: 'Mine' }), { backwards: true });
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
  await hands.press('Space');
  await saved;
  await hands.activate(button(page, 'Delete Mine'));
  await hands.activate(button(page, 'Delete'));
  await page.getByText('Nothing found').waitFor();
  await expectFocus(page, page.getByLabel('Search models'));
});
