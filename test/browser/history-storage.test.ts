import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HistoryWindow, openHistoryPage, reload } from './history-page.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const NO_LIST = '/?list=none';

/** How browsers deny storage. Each runs in the page before its scripts. */
const DENIALS: Readonly<Record<string, () => void>> = {
  'there is no IndexedDB': () => {
    Object.defineProperty(window, 'indexedDB', { value: undefined });
  },
  'reading it is an error': () => {
    Object.defineProperty(window, 'indexedDB', {
      get() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    });
  },
  'opening throws': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('Denied.', 'SecurityError');
    };
  },
  'opening fails': () => {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (name) {
      const request = open.call(this, name, 1);
      Object.defineProperty(request, 'onupgradeneeded', { set() {} });
      request.addEventListener('upgradeneeded', () => request.transaction?.abort());
      return request;
    };
  },
};

for (const [name, deny] of Object.entries(DENIALS)) {
  test(`the history is in memory, and says so, where ${name}`, options, async (t) => {
    const prepare = {
      prepare: (context: { addInitScript(script: () => void): Promise<unknown> }) =>
        context.addInitScript(deny),
    };
    const { page } = await openHistoryPage(t, prepare);
    await page.getByText(/^Not kept: .* Chats are lost when you leave this page\.$/).waitFor();
    const result = await page.evaluate(async () => {
      const { store, message, account, isForgetful, forgetChats, refusal } =
        window as unknown as HistoryWindow;
      const chat = await store.createChat({ title: 'In memory' });
      const file = await store.addFile(chat.id, new File(['select 1'], 'schema.sql', { type: 'text/plain' }));
      await store.saveMessage(message({ chatId: chat.id, text: 'Hello', attachments: [file] }), {
        isLeaf: true,
      });
      const { blob } = await store.exportAll();
      await store.deleteChat(chat.id);
      const none = (await store.listChats()).length;
      const report = await store.importFile(blob);
      const [message_] = await store.loadMessages(chat.id);
      await forgetChats();
      return {
        isKept: store.isKept,
        none,
        report,
        listed: (await store.listChats()).length,
        file: await (await store.getFile(message_?.attachments[0]?.blobId ?? ''))?.text(),
        forgetful: await refusal(isForgetful(account)),
      };
    });
    assert.equal(result.isKept, false);
    assert.deepEqual([result.none, result.listed], [0, 1]);
    assert.equal(result.report.messages, 0, 'the deleted chat came back with its messages');
    assert.equal(result.file, 'select 1');
    assert.notEqual(result.forgetful, null);
    await page.getByRole('link', { name: 'In memory' }).waitFor();
    await reload(page);
    await page.getByText('No chats yet').waitFor();
  });
}

test(
  'a new version of the page changes the database, and the tab with the old one says so',
  options,
  async (t) => {
    const { page, open } = await openHistoryPage(t);
    const id = await page.evaluate(async () => {
      const { store, message } = window as unknown as HistoryWindow;
      const chat = await store.createChat({ title: 'Old' });
      await store.saveMessage(message({ chatId: chat.id, text: 'Hello' }));
      return chat.id;
    });
    const newer = await open(NO_LIST);
    const upgraded = await newer.evaluate(async (chatId) => {
      const { store, createIndexedDbDriver, MIGRATIONS } = window as unknown as HistoryWindow;
      store.close();
      const driver = await createIndexedDbDriver({
        name: store.databaseName,
        migrations: [
          ...MIGRATIONS,
          (database, transaction) => {
            database.createObjectStore('notes', { keyPath: 'id' });
            transaction.objectStore('chats').put({ id: 'from-step', rank: 0, updatedAt: 0, title: 'New' });
          },
        ],
        onOutdated: () => {},
      });
      return driver.run('readonly', ['chats', 'messages'], async (transaction) => ({
        titles: (await transaction.all('chats')).map(({ title }) => title).sort(),
        messages: await transaction.idsWithChat('messages', chatId),
      }));
    }, id);
    assert.deepEqual(upgraded.titles, ['New', 'Old']);
    assert.equal(upgraded.messages.length, 1);
    await page.getByText('This page was updated in another tab. Reload it, or chats are not kept.').waitFor();
    const refused = await page.evaluate((chatId) => {
      const { store, message, refusal } = window as unknown as HistoryWindow;
      return refusal(store.saveMessage(message({ chatId })));
    }, id);
    assert.deepEqual(refused, {
      code: 'outdated',
      message: 'A newer version of this page is open. Reload the page.',
    });
    await reload(page);
    await page.getByText(/^Not kept: A newer version of this page is open\./).waitFor();
  },
);

test('a tab that does not let go of the old version ends the wait with a reason', options, async (t) => {
  const { page } = await openHistoryPage(t, { path: NO_LIST });
  const refused = await page.evaluate(async () => {
    const { store, createIndexedDbDriver, MIGRATIONS, refusal } = window as unknown as HistoryWindow;
    store.close();
    await new Promise((resolve) => {
      indexedDB.open(store.databaseName).onsuccess = resolve;
    });
    const given = { name: store.databaseName, migrations: [...MIGRATIONS, () => {}], onOutdated: () => {} };
    return refusal(createIndexedDbDriver(given));
  });
  assert.equal(refused?.code, 'failed');
  assert.match(refused?.message ?? '', /an old version of this page is open in another tab\.$/);
});

test('a full disk is said in words, and what was there stays', options, async (t) => {
  const { page, context, open } = await openHistoryPage(t, { path: NO_LIST });
  const { origin } = new URL(page.url());
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
  // The browser asks for the quota when a database is opened, not at each write.
  await page.evaluate(() => (window as unknown as HistoryWindow).store.close());
  await page.goto('about:blank');
  const full = await open(NO_LIST);
  const result = await full.evaluate(async () => {
    const { store, message, refusal } = window as unknown as HistoryWindow;
    const chat = await store.createChat({ title: 'Kept' });
    await store.saveMessage(message({ chatId: chat.id, text: 'Hello' }));
    const random = crypto.getRandomValues(new Uint8Array(60_000)).toString();
    const refusals = [
      await refusal(store.saveMessage(message({ chatId: chat.id, text: random.repeat(30) }))),
      await refusal(store.addFile(chat.id, new File([new Uint8Array(6_000_000)], 'large.bin'))),
    ];
    await store.saveMessage(message({ chatId: chat.id, text: 'Again', createdAt: Date.now() + 1 }));
    const texts = (await store.loadMessages(chat.id)).map(({ text }) => text);
    return { refusals, texts, bytes: await store.countFileBytes() };
  });
  for (const refused of result.refusals) {
    assert.equal(refused?.code, 'quota');
    assert.match(refused?.message ?? '', /^This browser has no room left for chats\./);
  }
  assert.deepEqual(result.texts, ['Hello', 'Again']);
  assert.equal(result.bytes, 0);
});

test('the page goes on after the person has cleared the data of the site', options, async (t) => {
  const { page, context } = await openHistoryPage(t, { path: NO_LIST });
  await page.evaluate(() => (window as unknown as HistoryWindow).store.createChat({ title: 'Cleared' }));
  const devtools = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  await devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  const titles = await page.evaluate(async () => {
    const { store } = window as unknown as HistoryWindow;
    const before = (await store.listChats()).length;
    await store.createChat({ title: 'New' });
    return [before, ...(await store.listChats()).map(({ title }) => title)];
  });
  assert.deepEqual(titles, [0, 'New']);
});
