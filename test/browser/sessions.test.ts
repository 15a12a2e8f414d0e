import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { IDLE_LIFETIME_MS } from '../../src/auth/sessions.ts';
import { ownPort } from '../helpers/own-port.ts';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';
import { expectFocus } from './keyboard-hands.ts';
import { addSampleData, SAMPLE_PASSWORD } from './sample-data.ts';
import { fillSignIn, row, SKIPPED, signOut, takeNewKey, visit, visitPanel } from './start-browser.ts';

/** Presses a button, also where a request of the page's own has opened the sign-in over it a moment before. */
function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name }).dispatchEvent('click');
}

test('an hour of rest in the middle of a change: sign in over it, the change is there and is saved', {
  skip: SKIPPED,
}, async (t) => {
  let restedMs = 0;
  const app = await startApp(t, { now: () => Date.now() + restedMs });
  await addSampleData(app);
  const { page } = await visitPanel(t, app.origin, 'Users');
  await page.getByRole('button', { name: 'Edit john' }).click();
  await page.getByLabel('Full name').fill('John of the orchard');
  await page.getByText('All models').click();
  restedMs = IDLE_LIFETIME_MS + 1000;
  await press(page, 'Save');
  const again = page.getByRole('dialog', { name: 'Please sign in again' });
  await again.getByText('Your session has ended. Your input is still here.').waitFor();
  assert.equal(await again.getByLabel('Username').inputValue(), ADMIN.username);
  await again.getByLabel('Password').fill('not this one');
  await page.keyboard.press('Enter');
  await again.getByRole('alert').getByText('wrong').waitFor();
  await again.getByLabel('Password').fill(ADMIN.password);
  await page.keyboard.press('Enter');
  await page.getByText('john is saved.').waitFor();
  const john = app.services.store.config.view().users.get('john');
  assert.deepEqual([john?.name, john?.models], ['John of the orchard', null]);
});

test('a user’s session ends while a key is made and a password typed', { skip: SKIPPED }, async (t) => {
  let restedMs = 0;
  const app = await startApp(t, { now: () => Date.now() + restedMs });
  await addSampleData(app);
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
  await page.getByRole('button', { name: 'Add API Key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Tablet');
  restedMs = IDLE_LIFETIME_MS + 1000;
  await press(page, 'Create key');
  const again = page.getByRole('dialog', { name: 'Please sign in again' });
  await again.getByLabel('Password').fill(SAMPLE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Tablet is ready' }).waitFor();
  await takeNewKey(page);

  await page.getByLabel('Current password').fill(SAMPLE_PASSWORD);
  await page.getByLabel('New password').fill('an even better one');
  restedMs *= 2;
  await press(page, 'Change password');
  await again.getByLabel('Password').fill(SAMPLE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Your password is changed.').waitFor();
});

test('signing out in one tab leaves what is typed in the other', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page, open } = await visitPanel(t, app.origin, 'Models');
  await page.getByRole('button', { name: 'Edit GPT-4o' }).click();
  const name = page.getByLabel('Display Name');
  await name.fill('GPT-4o, the quick one');
  const other = await open('/admin.html#users');
  await signOut(other);
  await other.getByLabel('Username', { exact: true }).waitFor();
  await page.bringToFront();
  const again = page.getByRole('dialog', { name: 'Please sign in again' });
  await again.getByLabel('Password').fill(ADMIN.password);
  await page.keyboard.press('Enter');
  await again.waitFor({ state: 'detached' });
  await expectFocus(page, name);
  assert.equal(await name.inputValue(), 'GPT-4o, the quick one');
  await page.getByRole('button', { name: 'Save' }).click();
  await row(page, 'GPT-4o, the quick one').waitFor();
});

test('the server restarts under an open form: it says so, loses nothing and goes on without a sign-in', {
  skip: SKIPPED,
}, async (t) => {
  const folder = makeTestFolder(t);
  // Nobody else may come to listen there while no server does.
  const env = {
    UI_USERNAME: ADMIN.username,
    UI_PASSWORD: ADMIN.password,
    PORT: String(await ownPort(t)),
  };
  const first = await startServer(t, { folder, env });
  const { page } = await visitPanel(t, first.origin, 'Providers');
  await page.getByRole('button', { name: 'Add Provider' }).click();
  await page.getByLabel('Provider Name').fill('Kept');
  await page.getByLabel('Base URL').fill('https://kept.example/v1');
  await page.getByLabel('API Key').fill('sk-typed-before-the-restart');
  await first.stop();

  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add Provider' });
  await dialog.getByRole('alert').getByText('The server does not answer. Your input is still here').waitFor();
  await page.getByText('The server does not answer. Trying again').waitFor();
  assert.equal(await page.getByLabel('API Key').inputValue(), 'sk-typed-before-the-restart');

  await startServer(t, { folder, env });
  await page.getByText('Trying again').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Base URL').inputValue(), 'https://kept.example/v1');
  await page.getByRole('button', { name: 'Save' }).click();
  await row(page, 'Kept').waitFor();
  assert.equal(await page.getByText('Please sign in again').count(), 0);
});
