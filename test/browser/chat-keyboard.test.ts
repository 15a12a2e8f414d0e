import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  type ChatUnderTest,
  idle,
  keyField,
  linesOf,
  messageField,
  modelButton,
  openChat,
  questions,
  startChat,
} from './chat-setup.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };

function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

async function answer({ nextCall }: ChatUnderTest, page: Page, text: string): Promise<string[]> {
  const call = await nextCall();
  call.say(text);
  call.finish();
  await idle(page);
  return linesOf(call.body);
}

test(
  'from the key to the answer, stopped, edited, asked again, and through its versions',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await visit(t, chat.app.origin, '/chat.html');
    const hands = createKeyboard(page);
    const field = messageField(page);
    await hands.type(keyField(page), MASTER_KEY);
    await hands.activate(button(page, 'Test Connection'));
    await page.getByText('Connection works: 2 models.').waitFor();
    await hands.activate(modelButton(page));
    await expectFocus(page, page.getByRole('combobox', { name: 'Search models' }));
    await page.keyboard.type('seeing');
    await hands.press('Enter');
    await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
    await expectFocus(page, modelButton(page));
    await hands.press('Shift+Escape');
    await expectFocus(page, field);
    await page.keyboard.type('one');
    await hands.press('Shift+Enter');
    await page.keyboard.type('two');
    assert.equal(await field.inputValue(), 'one\ntwo');
    await hands.press('Enter');
    const first = await chat.nextCall();
    assert.deepEqual(linesOf(first.body), ['user: one\ntwo']);
    await expectFocus(page, field);
    await page.keyboard.type('typed while the answer comes');
    await hands.press('Enter', 'Escape');
    await first.closed;
    await answers(page).getByText('Stopped.').waitFor();
    assert.equal(await field.inputValue(), 'typed while the answer comes');
    await hands.activate(button(page, 'Send'));
    assert.deepEqual(await answer(chat, page, 'an answer'), ['user: typed while the answer comes']);
    await expectFocus(page, field);

    await hands.press('ArrowUp');
    const editor = page.getByRole('textbox', { name: 'Edit message' });
    await expectFocus(page, editor);
    await hands.press('Escape');
    await expectFocus(page, questions(page).last().getByRole('button', { name: 'Edit message' }));
    await hands.press('Enter', 'ControlOrMeta+A');
    await page.keyboard.type('edited');
    await hands.press('Enter');
    assert.deepEqual(await answer(chat, page, 'another answer'), ['user: edited']);
    await expectFocus(page, field);
    const again = answers(page).last().getByRole('button', { name: 'Answer again' });
    await hands.goTo(again, { backwards: true });
    await hands.press('Enter');
    await answer(chat, page, 'a third answer');
    await hands.activate(answers(page).last().getByRole('button', { name: 'Previous version' }));
    await answers(page).getByText('another answer').waitFor();
    await expectFocus(page, answers(page).last().getByRole('button', { name: 'Next version' }));
    await hands.press('Enter');
    await answers(page).getByText('a third answer').waitFor();
  },
);

test('the chats, the settings, presets and the comparison', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  const hands = createKeyboard(page);
  const field = messageField(page);
  await hands.press('Shift+Escape');
  await page.keyboard.type('The first chat');
  await hands.press('Enter');
  await answer(chat, page, 'with a needle in it');
  await hands.press('ControlOrMeta+Shift+O');
  await page.getByRole('heading', { name: 'Start a conversation' }).waitFor();
  await expectFocus(page, field);
  await hands.press('ControlOrMeta+Shift+F');
  await expectFocus(page, page.getByLabel('Search chats'));
  await page.keyboard.type('needle');
  await hands.goTo(page.getByRole('link', { name: /The first chat/ }));
  await hands.press('Enter');
  await answers(page).getByText('with a needle in it').waitFor();
  await expectFocus(page, field);

  await hands.press('ControlOrMeta+.');
  await hands.type(page.getByLabel('System prompt'), 'Be brief.');
  await hands.activate(button(page, 'Save as a preset'));
  await page.keyboard.type('Brief');
  await hands.press('Enter');
  await button(page, 'Brief').waitFor();
  await hands.goTo(button(page, 'Save as a preset'));
  await hands.press('Escape');
  await page.getByLabel('System prompt').waitFor({ state: 'detached' });
  await hands.press('Shift+Escape');
  await page.keyboard.type('/br');
  await hands.press('Tab');
  assert.equal(await field.inputValue(), '');
  await page.getByText('“Brief” is set.').waitFor();

  await hands.goTo(button(page, 'Compare'), { backwards: true });
  await hands.press('Enter');
  await button(page, 'Model 2: Seeing Model').waitFor();
  await expectFocus(page, field);
  await page.keyboard.type('Both?');
  await hands.press('Enter');
  for (const text of ['left', 'right']) {
    const call = await chat.nextCall();
    call.say(text);
    call.finish();
  }
  await idle(page);
  await hands.goTo(button(page, 'Continue with this').last(), { backwards: true });
  await hands.press('Enter');
  await page.locator('.contender').first().waitFor({ state: 'detached' });
  await expectFocus(page, field);

  await hands.press('ControlOrMeta+/');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts of the chat' }).getByText('New chat').waitFor();
  await hands.press('Escape');
  await hands.goTo(button(page, 'More'), { backwards: true });
  await hands.press('Enter');
  await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).waitFor();
  await hands.press('d', 'Enter');
  await page.getByRole('heading', { name: 'Start a conversation' }).waitFor();
  await page.getByText('“The first chat” deleted.').waitFor();
});

test(
  'who types at once after the press on the model loses nothing, however slow the line',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    let speedUp = (): void => {};
    const isFast = new Promise<void>((resolve) => {
      speedUp = resolve;
    });
    await page.route('**/model-list.js', async (route) => {
      await isFast;
      await route.continue();
    });
    await modelButton(page).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('see');
    speedUp();
    const search = page.getByRole('combobox', { name: 'Search models' });
    await expectFocus(page, search);
    await page.keyboard.type('ing');
    assert.equal(await search.inputValue(), 'seeing');
    await page.keyboard.press('Enter');
    await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
  },
);
