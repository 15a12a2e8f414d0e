import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import { chooseFiles, preview } from './chat-attach.ts';
import { PNG } from './chat-samples.ts';
import {
  answers,
  ask,
  chooseModel,
  converse,
  idle,
  messageField,
  modelReady,
  newChat,
  openChat,
  startChat,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, signOut, visit } from './start-browser.ts';

const options = { skip: SKIPPED };

/** Until the browser has stored these drafts of all accounts. */
async function draftsStored(page: Page, expected: readonly string[]): Promise<void> {
  let stored: string[] = [];
  for (let tries = 0; tries < 500; tries += 1) {
    stored = await storedDrafts(page);
    if (stored.join('\n') === expected.toSorted().join('\n')) return;
    await page.waitForTimeout(20);
  }
  assert.deepEqual(stored, expected);
}

function storedDrafts(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found: string[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      if (database.objectStoreNames.contains('drafts')) {
        const request = database.transaction('drafts').objectStore('drafts').getAll();
        await new Promise((resolve) => request.addEventListener('success', resolve));
        found.push(...request.result.map((draft: { text: string }) => draft.text));
      }
      database.close();
    }
    return found.sort();
  });
}

/** Until the field holds this text. */
async function draftShown(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (expected) => document.querySelector<HTMLTextAreaElement>('#chat-message')?.value === expected,
    text,
  );
}

function chatLink(page: Page, title: string): ReturnType<Page['getByRole']> {
  return page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: title });
}

test('what was written and not sent is there after a reload, each in its chat', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await messageField(page).fill('A new idea');
  await draftsStored(page, ['A new idea']);
  await page.reload();
  await modelReady(page);
  await draftShown(page, 'A new idea');

  await converse(page, chat, 'First chat', 'First answer');
  await draftsStored(page, []);
  await messageField(page).fill('More of the first');
  await newChat(page);
  assert.equal(await messageField(page).inputValue(), '');
  await converse(page, chat, 'Second chat', 'Second answer');
  await messageField(page).fill('More of the second');
  await draftsStored(page, ['More of the first', 'More of the second']);
  await chatLink(page, 'First chat').click();
  await answers(page).getByText('First answer').waitFor();
  await draftShown(page, 'More of the first');
  await page.reload();
  await answers(page).getByText('First answer').waitFor();
  await draftShown(page, 'More of the first');
  await chatLink(page, 'Second chat').click();
  await answers(page).getByText('Second answer').waitFor();
  await draftShown(page, 'More of the second');
  await messageField(page).fill('');
  await draftsStored(page, ['More of the first']);
});

test('a draft that was left, taken up again and sent is gone', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'First chat', 'First answer');
  await newChat(page);
  await messageField(page).fill('Second chat');
  await chatLink(page, 'First chat').click();
  await draftShown(page, '');
  await newChat(page);
  await draftShown(page, 'Second chat');
  await messageField(page).press('Enter');
  (await chat.nextCall()).finish();
  await idle(page);
  await newChat(page);
  await draftsStored(page, []);
  assert.equal(await messageField(page).inputValue(), '');
});

test('what is written while the first answer comes belongs to its chat', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await ask(page, 'First chat');
  const call = await chat.nextCall();
  await messageField(page).fill('The next question');
  call.say('First answer');
  call.finish();
  await idle(page);
  await draftsStored(page, ['The next question']);
  await newChat(page);
  await draftShown(page, '');
  await chatLink(page, 'First chat').click();
  await draftShown(page, 'The next question');
  await draftsStored(page, ['The next question']);
});

test('files wait in their chat until the page is closed', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await chooseModel(page, 'seeing-model');
  await converse(page, chat, 'First chat', 'First answer');
  await chooseFiles(page, [PNG]);
  await preview(page, 'dot.png').waitFor();
  await newChat(page);
  assert.equal(await preview(page, 'dot.png').count(), 0);
  await chatLink(page, 'First chat').click();
  await preview(page, 'dot.png').waitFor();
});

test('with a key: the draft waits for the key, and what is written meanwhile stays', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await messageField(page).fill('Kept');
  await draftsStored(page, ['Kept']);
  await page.reload();
  await useKey(page, MASTER_KEY);
  await draftShown(page, 'Kept');
  await page.reload();
  await messageField(page).fill('Newer');
  await useKey(page, MASTER_KEY);
  await draftsStored(page, ['Newer']);
  assert.equal(await messageField(page).inputValue(), 'Newer');
});

test(
  'a draft written without a key is there if the page closes while the key’s chats open',
  options,
  async (t) => {
    const { app } = await startChat(t);
    const { page } = await visit(t, app.origin, '/chat.html');
    await messageField(page).fill('Kept');
    await draftsStored(page, ['Kept']);
    await page.evaluate(holdPresets);
    await useKey(page, MASTER_KEY);
    await page.waitForFunction(() => 'presetsAsked' in globalThis);
    await page.reload();
    await draftShown(page, 'Kept');
    await useKey(page, MASTER_KEY);
    await page.getByText('No chats yet').waitFor();
    await draftsStored(page, ['Kept']);
    assert.equal(await messageField(page).inputValue(), 'Kept');
  },
);

/** A browser that never gives the stored presets. */
function holdPresets(): void {
  const { getAll } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.getAll = function (...args) {
    const request = getAll.apply(this, args);
    if (this.name !== 'presets') return request;
    Object.defineProperty(request, 'onsuccess', { set: () => {} });
    Object.assign(globalThis, { presetsAsked: true });
    return request;
  };
}

test('signing out forgets drafts where the person wants that', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'First chat', 'First answer');
  await messageField(page).fill('A secret');
  await draftsStored(page, ['A secret']);
  await page.getByRole('button', { name: 'More for all chats' }).click();
  await page.getByRole('menuitem', { name: 'Forget on sign-out Off' }).click();
  await page.getByText('Your chats and presets are removed').waitFor();
  await signOut(page);
  await page.getByLabel('Username').waitFor();
  await draftsStored(page, []);
});
