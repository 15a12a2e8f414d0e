import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN, expectStatus, MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  chooseModel,
  converse,
  idle,
  keyField,
  listModels,
  messageField,
  modelButton,
  modelReady,
  openChat,
  openSettings,
  startChat,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, visit, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const WRONG_KEY = 'sk-nobody-has-this-key-0123456789';
const USER = { username: 'maria', password: 'a password of hers' };

test('the key lives in the page’s memory alone, and a reload forgets it', options, async (t) => {
  const chat = await startChat(t);
  const { page, context } = await openChat(t, chat.app, 'chat page');
  await converse(page, chat, 'Hello', 'Good day');
  await openSettings(page);
  assert.equal(await keyField(page).getAttribute('type'), 'password');
  const places = await page.evaluate(async () => {
    const databases = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAll();
        databases.push([
          name,
          store,
          await new Promise((resolve) => (request.onsuccess = () => resolve(request.result))),
        ]);
      }
      database.close();
    }
    return {
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases,
      caches: await caches.keys(),
      cookie: document.cookie,
      state: history.state as unknown,
      name: window.name,
      html: document.documentElement.outerHTML,
      resources: performance.getEntriesByType('resource').map(({ name }) => name),
    };
  });
  const found = JSON.stringify([places, page.url(), await context.storageState(), await context.cookies()]);
  assert.equal(found.includes('Good day'), true);
  assert.equal(found.includes(MASTER_KEY), false);
  assert.equal(found.includes(encodeURIComponent(MASTER_KEY)), false);
  await page.reload();
  await modelButton(page).filter({ hasText: 'Enter an API key first' }).waitFor();
  assert.equal(await keyField(page).inputValue(), '');
  // Who has the key has its chats.
  assert.equal(await page.getByRole('link', { name: 'Hello' }).count(), 0);
  await useKey(page, MASTER_KEY);
  await page.getByRole('link', { name: 'Hello' }).click();
  await answers(page).getByText('Good day').waitFor();
});

test('leaving the page asks while an answer comes, and not afterwards', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const link = page.getByRole('link', { name: 'Sign in' });
  await ask(page, 'Hello');
  const call = await nextCall();
  call.say('Good day');
  await answers(page).getByText('Good day').waitFor();
  const asked = page.waitForEvent('dialog');
  const clicked = link.click();
  const question = await asked;
  assert.equal(question.type(), 'beforeunload');
  await question.dismiss();
  await clicked;
  call.finish();
  await idle(page);
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
  await ask(page, 'Hello');
  await page.getByText('Enter an API key first.', { exact: true }).waitFor();
  assert.equal(await isFocused(page, 'input[type=password]'), true);
  assert.equal(await messageField(page).inputValue(), 'Hello');
});

test(
  'signed in, no key is needed, on the page and in the tab; models that see have the camera',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page, open } = await visitPanel(t, chat.app.origin, 'Chat');
    for (const one of [page, await open('/chat.html')]) {
      await modelReady(one);
      assert.deepEqual(await listModels(one), [
        'Blind Model blind-model',
        'Seeing Model seeing-model takes images',
      ]);
      await converse(one, chat, 'Hello', 'At your service');
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
  await modelButton(page).filter({ hasText: 'Blind Model' }).waitFor();
  assert.equal(await page.getByText('Your input is still here').count(), 0);
});

test('signed in, a first message asks for a list that is lacking', options, async (t) => {
  const { app } = await startChat(t);
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
  await page.route('**/v1/models', (route) => route.fulfill({ status: 503, body: 'Not now.' }), { times: 1 });
  await page.goto(`${app.origin}/chat.html`);
  await modelButton(page).filter({ hasText: 'Loading the models failed' }).waitFor();
  await ask(page, 'Hello');
  await page.getByText('Connection works: 2 models.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'Hello');
});

test('a signed-in user chats without a key, with their own models alone', options, async (t) => {
  const chat = await startChat(t);
  const created = await chat.app.admin('POST', '/api/admin/users', { ...USER, models: ['seeing-model'] });
  await expectStatus(201, created);
  const { page, context } = await visit(t, chat.app.origin, null);
  await context.request.post(`${chat.app.origin}/api/login`, { data: USER });
  await page.goto(`${chat.app.origin}/chat.html`);
  await modelReady(page);
  assert.deepEqual(await listModels(page), ['Seeing Model seeing-model takes images']);
  await converse(page, chat, 'Hello', 'Hello, Maria');
  await answers(page).getByText('Hello, Maria').waitFor();
});

test('where there is no model yet the chat says whose turn it is', options, async (t) => {
  const { app } = await startChat(t);
  await expectStatus(201, await app.admin('POST', '/api/admin/users', { ...USER, models: [] }));
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: USER });
  await page.goto(`${app.origin}/chat.html`);
  await page.getByRole('heading', { name: 'No model yet' }).waitFor();
  await page.getByText('You may not use any model yet. Ask the person who runs this server.').waitFor();
  await app.admin('PUT', '/api/admin/providers/scripted', { enabled: false });
  const panel = await visitPanel(t, app.origin, 'Chat');
  await panel.page.getByRole('heading', { name: 'No model yet' }).waitFor();
  await panel.page.getByRole('main').getByRole('link', { name: 'Overview' }).click();
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
  await modelButton(page).filter({ hasText: 'The key was refused' }).waitFor();
  await useKey(page, 'sk-схема-ключ');
  await page.getByText('The key contains characters that are not allowed in a key.').waitFor();
  const narrow = await app.addKey({ models: ['seeing-model'] });
  await useKey(page, narrow);
  await page.getByText('Connection works: 1 model.').waitFor();
  assert.deepEqual(await listModels(page), ['Seeing Model seeing-model takes images']);
});

test('a refused model, and an error of the provider, in the words of the server', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const key = await app.addKey({ name: 'narrowed' });
  const { page } = await openChat(t, app, 'Chat tab');
  await openSettings(page);
  await useKey(page, key);
  await page.getByText('Connection works: 2 models.').waitFor();
  const { data } = (await expectStatus(200, await app.admin('GET', '/api/admin/apikeys'))) as {
    data: { id: string; name: string }[];
  };
  const id = data.find(({ name }) => name === 'narrowed')?.id;
  await expectStatus(200, await app.admin('PUT', `/api/admin/apikeys/${id}`, { models: ['blind-model'] }));
  await chooseModel(page, 'seeing-model');
  await ask(page, 'Hello');
  const refused = await app.v1('chat/completions', { model: 'seeing-model', messages: [] }, key);
  const { error } = (await expectStatus(403, refused)) as { error: { message: string } };
  await answers(page).getByText(error.message).waitFor();
  await answers(page).getByText('model_not_allowed · HTTP 403').waitFor();

  await chooseModel(page, 'blind-model');
  await ask(page, 'Hello again');
  const message = 'Your <b>quota</b> is used up & gone — "buy" more.';
  (await nextCall()).reply(422, { error: { message, type: 'billing', param: null, code: 'no_money' } });
  await answers(page).last().getByText(message).waitFor();
  await answers(page).last().getByText('no_money · HTTP 422 · request id req').waitFor();
  await idle(page);
});

test('numbers that are none are shown at their field and nothing is sent', options, async (t) => {
  const { app, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page', { width: 360 });
  await openSettings(page);
  await page.getByLabel('Temperature').fill('3');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await ask(page, 'Hello');
  await page.getByText('Enter a number from 0 to 2.').waitFor();
  assert.equal(await isFocused(page, 'input[max="2"]'), true);
  await page.getByLabel('Temperature').fill('0.2');
  await page.getByLabel('Maximum tokens').fill('1.5');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await messageField(page).press('Enter');
  await page.getByText('Enter a whole number, at least 1.').waitFor();
  assert.equal(upstream.received.length, 0);
});

function isFocused(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((css) => document.activeElement?.matches(css) === true, selector);
}
