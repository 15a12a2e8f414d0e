import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { fillSignIn, SKIPPED, visit } from './start-browser.ts';

const USER = { username: 'john', password: 'a password of his' };

test('the admin signs in, lands in the panel and is not asked again', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, ADMIN.username, 'not this one');
  await page.getByRole('alert').getByText('wrong').waitFor();
  assert.equal(await page.getByLabel('Username').inputValue(), ADMIN.username);
  await page.getByLabel('Password').fill(ADMIN.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/admin\.html/);
  assert.equal(await page.getByRole('tab', { selected: true }).first().textContent(), 'Overview');
  const again = await open('/');
  await again.waitForURL(/\/admin\.html/);
});

test('a user signs in at the same place and lands on the own page', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.admin('POST', '/api/admin/users', USER);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, USER.username, USER.password);
  await page.waitForURL(/\/dashboard\.html/);
  await page.getByRole('heading', { name: 'Hello, john' }).waitFor();
  const panel = await open('/admin.html');
  await panel.waitForURL(/\/dashboard\.html/);
});

test('signing out ends it everywhere', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, ADMIN.username, ADMIN.password);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Username').waitFor();
  const panel = await open('/admin.html');
  await panel.getByLabel('Username').waitFor();
});

test('too many failed attempts: the form says so and counts down', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const body = JSON.stringify({ username: ADMIN.username, password: 'wrong' });
  for (let status = 0; status !== 429; ) {
    const headers = { 'content-type': 'application/json' };
    status = (await fetch(`${app.origin}/api/login`, { method: 'POST', headers, body })).status;
    assert.ok(status === 401 || status === 429, `status ${status}`);
  }
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, ADMIN.username, 'wrong');
  await page.getByRole('alert').getByText('Too many failed attempts').waitFor();
  const countdown = page.getByRole('button', { name: /Try again in \d+ s/ });
  await countdown.waitFor();
  assert.equal(await countdown.getAttribute('aria-disabled'), 'true');
});

test('the default password from another machine: the page says what to set', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t, { env: { UI_USERNAME: 'admin', UI_PASSWORD: 'admin' } });
  const { page } = await visit(t, app.origin, '/', { headers: { 'x-forwarded-for': '203.0.113.7' } });
  await fillSignIn(page, 'admin', 'admin');
  await page.getByRole('alert').getByText('UI_PASSWORD').first().waitFor();
});
