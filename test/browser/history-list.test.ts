import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { type HistoryWindow, openHistoryPage } from './history-page.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { findBarriers, SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const DAY_MS = 86_400_000;

/** Pinned, from today (two), from yesterday, and from the week before, in the order of the list. */
const TITLES = ['Course plan', 'Weekly users', 'Printing house', 'Sourdough', 'Health check'] as const;
const AGES_MS = [3 * DAY_MS, 0, 1, DAY_MS, 4 * DAY_MS] as const;

async function fill(page: Page): Promise<void> {
  const chats = TITLES.map((title, index) => ({
    id: `c${index}`,
    title,
    pinned: index === 0,
    updatedAt: Date.now() - (AGES_MS[index] ?? 0),
    messages: [{ id: `m${index}`, role: 'user', text: `All about ${title.toLowerCase()}` }],
  }));
  await page.evaluate((given) => (window as unknown as HistoryWindow).importChats(given), chats);
  await link(page, 'Health check').waitFor();
}

function link(page: Page, name: string): Locator {
  return page.getByRole('link', { name });
}

function seen(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (window as unknown as HistoryWindow).seen);
}

async function titles(page: Page): Promise<string[]> {
  return page.locator('.history-title').allTextContents();
}

test('no barriers: an empty list, chats, a menu, renaming, a search', options, async (t) => {
  const { page } = await openHistoryPage(t);
  await page.getByText('No chats yet').waitFor();
  await checkLooks(page, 'the empty list');
  await fill(page);
  await link(page, 'Weekly users').click();
  await link(page, 'Sourdough').hover();
  await checkLooks(page, 'the list');
  await page.getByRole('button', { name: 'More for Sourdough' }).click();
  await page.getByRole('menuitem', { name: 'Pin' }).waitFor();
  assert.deepEqual(await findBarriers(page), [], 'the menu of a chat');
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel('Name of the chat').waitFor();
  await checkLooks(page, 'renaming');
  await page.keyboard.press('Escape');
  await page.getByLabel('Search chats').fill('all about');
  await page.locator('.history-snippet').first().waitFor();
  await checkLooks(page, 'the search');
  await page.getByLabel('Search chats').fill('none of this');
  await page.getByText('Nothing found').waitFor();
  await checkLooks(page, 'a search that finds nothing');
});

test('a screen reader meets groups with headings, links and named menus', options, async (t) => {
  const { page } = await openHistoryPage(t);
  await fill(page);
  await link(page, 'Weekly users').click();
  const tree = await page.getByRole('complementary', { name: 'Your chats' }).ariaSnapshot();
  const lines = tree.split('\n').map((line) => line.trim().replace(/^- /, ''));
  const kept = lines.filter((line) => /^(heading|list |link|button)/.test(line));
  assert.deepEqual(kept.slice(0, 10), [
    'button "New chat"',
    'heading "Pinned" [level=2]',
    'list "Pinned":',
    'link "Course plan":',
    'button "More for Course plan"',
    'heading "Today" [level=2]',
    'list "Today":',
    'link "Weekly users":',
    'button "More for Weekly users"',
    'link "Printing house":',
  ]);
  assert.equal(await link(page, 'Weekly users').getAttribute('aria-current'), 'page');
  assert.equal(await page.locator('[aria-current]').count(), 1);
});

test('the list works from the keyboard with one tab stop', options, async (t) => {
  const { page } = await openHistoryPage(t);
  await fill(page);
  const hands = createKeyboard(page);
  await hands.goTo(page.getByLabel('Search chats'));
  await hands.press('Tab');
  await expectFocus(page, link(page, 'Course plan'));
  await hands.press('ArrowDown', 'ArrowDown', 'Enter');
  await expectFocus(page, link(page, 'Printing house'));
  assert.deepEqual(await seen(page), ['open c2']);
  await hands.press('End');
  await expectFocus(page, link(page, 'Health check'));
  await hands.press('ArrowDown', 'Home', 'ArrowUp');
  await expectFocus(page, link(page, 'Course plan'));

  await hands.press('F2');
  await page.keyboard.type('Winter term');
  await hands.press('Enter');
  await expectFocus(page, link(page, 'Winter term'));
  await hands.press('F2');
  await page.keyboard.type('Never mind');
  await hands.press('Escape');
  await expectFocus(page, link(page, 'Winter term'));

  await hands.press('ArrowDown', 'Delete');
  await link(page, 'Weekly users').waitFor({ state: 'detached' });
  await expectFocus(page, link(page, 'Printing house'));
  await hands.press('Tab');
  await expectFocus(page, page.getByRole('button', { name: 'More for Printing house' }));
  await hands.press('Enter', 'ArrowDown', 'Enter');
  await page.getByRole('list', { name: 'Pinned' }).getByText('Printing house').waitFor();
  await expectFocus(page, page.getByRole('button', { name: 'More for Printing house' }));
  await hands.press('Tab');
  await expectFocus(page, page.getByRole('button', { name: 'Export all' }));
  await hands.goTo(page.getByLabel('Search chats'), { backwards: true });
  await hands.press('ArrowDown');
  await expectFocus(page, link(page, 'Printing house'));
});

test(
  'a deleted chat comes back with Undo, and is shown again if it was; the page is told when it is gone',
  options,
  async (t) => {
    const { page, open } = await openHistoryPage(t);
    await fill(page);
    const other = await open('/');
    await link(page, 'Sourdough').click();
    await link(other, 'Sourdough').click();
    await link(page, 'Sourdough').hover();
    await page.getByRole('button', { name: 'More for Sourdough' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('“Sourdough” deleted.').waitFor();
    await link(other, 'Sourdough').waitFor({ state: 'detached' });
    assert.deepEqual(await seen(page), ['open c3', 'gone c3']);
    assert.deepEqual(await seen(other), ['open c3', 'gone c3']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await link(page, 'Sourdough').waitFor();
    await link(other, 'Sourdough').waitFor();
    assert.deepEqual(await titles(page), [...TITLES]);
    assert.deepEqual(await seen(page), ['open c3', 'gone c3', 'open c3']);
    assert.deepEqual(await seen(other), ['open c3', 'gone c3']);
  },
);

test('changes in another tab arrive, and do not disturb what a person is doing here', options, async (t) => {
  const { page, open } = await openHistoryPage(t);
  await fill(page);
  const other = await open('/?list=none');
  await link(page, 'Health check').focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('Docker');
  await other.evaluate(async () => {
    const { store, message } = window as unknown as HistoryWindow;
    for (let index = 0; index < 5; index++) await store.saveMessage(message({ chatId: 'c4', text: 'more' }));
    await store.updateChat('c1', { title: 'Renamed elsewhere' });
    await store.createChat({ title: 'New elsewhere' });
  });
  await link(page, 'New elsewhere').waitFor();
  await link(page, 'Renamed elsewhere').waitFor();
  await expectFocus(page, page.getByLabel('Name of the chat'));
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: 'Today' }).getByText('Docker').waitFor();
  assert.deepEqual(await titles(page), [
    'Course plan',
    'New elsewhere',
    'Docker',
    'Renamed elsewhere',
    'Printing house',
    'Sourdough',
  ]);
});

test('the search shows where a text was found, and ends with Escape', options, async (t) => {
  const { page } = await openHistoryPage(t);
  await fill(page);
  const field = page.getByLabel('Search chats');
  await field.fill('about sourdough');
  await page.getByRole('list', { name: 'Found' }).getByText('All about sourdough').waitFor();
  await page.getByText('1 chat found').waitFor();
  assert.deepEqual(await titles(page), ['Sourdough']);
  await field.press('ArrowDown');
  await expectFocus(page, link(page, 'Sourdough'));
  await page.keyboard.press('Enter');
  assert.deepEqual(await seen(page), ['open c3']);
  await field.press('Escape');
  await link(page, 'Course plan').waitFor();
  assert.deepEqual(await titles(page), [...TITLES]);
});

test(
  'export and import: everything as a file, one chat as Markdown, and nothing twice',
  options,
  async (t) => {
    const { page } = await openHistoryPage(t);
    await fill(page);
    const [all] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export all' }).click(),
    ]);
    const path = await all.path();
    assert.equal(JSON.parse(await readFile(path, 'utf8')).chats.length, TITLES.length);
    await link(page, 'Sourdough').hover();
    await page.getByRole('button', { name: 'More for Sourdough' }).click();
    const [one] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Export as Markdown' }).click(),
    ]);
    assert.equal(one.suggestedFilename(), 'sourdough.md');
    assert.match(
      await readFile(await one.path(), 'utf8'),
      /^# Sourdough\n\n## You\n\nAll about sourdough\n$/,
    );

    await importFile(page, path);
    await page.getByText('Everything in this file is here already.').waitFor();
    assert.deepEqual(await titles(page), [...TITLES]);
    await page.getByRole('button', { name: 'More for all chats' }).click();
    await page.getByRole('menuitem', { name: 'Delete all chats' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete all chats' }).click();
    await page.getByText('No chats yet').waitFor();
    await importFile(page, path);
    await page.getByText('5 chats, 5 messages and 0 presets added.').waitFor();
    assert.deepEqual(await titles(page), [...TITLES]);
    await importFile(page, { name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"a":') });
    await page.getByText('This file is not an export of chats: it has no valid JSON.').waitFor();
  },
);

async function importFile(page: Page, file: Parameters<Locator['setInputFiles']>[0]): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Import', exact: true }).click(),
  ]);
  await chooser.setFiles(file);
}

test('people choose in the menu that their chats are forgotten when they sign out', options, async (t) => {
  const { page } = await openHistoryPage(t);
  const choose = async (state: string): Promise<void> => {
    await page.getByRole('button', { name: 'More for all chats' }).click();
    await page.getByRole('menuitem', { name: `Forget on sign-out ${state}` }).click();
  };
  await choose('Off');
  await page.getByText('Your chats and presets are removed from this browser when you sign out.').waitFor();
  await choose('On');
  await page.getByText('Your chats stay in this browser when you sign out.').waitFor();
});

test(
  '10,000 chats: a page at a time is read and drawn, and the last one can be reached',
  options,
  async (t) => {
    const { page, open } = await openHistoryPage(t, { path: '/?list=none' });
    await page.evaluate(async () => {
      const { importChats } = window as unknown as HistoryWindow;
      const chats = Array.from({ length: 10_000 }, (_, index) => ({
        id: `c${index}`,
        title: `Chat ${index}`,
        updatedAt: Date.now() - index * 1000,
        messages: index === 9_999 ? [{ id: 'm', role: 'user', text: 'a needle' }] : [],
      }));
      await importChats(chats);
    });
    const full = await open('/');
    await link(full, 'Chat 99').waitFor();
    assert.equal(await full.locator('.history-list li').count(), 100);
    const read = await full.evaluate(async () => {
      const { store } = window as unknown as HistoryWindow;
      const { getAll } = IDBObjectStore.prototype;
      let isScanned = false;
      IDBObjectStore.prototype.getAll = function (...given) {
        isScanned = true;
        return getAll.apply(this, given);
      };
      await store.listChats();
      const start = performance.now();
      await store.listChats();
      return { isScanned, ms: performance.now() - start };
    });
    t.diagnostic(`a page of 10,000 chats: ${read.ms.toFixed(1)} ms`);
    assert.equal(read.isScanned, false);
    await link(full, 'Chat 99').scrollIntoViewIfNeeded();
    await link(full, 'Chat 150').waitFor();
    await full.getByLabel('Search chats').fill('needle');
    await full.getByText('a needle').waitFor({ timeout: 60_000 });
    assert.deepEqual(await titles(full), ['Chat 9999']);
  },
);

test('a search ends after 100 chats, and says so', options, async (t) => {
  const { page } = await openHistoryPage(t);
  await page.evaluate(() => {
    const { importChats } = window as unknown as HistoryWindow;
    return importChats(
      Array.from({ length: 130 }, (_, index) => ({
        id: `c${index}`,
        title: `Same ${index}`,
        updatedAt: Date.now() - index,
        messages: [],
      })),
    );
  });
  await page.getByLabel('Search chats').fill('same');
  await page.getByRole('heading', { name: 'First 100 found' }).waitFor();
  await page.getByText('The first 100 chats found').waitFor();
  assert.equal((await titles(page)).length, 100);
});

test('a search that is no longer wanted ends', options, async (t) => {
  const { page } = await openHistoryPage(t, { path: '/?list=none' });
  const result = await page.evaluate(async () => {
    const { store, importChats } = window as unknown as HistoryWindow;
    const chats = Array.from({ length: 200 }, (_, index) => ({
      id: `c${index}`,
      messages: [],
      updatedAt: index,
    }));
    await importChats(chats);
    const controller = new AbortController();
    let batches = 0;
    const search = store.search('nothing', {
      signal: controller.signal,
      onProgress: () => {
        batches++;
        controller.abort();
      },
    });
    const name = await search.then(
      () => 'done',
      (error: Error) => error.name,
    );
    return { name, batches };
  });
  assert.deepEqual(result, { name: 'AbortError', batches: 1 });
});
