import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import {
  chooseTab,
  fillSignIn,
  findBarriers,
  isOverflowing,
  type OpenOptions,
  row,
  SKIPPED,
  visit,
  visitPanel,
} from './start-browser.ts';

const LOOKS: readonly OpenOptions[] = [
  { width: 360, theme: 'dark' },
  { width: 1440, theme: 'light' },
  ...(process.env['IPIN_LONG'] === '1'
    ? ([
        { width: 360, theme: 'light' },
        { width: 1440, theme: 'dark' },
      ] as const)
    : []),
];
const USER = { username: 'maria', password: 'a password of hers' };

async function fill(app: AppUnderTest): Promise<void> {
  await app.addProvider(
    {
      id: 'groq',
      name: 'Groq',
      baseUrl: 'https://api.groq.com/openai/v1',
      apiKey: 'sk-some-key-of-the-provider',
    },
    [
      { id: 'gpt-4o', name: 'GPT-4o' },
      { id: 'a-model-with-a-very-long-name-that-does-not-fit-anywhere/at-all-on-a-phone-held-upright' },
    ],
  );
  await app.admin('POST', '/api/admin/users', USER);
  await app.addKey({ name: 'A key', models: ['gpt-4o'], expiresAt: '2020-01-01T00:00:00Z' });
}

async function check(page: Page, place: string): Promise<void> {
  // Half-way through an animation colours are mixed; one whose element went away is over as well.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))),
  );
  assert.deepEqual(await findBarriers(page), [], place);
  assert.equal(await isOverflowing(page), false, `${place} is wider than the window`);
}

for (const look of LOOKS) {
  const name = `${look.width} px, ${look.theme}`;

  test(`no barriers in the panel at ${name}`, { skip: SKIPPED }, async (t) => {
    const app = await startApp(t);
    await fill(app);
    const { page } = await visitPanel(t, app.origin, 'Overview', look);
    await page.getByRole('heading', { name: 'Connect' }).waitFor();
    await check(page, 'Overview');
    for (const [tab, content] of [
      ['Providers', 'Groq'],
      ['Models', 'GPT-4o'],
      ['API Keys', 'A key'],
      ['Users', 'maria'],
    ] as const) {
      await chooseTab(page, tab);
      await row(page, content).waitFor();
      await check(page, tab);
      await page.getByRole('button', { name: `Edit ${content}` }).click();
      await check(page, `${tab}: edit`);
      await page.keyboard.press('Escape');
    }
    await chooseTab(page, 'Settings');
    await page.getByText('Running for').waitFor();
    await check(page, 'Settings');
  });

  test(`no barriers at the door and on the own page at ${name}`, { skip: SKIPPED }, async (t) => {
    const app = await startApp(t);
    await fill(app);
    const { page } = await visit(t, app.origin, '/', look);
    await fillSignIn(page, USER.username, 'wrong');
    await page.getByRole('alert').getByText('wrong').waitFor();
    await check(page, 'sign-in');
    await fillSignIn(page, USER.username, USER.password);
    await row(page, 'gpt-4o').waitFor();
    await check(page, 'dashboard');
  });
}

test('the panel works from the keyboard alone', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.getByRole('tab', { name: 'Overview', selected: true }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('tab', { name: 'Providers', selected: true }).waitFor();
  await page.getByRole('button', { name: 'Add Provider' }).waitFor();
  await page.keyboard.press('End');
  await page.getByRole('tab', { name: 'Settings', selected: true }).waitFor();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  const add = page.getByRole('button', { name: 'Add Provider' });
  await add.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add Provider' });
  await dialog.waitFor();
  for (let step = 0; step < 20; step++) {
    await page.keyboard.press('Tab');
    const isInside = await page.evaluate(
      () => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null,
    );
    assert.ok(isInside, `step ${step} left the dialog`);
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await add.evaluate((node) => node === document.activeElement), true);
});
