import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  chooseModel,
  converse,
  idle,
  keyField,
  linesOf,
  modelButton,
  newChat,
  openChat,
  startChat,
  textOf,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const WRONG_KEY = 'sk-nobody-has-this-key-0123456789';

test('an answer goes on while another chat is open, and is whole on the way back', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const spoken = page.locator('.talk-frame > [role="status"]');
  await ask(page, 'Tell me a secret');
  const first = await nextCall();
  first.say('The secret');
  await answers(page).getByText('The secret').waitFor();
  await newChat(page);
  await idle(page);
  assert.equal(await textOf(spoken), '');
  await ask(page, 'Another question');
  const second = await nextCall();
  assert.deepEqual(linesOf(second.body), ['user: Another question']);
  second.say('Another answer');
  await answers(page).getByText('Another answer').waitFor();
  first.say(' is out');
  assert.equal(await textOf(spoken), '');
  assert.equal(await page.getByRole('button', { name: 'Stop', exact: true }).isVisible(), true);
  second.finish();
  await spoken.getByText('Answer: Another answer').waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'Tell me a secret' }).click();
  await answers(page).getByText('The secret is out').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Stop', exact: true }).isVisible(), true);
  first.say(', and over');
  await answers(page).getByText('The secret is out, and over').waitFor();
  first.finish();
  await spoken.getByText('Answer: The secret is out, and over').waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'Another question' }).click();
  await answers(page).getByText('Another answer').waitFor();
  assert.equal(await answers(page).count(), 1);
});

test('without a key nothing is tested any more, whatever was being asked', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html');
  await page.route('**/v1/models', () => {});
  await useKey(page, MASTER_KEY);
  await page.getByText('Asking the server …').waitFor();
  const button = page.getByRole('button', { name: 'Test Connection' });
  assert.equal(await button.getAttribute('aria-busy'), 'true');
  await keyField(page).fill('');
  await keyField(page).press('Enter');
  await page.getByText('Asking the server …').waitFor({ state: 'detached' });
  assert.equal(await button.getAttribute('aria-busy'), 'false');
  await page.unroute('**/v1/models');
  await useKey(page, MASTER_KEY);
  await page.getByText('Connection works: 2 models.').waitFor();
});

test('a list that cannot be read does not change the model', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await chooseModel(page, 'seeing-model');
  await useKey(page, WRONG_KEY);
  await page.getByText('invalid_api_key · HTTP 401').waitFor();
  await modelButton(page).filter({ hasText: 'The key was refused' }).waitFor();
  await useKey(page, MASTER_KEY);
  await page.getByText('Connection works: 2 models.').waitFor();
  await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
});

test('Enter held or pressed twice on Edit message sends nothing again', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'chat page');
  await converse(page, chat, 'first question', 'first answer');
  await converse(page, chat, 'second question', 'second answer');
  const messages = page.getByRole('log').getByRole('article');
  const button = page.getByRole('button', { name: 'Edit message' }).first();
  const editor = page.getByRole('textbox', { name: 'Edit message' });
  await button.focus();
  await page.keyboard.down('Enter');
  await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');
  assert.equal(await editor.inputValue(), 'first question');
  assert.equal(await editor.evaluate((node) => node === document.activeElement), true);
  await page.keyboard.down('Enter');
  await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');
  assert.equal(await editor.count(), 0);
  assert.equal(await button.evaluate((node) => node === document.activeElement), true);
  assert.equal(await messages.count(), 4);
  assert.equal(chat.upstream.received.length, 2);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Send again' }).click();
  const again = await chat.nextCall();
  assert.deepEqual(linesOf(again.body), ['user: first question']);
  assert.equal(await messages.count(), 2);
});
