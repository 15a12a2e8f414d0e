import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN, type AppUnderTest, expectStatus, MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  chooseModel,
  converse,
  idle,
  keyField,
  linesOf,
  messageField,
  modelButton,
  modelReady,
  newChat,
  openChat,
  openSettings,
  questions,
  startChat,
  stored,
  useKey,
} from './chat-setup.ts';
import { holdRequests } from './held-answer.ts';
import { chooseTab, SKIPPED, signOut, visit, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const USER = { username: 'maria', password: 'a password of hers' };

function chats(page: Page): ReturnType<Page['locator']> {
  return page.getByRole('navigation', { name: 'Chats' }).getByRole('link');
}

async function openAs(
  page: Page,
  app: AppUnderTest,
  who: { username: string; password: string },
): Promise<void> {
  await page.context().request.post(`${app.origin}/api/login`, { data: who });
  await page.goto(`${app.origin}/chat.html`);
  await modelReady(page);
}

for (const who of ['admin', 'user', 'key'] as const) {
  test(`a chat, its branches, model and settings are there after a reload: ${who}`, options, async (t) => {
    const chat = await startChat(t);
    const models = ['blind-model', 'seeing-model'];
    await expectStatus(201, await chat.app.admin('POST', '/api/admin/users', { ...USER, models }));
    const { page } = await visit(t, chat.app.origin, null);
    if (who === 'key') {
      await page.goto(`${chat.app.origin}/chat.html`);
      await useKey(page, MASTER_KEY);
    } else {
      await openAs(page, chat.app, who === 'admin' ? ADMIN : USER);
      await messageField(page).and(page.locator(':focus')).waitFor();
    }
    await chooseModel(page, 'seeing-model');
    await openSettings(page);
    await page.getByLabel('System prompt').fill('Be brief.');
    await page.getByLabel('Temperature').fill('0.3');
    await page.getByLabel('Temperature').blur();
    await converse(page, chat, 'A first question', 'first **answer**');
    await answers(page).getByRole('button', { name: 'Answer again' }).click();
    const again = await chat.nextCall();
    again.say('second answer');
    again.finish();
    await idle(page);
    await answers(page).getByRole('button', { name: 'Previous version' }).click();
    await answers(page).locator('strong').getByText('answer').waitFor();
    assert.match(page.url(), /#chat\?id=[0-9a-f]{32}$/);

    await stored(page);
    await page.reload();
    // The key is tried without a press of the button, which goes when the chat comes.
    if (who === 'key') await keyField(page).fill(MASTER_KEY);
    await answers(page).locator('strong').getByText('answer').waitFor();
    await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
    assert.equal(await questions(page).count(), 1);
    await answers(page).getByText('7 in · 5 out').waitFor();
    await openSettings(page);
    assert.equal(await page.getByLabel('System prompt').inputValue(), 'Be brief.');
    assert.equal(await page.getByLabel('Temperature').inputValue(), '0.3');
    await answers(page).getByRole('button', { name: 'Next version' }).click();
    await answers(page).getByText('second answer').waitFor();
    assert.deepEqual(linesOf(await converse(page, chat, 'Go on', 'Gladly')), [
      'system: Be brief.',
      'user: A first question',
      'assistant: second answer',
      'user: Go on',
    ]);
    assert.deepEqual(await chats(page).allInnerTexts(), ['A first question']);
  });
}

test('each account has its own chats, and signing out shows none of them', options, async (t) => {
  const chat = await startChat(t);
  await expectStatus(
    201,
    await chat.app.admin('POST', '/api/admin/users', { ...USER, models: ['blind-model'] }),
  );
  const { page } = await visit(t, chat.app.origin, null);
  await openAs(page, chat.app, ADMIN);
  await converse(page, chat, 'A secret of the admin', 'Kept');
  await signOut(page);
  await page.getByLabel('Username').waitFor();
  await openAs(page, chat.app, USER);
  await page.getByText('Your chats appear here').waitFor();
  await converse(page, chat, 'A secret of Maria', 'Kept');
  assert.deepEqual(await chats(page).allInnerTexts(), ['A secret of Maria']);
});

test('two tabs: an answer in one appears in the other, and a deletion too', options, async (t) => {
  const chat = await startChat(t);
  const { page: first, open } = await openChat(t, chat.app, 'Chat tab');
  await converse(first, chat, 'One question', 'One answer');
  const second = await open('/chat.html');
  await chats(second).first().click();
  await answers(second).getByText('One answer').waitFor();
  await converse(second, chat, 'From the second tab', 'Second answer');
  await answers(first).nth(1).getByText('Second answer').waitFor();
  assert.deepEqual(linesOf(await converse(first, chat, 'From the first tab', 'Third answer')).slice(-3), [
    'user: From the second tab',
    'assistant: Second answer',
    'user: From the first tab',
  ]);
  await answers(second).nth(2).getByText('Third answer').waitFor();
  await second.getByRole('button', { name: 'More', exact: true }).click();
  await second.getByRole('menuitem', { name: 'Delete' }).click();
  await first.getByRole('heading', { name: 'Start a conversation' }).waitFor();
  for (const width of [360, 1280]) {
    await second.setViewportSize({ width, height: 800 });
    // A toast that covered it would take the click.
    await second.getByRole('button', { name: 'Send', exact: true }).click({ trial: true });
  }
  await second.getByRole('button', { name: 'Undo' }).click();
  await chats(first).first().click();
  await answers(first).getByText('One answer').waitFor();
});

test('a closed tab keeps what had come of an answer', options, async (t) => {
  const chat = await startChat(t);
  const { page, context } = await openChat(t, chat.app, 'Chat tab');
  await page.evaluate(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + Number(document.body.dataset['aheadMs'] ?? 0);
  });
  await ask(page, 'A long story');
  const call = await chat.nextCall();
  call.say('Once upon a time');
  await answers(page).getByText('Once upon a time').waitFor();
  await page.evaluate(() => {
    document.body.dataset['aheadMs'] = '5000';
  });
  call.say(' there was');
  await answers(page).getByText('there was').waitFor();
  await stored(page);
  await page.close({ runBeforeUnload: false });
  await call.closed;
  const again = await context.newPage();
  await again.goto(`${chat.app.origin}/chat.html`);
  await chats(again).first().click();
  await answers(again).getByText('Once upon a time there was').waitFor();
  await answers(again).getByText('Stopped.').waitFor();
});

test('the conversation survives a change of the panel’s tabs, and goes on meanwhile', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await ask(page, 'Still there?');
  const call = await nextCall();
  call.say('One');
  await answers(page).getByText('One').waitFor();
  await chooseTab(page, 'Models');
  call.say(', two');
  call.finish();
  await chooseTab(page, 'Chat');
  await answers(page).getByText('One, two').waitFor();
  await idle(page);
  assert.match(page.url(), /#chat\?id=/);
  await page.reload();
  await answers(page).getByText('One, two').waitFor();
});

test('a chat has an address: back, forward and a second tab lead to it', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await visitPanel(t, chat.app.origin, 'Overview');
  await page.goto(`${chat.app.origin}/chat.html`);
  await modelReady(page);
  await converse(page, chat, 'First chat', 'First answer');
  await newChat(page);
  await converse(page, chat, 'Second chat', 'Second answer');
  await chats(page).filter({ hasText: 'First chat' }).click();
  await answers(page).getByText('First answer').waitFor();
  await page.goBack();
  await answers(page).getByText('Second answer').waitFor();
  await page.goForward();
  await answers(page).getByText('First answer').waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await answers(other).getByText('First answer').waitFor();
});

test(
  'a preset saved while the chats are being opened waits for them, and keeps what was written',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    const system = page.getByLabel('System prompt');
    await openSettings(page);
    await system.fill('Be brief.');
    await system.blur();
    await converse(page, chat, 'Hello', 'Yes?');
    await stored(page);
    const opened = await holdRequests(page, '**/open-history.js');
    await page.goto(`${chat.app.origin}/chat.html`);
    await modelReady(page);
    await openSettings(page);
    await system.fill('Be plain.');
    await page.getByRole('button', { name: 'Save as a preset' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Plain');
    await page.getByRole('button', { name: 'Save preset' }).click();
    await page.locator('[aria-busy="true"]').filter({ hasText: 'Save preset' }).waitFor();
    opened.open();
    const preset = page
      .getByRole('list', { name: 'Presets' })
      .getByRole('button', { name: 'Plain', exact: true });
    await preset.waitFor();
    assert.equal(await preset.getAttribute('title'), 'Be plain.');
  },
);

test(
  'presets: saved from the settings, chosen by / and by name, replaced, deleted with undo',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    await chooseModel(page, 'seeing-model');
    await openSettings(page);
    const system = page.getByLabel('System prompt');
    await system.fill('Translate into French.');
    await page.getByLabel('Temperature').fill('0.1');
    await page.getByRole('button', { name: 'Save as a preset' }).click();
    await page.getByLabel('Name', { exact: true }).fill('To French');
    await page.getByRole('button', { name: 'Save preset' }).click();
    const list = page.getByRole('list', { name: 'Presets' });
    await list.getByRole('button', { name: 'To French', exact: true }).waitFor();
    await chooseModel(page, 'blind-model');
    await system.fill('');
    await page.getByLabel('Temperature').fill('');
    await messageField(page).fill('/fre');
    await page.getByRole('option', { name: /To-French/ }).waitFor();
    await messageField(page).press('Enter');
    assert.equal(await messageField(page).inputValue(), '');
    assert.equal(await system.inputValue(), 'Translate into French.');
    await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
    await ask(page, 'Good morning');
    const { body } = await chat.nextCall();
    assert.equal(body.model, 'seeing-model');
    assert.equal(body.temperature, 0.1);
    assert.deepEqual(linesOf(body), ['system: Translate into French.', 'user: Good morning']);
    await page.reload();
    await questions(page).getByText('Good morning').waitFor();
    // A new chat begins with the settings of the last one, and says so.
    await newChat(page);
    await page.locator('.welcome').getByText('“Translate into French.”').waitFor();
    await openSettings(page);
    await system.fill('');
    await system.blur();
    await page.locator('.welcome').getByText('Translate into French.').waitFor({ state: 'hidden' });
    await list.getByRole('button', { name: 'Delete To French' }).click();
    await list.getByRole('listitem').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await list.getByRole('button', { name: 'To French', exact: true }).click();
    assert.equal(await system.inputValue(), 'Translate into French.');
  },
);
