import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { fillSignIn, SKIPPED, signOut, visit } from './start-browser.ts';

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
  for (const place of ['/', '/dashboard.html']) {
    const again = await open(place);
    await again.waitForURL(/\/admin\.html/);
  }
});

test('a user signs in at the same place and lands on the own page', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.admin('POST', '/api/admin/users', USER);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, USER.username, USER.password);
  await page.waitForURL(/\/dashboard\.html/);
  await page.getByRole('heading', { name: 'Hello, john' }).waitFor();
  for (const place of ['/', '/admin.html']) {
    const again = await open(place);
    await again.waitForURL(/\/dashboard\.html/);
  }
});

test('a user who is switched off is told so, not that his password is wrong', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  await app.admin('POST', '/api/admin/users', { ...USER, enabled: false });
  const { page } = await visit(t, app.origin, '/');
  await fillSignIn(page, USER.username, USER.password);
  await page.getByRole('alert').getByText('This account is switched off').waitFor();
});

test('signing out ends it everywhere', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visit(t, app.origin, '/');
  await fillSignIn(page, ADMIN.username, ADMIN.password);
  await signOut(page);
  await page.getByLabel('Username').waitFor();
  const panel = await open('/admin.html');
  await panel.getByLabel('Username').waitFor();
});

test('the default password from another machine: the page says what to set', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t, { env: { UI_USERNAME: 'admin', UI_PASSWORD: 'admin' } });
  const { page } = await visit(t, app.origin, '/', { headers: { 'x-forwarded-for': '203.0.113.7' } });
  await fillSignIn(page, 'admin', 'admin');
  await page.getByRole('alert').getByText('UI_PASSWORD').first().waitFor();
});

test('after too many failed attempts the time left is counted down, then the form is back', {
  skip: SKIPPED,
}, async (t) => {
  let waitedMs = 0;
  const app = await startApp(t, { now: () => Date.now() + waitedMs });
  const { page } = await visit(t, app.origin, '/');
  await page.clock.install();
  const submit = page.locator('button[type=submit]');
  for (let attempt = 0; (await submit.textContent()) === 'Sign in'; attempt++) {
    assert.ok(attempt < 20, 'there is an end to failed attempts');
    const answered = page.waitForResponse(/\/api\/login$/);
    await fillSignIn(page, ADMIN.username, 'wrong');
    await answered;
    await page
      .getByRole('alert')
      .getByText(/wrong|Too many/)
      .waitFor();
  }
  await page.getByRole('alert').getByText('Too many failed attempts').waitFor();
  assert.equal(await submit.getAttribute('aria-disabled'), 'true');
  const secondsLeft = async (): Promise<number> =>
    Number(/in (\d+) s/.exec((await submit.textContent()) ?? '')?.[1]);
  const atFirst = await secondsLeft();
  assert.ok(atFirst > 5 && atFirst <= 900, `${atFirst} s`);
  await page.clock.runFor(5000);
  assert.ok((await secondsLeft()) <= atFirst - 4);
  waitedMs = atFirst * 1000;
  await page.clock.runFor(waitedMs);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(await page.locator('[role=alert]').textContent(), '');
  assert.equal(await submit.getAttribute('aria-disabled'), 'false');
  await fillSignIn(page, ADMIN.username, ADMIN.password);
  await page.waitForURL(/\/admin\.html/);
});

test('who is to wait for one name may sign in with another at once', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  // From an address that the account knows, which others' attempts cannot lock out.
  await app.admin('GET', '/api/admin/me');
  const { page } = await visit(t, app.origin, '/');
  const submit = page.locator('button[type=submit]');
  for (let attempt = 0; (await submit.textContent()) === 'Sign in'; attempt++) {
    assert.ok(attempt < 20, 'there is an end to failed attempts');
    const answered = page.waitForResponse(/\/api\/login$/);
    await fillSignIn(page, 'maria', 'wrong');
    await answered;
    await page
      .getByRole('alert')
      .getByText(/wrong|Too many/)
      .waitFor();
  }
  await page.getByLabel('Username').fill(ADMIN.username);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  assert.equal(await page.locator('[role=alert]').textContent(), '');
  await fillSignIn(page, ADMIN.username, ADMIN.password);
  await page.waitForURL(/\/admin\.html/);
});

test('under another name than localhost the default password is refused, a good one works', {
  skip: SKIPPED,
}, async (t) => {
  const careless = await startApp(t, { env: { UI_USERNAME: 'admin', UI_PASSWORD: 'admin' } });
  const { page } = await visit(t, `http://proxy.example:${careless.port}`, '/');
  await fillSignIn(page, 'admin', 'admin');
  const refusal = page.getByRole('alert');
  await refusal.getByText('The default password works only on the machine itself').waitFor();
  await refusal.getByText('-e UI_PASSWORD=a-long-password').waitFor();

  const careful = await startApp(t);
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  await careful.addProvider({ id: 'up', baseUrl: `${upstream.origin}/v1` }, [{ id: 'm' }]);
  // A server with a first answer shows its overview.
  assert.equal((await careful.v1('/v1/chat/completions', { model: 'm', messages: [] })).status, 200);
  const origin = `http://proxy.example:${careful.port}`;
  const other = await visit(t, origin, '/');
  await fillSignIn(other.page, ADMIN.username, ADMIN.password);
  await other.page.getByText(`${origin}/v1`, { exact: true }).waitFor();
  assert.equal(await other.page.evaluate(() => isSecureContext), false);
  await other.page.getByRole('button', { name: 'Copy the base URL' }).click();
  await other.page.getByText(/^(Copied\.|Selected. Press Ctrl\+C)/).waitFor();
  assert.equal(await other.page.evaluate(() => getSelection()?.toString()), `${origin}/v1`);
});
