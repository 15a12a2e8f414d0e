import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  type ChatUnderTest,
  clearConversation,
  keyField,
  modelList,
  openChat,
  startChat,
  textOf,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const WRONG_KEY = 'sk-nobody-has-this-key-0123456789';

test('Clear while an answer comes leaves nothing of it, not even for screen readers', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const spoken = page.locator('.chat-log-frame [role="status"]');
  await ask(page, 'Tell me a secret');
  const first = await nextCall();
  first.say('The secret');
  await answers(page).getByText('The secret').waitFor();
  await clearConversation(page);
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  assert.equal(await textOf(spoken), '');
  await first.closed;
  await ask(page, 'Another question');
  const second = await nextCall();
  assert.deepEqual(second.body.messages, [{ role: 'user', content: 'Another question' }]);
  second.say('Another answer');
  await answers(page).getByText('Another answer').waitFor();
  assert.equal(await textOf(spoken), '');
  assert.equal(await page.getByRole('button', { name: 'Stop', exact: true }).isVisible(), true);
  second.finish();
  await spoken.getByText('Answer: Another answer').waitFor({ state: 'attached' });
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

test('a list that cannot be read changes neither the model nor its task', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const ocr = page.getByRole('radio', { name: 'OCR', exact: true });
  await modelList(page).selectOption('seeing-model');
  await ocr.locator('..').click();
  await useKey(page, WRONG_KEY);
  await page.getByText('invalid_api_key · HTTP 401').waitFor();
  assert.equal(await modelList(page).isDisabled(), true);
  await useKey(page, MASTER_KEY);
  await page.getByText('Connection works: 2 models.').waitFor();
  assert.equal(await modelList(page).inputValue(), 'seeing-model');
  assert.equal(await ocr.isChecked(), true);
});

test('Enter held or pressed twice on Edit message sends nothing again', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'chat page');
  await converse(page, chat, 'first');
  await converse(page, chat, 'second');
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
  assert.deepEqual(again.body.messages, [{ role: 'user', content: 'first question' }]);
  assert.equal(await messages.count(), 2);
});

async function converse(page: Page, { nextCall }: ChatUnderTest, name: string): Promise<void> {
  await ask(page, `${name} question`);
  const call = await nextCall();
  call.say(`${name} answer`);
  call.finish();
  await answers(page).getByText(`${name} answer`).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
}
