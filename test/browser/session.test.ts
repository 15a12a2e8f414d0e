import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { answers, ask, idle, modelReady, startChat } from './chat-setup.ts';
import { chooseTab, fillSignIn, row, SKIPPED, signOut, visitPanel } from './start-browser.ts';

test('the session ends under an open form: sign in over it, and it is saved', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page, context } = await visitPanel(t, app.origin, 'Providers');
  await page.getByRole('button', { name: 'Add Provider' }).click();
  await page.getByLabel('Provider Name').fill('Kept');
  await page.getByLabel('Base URL').fill('https://kept.example/v1');
  await context.clearCookies();
  await page.getByRole('button', { name: 'Save' }).click();
  const again = page.getByRole('dialog', { name: 'Please sign in again' });
  await again.waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await again.isVisible(), true);
  await again.getByLabel('Password').fill(ADMIN.password);
  await page.keyboard.press('Enter');
  await page.getByText('Kept is saved.').waitFor();
  await row(page, 'Kept').waitFor();
});

test('signing out in one tab shows in the other, which goes on after the next sign-in', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitPanel(t, app.origin, 'Models');
  await row(page, 'dots-ocr').waitFor();
  const other = await open('/admin.html#users');
  await signOut(other);
  await other.getByLabel('Username').waitFor();
  const again = page.getByRole('dialog', { name: 'Please sign in again' });
  await again.waitFor();
  await fillSignIn(other, ADMIN.username, ADMIN.password);
  await again.waitFor({ state: 'detached' });
});

test('the tab that signs out does not ask to sign in again when a late request of it is refused', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page, context } = await visitPanel(t, app.origin, 'Models');
  const steps: string[] = [];
  await page.exposeFunction('noteDialog', () => steps.push('dialog'));
  await page.evaluate(() => {
    const note: () => void = Reflect.get(window, 'noteDialog');
    new MutationObserver(() => document.querySelector('dialog') && note()).observe(document.body, {
      childList: true,
    });
  });
  const loggedOut = page.waitForResponse(/\/logout$/);
  const refused = page.waitForResponse((response) => response.status() === 401);
  await context.route(/\/api\/admin\/users$/, async (route) => {
    await loggedOut;
    await route.continue();
  });
  await context.route(/\/forget\.js$/, async (route) => {
    await refused;
    // The page has taken the refusal when it has taken an answer that came later.
    await page.evaluate(() => fetch('health').then((response) => response.text()));
    steps.push('left');
    await route.continue();
  });
  await chooseTab(page, 'Users');
  await signOut(page);
  await page.getByLabel('Username').waitFor();
  assert.deepEqual(steps, ['left']);
});

test('a person who signs out while an answer comes may stay, and is asked to sign in again', {
  skip: SKIPPED,
}, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { open } = await visitPanel(t, app.origin, 'Models');
  const page = await open('/chat.html');
  await modelReady(page);
  await ask(page, 'Tell me a story');
  const call = await nextCall();
  call.say('Once upon a time');
  await answers(page).getByText('Once upon a time').waitFor();
  const stayed = page.waitForEvent('dialog').then((question) => question.dismiss());
  await signOut(page);
  await stayed;
  call.finish();
  await idle(page);
  await ask(page, 'Go on');
  await page.getByRole('dialog', { name: 'Please sign in again' }).waitFor();
  await answers(page).getByText('Once upon a time').waitFor();
});

test('a failed sign-out says so, and the page still asks to sign in when the session ends', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page, context } = await visitPanel(t, app.origin, 'Models');
  await context.route(/\/logout$/, (route) => route.abort());
  await signOut(page);
  await page.getByText('The server does not answer. Your input is still here').waitFor();
  await context.clearCookies();
  await chooseTab(page, 'Users');
  await page.getByRole('dialog', { name: 'Please sign in again' }).waitFor();
});

test('the server is away for a moment: the panel says so and recovers by itself', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page, context } = await visitPanel(t, app.origin, 'Models');
  await row(page, 'dots-ocr').waitFor();
  await context.route(/\/(api\/|health)/, (route) => route.abort());
  await row(page, 'dots-ocr').getByRole('switch').click();
  await page.getByText('The server does not answer. Trying again').waitFor();
  assert.equal(await row(page, 'dots-ocr').getByRole('switch').isChecked(), true);
  await app.addProvider({ id: 'later', baseUrl: 'https://later.example/v1' }, [{ id: 'new-model' }]);
  await context.unroute(/\/(api\/|health)/);
  await row(page, 'new-model').waitFor();
  assert.equal(await page.getByText('Trying again').count(), 0);
});

test('tabs are pages of their own for the back button and the address', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitPanel(t, app.origin, 'Models');
  await chooseTab(page, 'Users');
  assert.match(page.url(), /#users$/);
  await page.goBack();
  await page.getByRole('tab', { name: 'Models', selected: true }).waitFor();
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  const direct = await open('/admin.html#settings');
  await direct.getByRole('tab', { name: 'Settings', selected: true }).waitFor();
  await direct.getByRole('heading', { name: 'Backup' }).waitFor();
});
