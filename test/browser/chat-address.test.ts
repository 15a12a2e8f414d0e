import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  chooseModel,
  converse,
  keyField,
  messageField,
  modelReady,
  newChat,
  openChat,
  type Place,
  startChat,
  stored,
} from './chat-setup.ts';
import { holdRequests } from './held-answer.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };

test('the chat of the address opens, however long it takes to read it', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'Which way?', 'This way');
  await page.waitForURL(/#chat\?id=/);
  await page.addInitScript(holdPresets);
  const models = await holdRequests(page, '**/v1/models');
  await page.reload();
  await page.getByRole('link', { name: 'Which way?' }).waitFor();
  models.open();
  await modelReady(page);
  await give(page, 'presets');
  await answers(page).getByText('This way').waitFor();
  assert.match(page.url(), /#chat\?id=/);
});

/** A browser that gives the stored presets only after the event `give-presets`. */
function holdPresets(): void {
  const { getAll } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.getAll = function (...args) {
    const request = getAll.apply(this, args);
    const set = (listener: () => void): void =>
      request.addEventListener('success', () => addEventListener('give-presets', listener, { once: true }));
    if (this.name === 'presets') Object.defineProperty(request, 'onsuccess', { set });
    return request;
  };
}

/** A browser that gives the messages of a chat only after the event `give-chats`. */
function holdChats(): void {
  const { getAll } = IDBIndex.prototype;
  IDBIndex.prototype.getAll = function (...args) {
    const request = getAll.apply(this, args);
    const set = (listener: () => void): void =>
      request.addEventListener('success', () => addEventListener('give-chats', listener, { once: true }));
    Object.defineProperty(request, 'onsuccess', { set });
    return request;
  };
}

/** Gives what is held at present. */
function give(page: Page, what: 'chats' | 'presets'): Promise<boolean> {
  return page.evaluate((name) => dispatchEvent(new Event(name)), `give-${what}`);
}

const chatLink = (page: Page, name: string) => page.getByRole('link', { name, exact: true });

/** The chat with chats of these titles, each with an answer of its own; the last one is shown. */
async function openWith(t: TestContext, titles: readonly string[], place: Place = 'Chat tab') {
  const chat = await startChat(t);
  const visitor = await openChat(t, chat.app, place);
  const { page } = visitor;
  for (const [index, title] of titles.entries()) {
    if (index > 0) await newChat(page);
    await converse(page, chat, title, `Answer to ${title}`);
  }
  await page.waitForURL(/#chat\?id=/);
  return { chat, ...visitor };
}

const shows = (page: Page, title: string) => answers(page).getByText(`Answer to ${title}`).waitFor();

test('Back goes past a chat that was deleted', options, async (t) => {
  const { page } = await openWith(t, ['First', 'Second', 'Third']);
  const third = page.url();
  await chatLink(page, 'Second').hover();
  await page.getByRole('button', { name: 'More for Second' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await chatLink(page, 'Second').waitFor({ state: 'detached' });
  await page.evaluate(() => history.back());
  await page.getByText('This chat is not in this browser any more.').waitFor();
  await page.waitForURL(third);
  await shows(page, 'Third');
  for (
    let steps = 0;
    steps < 3 && (await answers(page).getByText('Answer to First').count()) === 0;
    steps++
  ) {
    await page.evaluate(() => history.back());
    await page.waitForURL((url) => url.href !== third);
    await stored(page);
  }
  await shows(page, 'First');
});

test('the chat on the page stays if it is chosen while another one is read', options, async (t) => {
  const { page } = await openWith(t, ['First', 'Second']);
  const second = page.url();
  await page.evaluate(holdChats);
  await chatLink(page, 'First').click();
  await chatLink(page, 'Second').click();
  await give(page, 'chats');
  await stored(page);
  await shows(page, 'Second');
  assert.equal(page.url(), second);
});

test('what another tab changes while a chat that is gone is looked for is shown', options, async (t) => {
  const { chat, page, open } = await openWith(t, ['Gone', 'Here']);
  const other = await open(`/chat.html${new URL(page.url()).hash}`);
  await shows(other, 'Here');
  const gone = await chatLink(page, 'Gone').getAttribute('href');
  await page.evaluate(holdChats);
  await page.evaluate((hash) => {
    location.hash = hash ?? '';
  }, gone);
  await chatLink(other, 'Gone').hover();
  await other.getByRole('button', { name: 'More for Gone' }).click();
  await other.getByRole('menuitem', { name: 'Delete' }).click();
  await converse(other, chat, 'And then?', 'More of it');
  await chatLink(page, 'Gone').waitFor({ state: 'detached' });
  await page.getByText('This chat is not in this browser any more.').or(answers(page)).first().waitFor();
  const told = answers(page).getByText('More of it').waitFor();
  const giving = setInterval(() => void give(page, 'chats').catch(() => {}), 50);
  try {
    await told;
  } finally {
    clearInterval(giving);
  }
});

test('a chat that is chosen while the presets are read is the one that is shown', options, async (t) => {
  const { page } = await openWith(t, ['First', 'Second']);
  await page.addInitScript(holdPresets);
  await page.addInitScript(holdChats);
  await page.reload();
  await chatLink(page, 'First').click();
  await give(page, 'presets');
  await modelReady(page);
  await stored(page);
  await give(page, 'chats');
  await shows(page, 'First');
});

test('while a chat is read, the address stays that of this chat', options, async (t) => {
  const { chat, page } = await openWith(t, ['First']);
  const first = page.url();
  await newChat(page);
  await converse(page, chat, 'Second', 'Answer to Second');
  await page.waitForURL((url) => url.href !== first && url.hash.includes('id='));
  await page.evaluate(holdChats);
  await page.evaluate(() => history.back());
  await page.waitForURL(first);
  await chooseModel(page, 'seeing-model');
  assert.equal(page.url(), first);
  await give(page, 'chats');
  await shows(page, 'First');
});

test('a chat that cannot be read keeps its address, and a reload shows it', options, async (t) => {
  const { page } = await openWith(t, ['First']);
  const first = page.url();
  await page.addInitScript(() => {
    if (sessionStorage.getItem('has-failed') !== null) return;
    sessionStorage.setItem('has-failed', 'yes');
    IDBIndex.prototype.getAll = () => {
      throw new DOMException('The disk is away.', 'UnknownError');
    };
  });
  await page.reload();
  await page.getByText('The disk is away.').waitFor();
  assert.equal(page.url(), first);
  await page.reload();
  await shows(page, 'First');
  await page.evaluate(() => sessionStorage.clear());
});

test('without its key, a chat of the address waits for the key, also after Back', options, async (t) => {
  const { page } = await openWith(t, ['First', 'Second'], 'chat page');
  await stored(page);
  await page.reload();
  await page.getByText('Enter your key to see its chats.').waitFor();
  const second = page.url();
  await page.evaluate(() => history.back());
  await page.waitForURL((url) => url.href !== second && url.hash.includes('id='));
  await keyField(page).fill(MASTER_KEY);
  await keyField(page).press('Enter');
  await shows(page, 'First');
  // Whoever has entered a key writes next.
  await messageField(page).and(page.locator(':focus')).waitFor();
  assert.equal(await page.getByText('This chat is not in this browser any more.').count(), 0);
});
