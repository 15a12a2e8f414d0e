import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN, expectStatus, MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  clearConversation,
  keyField,
  messageField,
  modelList,
  openChat,
  startChat,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, visit, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const WRONG_KEY = 'sk-nobody-has-this-key-0123456789';

test('the key lives in the page’s memory alone, and a reload forgets it', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page, context } = await openChat(t, app, 'chat page');
  await ask(page, 'Hello');
  const call = await nextCall();
  call.say('Good day');
  call.finish();
  await answers(page).getByText('Good day').waitFor();
  assert.equal(await keyField(page).getAttribute('type'), 'password');
  const places = await page.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    cookie: document.cookie,
    state: history.state as unknown,
    name: window.name,
    html: document.documentElement.outerHTML,
    resources: performance.getEntriesByType('resource').map(({ name }) => name),
  }));
  const found = JSON.stringify([places, page.url(), await context.storageState(), await context.cookies()]);
  assert.equal(found.includes(MASTER_KEY), false);
  assert.equal(found.includes(encodeURIComponent(MASTER_KEY)), false);
  await page.reload();
  await modelList(page)
    .locator('option', { hasText: 'Enter an API key first' })
    .waitFor({ state: 'attached' });
  assert.equal(await keyField(page).inputValue(), '');
});

test('leaving the page asks first where there is a conversation', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const link = page.getByRole('link', { name: 'Sign in' });
  await ask(page, 'Hello');
  const call = await nextCall();
  call.say('Good day');
  call.finish();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  const asked = page.waitForEvent('dialog');
  const clicked = link.click();
  const question = await asked;
  assert.equal(question.type(), 'beforeunload');
  await question.dismiss();
  await clicked;
  assert.equal(await answers(page).getByText('Good day').count(), 1);
  await clearConversation(page);
  const questions: string[] = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.type());
    void dialog.accept();
  });
  await link.click();
  await page.getByLabel('Username').waitFor();
  assert.deepEqual(questions, []);
});

test('without a key the first message leads to the key field', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html', { width: 360 });
  await page.getByRole('button', { name: 'Settings' }).click();
  await ask(page, 'Hello');
  await page.getByText('Enter an API key first.', { exact: true }).waitFor();
  assert.equal(await isFocused(page, 'input[type=password]'), true);
});

test(
  'signed in, no key is needed, on the page and in the tab; models that see have the camera',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page, open } = await visitPanel(t, app.origin, 'Chat');
    for (const one of [page, await open('/chat.html')]) {
      await modelList(one).locator('option[value="seeing-model"]').waitFor({ state: 'attached' });
      assert.deepEqual(await modelList(one).locator('option').allInnerTexts(), [
        'Blind Model (blind-model)',
        'Seeing Model (seeing-model) · 📷 images',
      ]);
      await ask(one, 'Hello');
      const call = await nextCall();
      call.say('At your service');
      call.finish();
      await answers(one).getByText('At your service').waitFor();
    }
  },
);

test('a list that could not be read comes when the server is back', options, async (t) => {
  const { app } = await startChat(t);
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
  await page.route('**/v1/models', (route) => route.abort('connectionrefused'), { times: 1 });
  await page.goto(`${app.origin}/chat.html`);
  await page.getByText('The server does not answer. Trying again').waitFor();
  await modelList(page).locator('option[value="seeing-model"]').waitFor({ state: 'attached' });
  assert.equal(await modelList(page).isEnabled(), true);
  assert.equal(await page.getByText('Your input is still here').count(), 0);
});

test('signed in, a first message asks for a list that is lacking', options, async (t) => {
  const { app } = await startChat(t);
  const { page, context } = await visit(t, app.origin, null, { width: 360 });
  await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
  await page.route('**/v1/models', (route) => route.fulfill({ status: 503, body: 'Not now.' }), { times: 1 });
  await page.goto(`${app.origin}/chat.html`);
  await modelList(page)
    .locator('option', { hasText: 'Loading the models failed' })
    .waitFor({ state: 'attached' });
  await ask(page, 'Hello');
  await page.getByText('Connection works: 2 models.').waitFor();
  assert.equal(await messageField(page).evaluate((node) => node === document.activeElement), true);
  assert.equal(await messageField(page).inputValue(), 'Hello');
});

test('a signed-in user chats without a key, with his own models alone', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const user = { username: 'maria', password: 'a password of hers' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', { ...user, models: ['seeing-model'] }));
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: user });
  await page.goto(`${app.origin}/chat.html`);
  await modelList(page).locator('option[value="seeing-model"]').waitFor({ state: 'attached' });
  assert.equal(await modelList(page).locator('option').count(), 1);
  await ask(page, 'Hello');
  const call = await nextCall();
  call.say('Hello, Maria');
  call.finish();
  await answers(page).getByText('Hello, Maria').waitFor();
});

test('where there is no model yet the chat says whose turn it is', options, async (t) => {
  const { app } = await startChat(t);
  const user = { username: 'maria', password: 'a password of hers' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', { ...user, models: [] }));
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: user });
  await page.goto(`${app.origin}/chat.html`);
  await page.getByRole('heading', { name: 'No model yet' }).waitFor();
  await page.getByText('You may not use any model yet. Ask the person who runs this server.').waitFor();
  await app.admin('PUT', '/api/admin/providers/scripted', { enabled: false });
  const panel = await visitPanel(t, app.origin, 'Chat');
  await panel.page.getByRole('heading', { name: 'No model yet' }).waitFor();
  await panel.page.getByRole('link', { name: 'Overview' }).click();
  await panel.page.getByRole('tab', { name: 'Overview', selected: true }).waitFor();
});

test('Test Connection says what the server says', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await useKey(page, WRONG_KEY);
  const { error } = (await expectStatus(401, await app.v1('chat/completions', {}, WRONG_KEY))) as {
    error: { message: string };
  };
  await page.getByText(error.message).waitFor();
  await page.getByText('invalid_api_key · HTTP 401 · request id').waitFor();
  assert.equal(await modelList(page).isDisabled(), true);
  assert.deepEqual(await modelList(page).locator('option').allInnerTexts(), ['The key was refused']);
  await useKey(page, 'sk-схема-ключ');
  await page.getByText('The key contains characters that are not allowed in a key.').waitFor();
  const narrow = await app.addKey({ models: ['seeing-model'] });
  await useKey(page, narrow);
  await page.getByText('Connection works: 1 model.').waitFor();
  assert.deepEqual(await modelList(page).locator('option').allInnerTexts(), [
    'Seeing Model (seeing-model) · 📷 images',
  ]);
});

test('a refused model, and an error of the provider, in the words of the server', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const key = await app.addKey({ name: 'narrowed' });
  const { page } = await openChat(t, app, 'Chat tab');
  await useKey(page, key);
  await page.getByText('Connection works: 2 models.').waitFor();
  const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/apikeys'))) as {
    data: { id: string; name: string }[];
  };
  const id = data.find(({ name }) => name === 'narrowed')?.id;
  await expectStatus(200, await app.admin('PUT', `/api/admin/apikeys/${id}`, { models: ['blind-model'] }));
  await modelList(page).selectOption('seeing-model');
  await ask(page, 'Hello');
  const refused = await app.v1('chat/completions', { model: 'seeing-model', messages: [] }, key);
  const { error } = (await expectStatus(403, refused)) as { error: { message: string } };
  await answers(page).getByText(error.message).waitFor();
  await answers(page).getByText('model_not_allowed · HTTP 403').waitFor();

  await modelList(page).selectOption('blind-model');
  await ask(page, 'Hello again');
  const message = 'Your <b>quota</b> is used up & gone — "buy" more.';
  (await nextCall()).reply(422, { error: { message, type: 'billing', param: null, code: 'no_money' } });
  await answers(page).last().getByText(message).waitFor();
  await answers(page).last().getByText('no_money · HTTP 422 · request id req').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Send', exact: true }).isVisible(), true);
});

test('numbers that are none are shown at their field and nothing is sent', options, async (t) => {
  const { app, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page', { width: 360 });
  await page.getByLabel('Temperature').fill('3');
  await page.getByRole('button', { name: 'Settings' }).click();
  await ask(page, 'Hello');
  await page.getByText('Enter a number from 0 to 2.').waitFor();
  assert.equal(await isFocused(page, 'input[max="2"]'), true);
  await page.getByLabel('Temperature').fill('0.2');
  await page.getByLabel('Max Tokens').fill('1.5');
  await ask(page, 'Hello');
  await page.getByText('Enter a whole number, at least 1.').waitFor();
  assert.equal(upstream.received.length, 0);
});

function isFocused(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((css) => document.activeElement?.matches(css) === true, selector);
}
