import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HistoryWindow, openHistoryPage, reload } from './history-page.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };

test('chats, branches, files and presets are still there after a reload', options, async (t) => {
  const { page } = await openHistoryPage(t);
  const chatId = await page.evaluate(async () => {
    const { store, message } = window as unknown as HistoryWindow;
    const chat = await store.createChat({
      title: '  Weekly \n users ',
      modelId: 'gpt-5.4',
      system: 'Be brief.',
    });
    const file = await store.addFile(chat.id, new File(['select 1'], 'schema.sql', { type: 'text/plain' }));
    const inline = { name: 'dot.png', type: 'image/png', size: 0, dataUrl: 'data:image/png;base64,iVBORw==' };
    const first = message({ chatId: chat.id, text: 'A query', attachments: [file, inline], createdAt: 1 });
    await store.saveMessage(first);
    for (const [index, text] of ['One answer', 'Another answer'].entries()) {
      const answer = message({
        chatId: chat.id,
        parentId: first.id,
        role: 'assistant',
        text,
        createdAt: 2 + index,
      });
      await store.saveMessage({ ...answer, text: '', state: 'stopped' });
      await store.saveMessage(
        { ...answer, usage: { promptTokens: 7, completionTokens: null, cachedTokens: null } },
        { isLeaf: true },
      );
    }
    await store.savePreset({ name: 'Brief', system: 'Be brief.', modelId: null, temperature: 0.2 });
    return chat.id;
  });
  await reload(page);
  const kept = await page.evaluate(async (id) => {
    const { store } = window as unknown as HistoryWindow;
    const messages = await store.loadMessages(id);
    const blobs = await Promise.all(
      messages.flatMap(({ attachments }) =>
        attachments.map(async ({ blobId }) => {
          const blob = await store.getFile(blobId ?? '');
          return { type: blob?.type, size: blob?.size };
        }),
      ),
    );
    const chat = await store.getChat(id);
    return { isKept: store.isKept, chat, messages, blobs, presets: await store.listPresets() };
  }, chatId);
  assert.equal(kept.isKept, true);
  assert.equal(kept.chat?.title, 'Weekly users');
  assert.deepEqual(
    kept.messages.map(({ text, state, parentId }) => [text, state, parentId === null]),
    [
      ['A query', 'done', true],
      ['One answer', 'done', false],
      ['Another answer', 'done', false],
    ],
  );
  assert.equal(kept.chat?.leafId, kept.messages[2]?.id);
  assert.deepEqual(kept.blobs, [
    { type: 'text/plain', size: 8 },
    { type: 'image/png', size: 4 },
  ]);
  assert.equal(kept.presets[0]?.name, 'Brief');
});

test('two tabs write into the same chat, and nothing is lost', options, async (t) => {
  const { page, open } = await openHistoryPage(t, { path: '/?list=none' });
  const other = await open('/?list=none');
  const chatId = await page.evaluate(async () => {
    const { store } = window as unknown as HistoryWindow;
    return (await store.createChat({ title: 'Shared' })).id;
  });
  const write = (tab: typeof page, field: 'title' | 'system') =>
    tab.evaluate(
      async ({ id, name }) => {
        const { store, message } = window as unknown as HistoryWindow;
        for (let index = 0; index < 40; index++) {
          await store.saveMessage(message({ chatId: id, text: `${name} ${index}` }));
          await store.updateChat(id, { [name]: `${name} ${index}` });
          await store.addFile(id, new File(['1234567890'], 'ten.txt', { type: 'text/plain' }));
        }
      },
      { id: chatId, name: field },
    );
  await Promise.all([write(page, 'title'), write(other, 'system')]);
  for (const tab of [page, other]) {
    const kept = await tab.evaluate(async (id) => {
      const { store } = window as unknown as HistoryWindow;
      const texts = (await store.loadMessages(id)).map(({ text }) => text);
      return {
        chat: await store.getChat(id),
        texts: new Set(texts).size,
        bytes: await store.countFileBytes(),
      };
    }, chatId);
    assert.equal(kept.texts, 80);
    assert.equal(kept.chat?.title, 'title 39');
    assert.equal(kept.chat?.system, 'system 39');
    assert.equal(kept.bytes, 800);
  }
});

test('a tab hears of what the other one changes', options, async (t) => {
  const { page, open } = await openHistoryPage(t, { path: '/?list=none' });
  const other = await open('/?list=none');
  const heard = other.evaluate(
    () =>
      new Promise((resolve) => {
        const { store } = window as unknown as HistoryWindow;
        const types: string[] = [];
        store.onChange(({ type }) => {
          if (types.push(type) === 3) resolve(types);
        });
        Reflect.set(window, 'isListening', true);
      }),
  );
  await other.waitForFunction(() => Reflect.get(window, 'isListening') === true);
  await page.evaluate(async () => {
    const { store } = window as unknown as HistoryWindow;
    const { id } = await store.createChat({ title: 'A' });
    await store.updateChat(id, { pinned: true });
    await store.savePreset({ name: 'Brief', system: '', modelId: null, temperature: null });
  });
  assert.deepEqual(await heard, ['chat', 'chat', 'presets']);
  const presets = await other.evaluate(() => (window as unknown as HistoryWindow).store.listPresets());
  assert.deepEqual(
    presets.map(({ name }) => name),
    ['Brief'],
  );
});

test(
  'a deleted chat can be restored for a minute, with what another tab added meanwhile',
  options,
  async (t) => {
    const { page, open } = await openHistoryPage(t, { path: '/?list=none' });
    const other = await open('/?list=none');
    const id = await page.evaluate(async () => {
      const { store, message } = window as unknown as HistoryWindow;
      const chat = await store.createChat({ title: 'Kept', pinned: true });
      await store.saveMessage(message({ chatId: chat.id, text: 'before' }));
      await store.deleteChat(chat.id);
      return chat.id;
    });
    const inOther = await other.evaluate(async (chatId) => {
      const { store, message } = window as unknown as HistoryWindow;
      await store.saveMessage(message({ chatId, text: 'an answer that was on its way' }));
      return { listed: (await store.listChats()).length, chat: await store.getChat(chatId) };
    }, id);
    assert.deepEqual(inOther, { listed: 0, chat: null });
    const restored = await page.evaluate(async (chatId) => {
      const { store } = window as unknown as HistoryWindow;
      const chat = await store.restoreChat(chatId);
      return {
        chat,
        messages: (await store.loadMessages(chatId)).length,
        listed: (await store.listChats()).length,
      };
    }, id);
    assert.equal(restored.chat.pinned, true);
    assert.deepEqual([restored.messages, restored.listed], [2, 1]);
  },
);

test('after the minute a deleted chat is gone with its messages and files', options, async (t) => {
  const { page } = await openHistoryPage(t, { path: '/?list=none' });
  const result = await page.evaluate(async () => {
    const { store, message, openHistory, refusal } = window as unknown as HistoryWindow;
    const chat = await store.createChat({ title: 'Gone' });
    const other = await store.createChat({ title: 'Stays' });
    for (const { id } of [chat, other]) {
      const file = await store.addFile(id, new File(['1234'], 'four.txt'));
      await store.saveMessage(message({ chatId: id, text: 'x', attachments: [file] }));
    }
    await store.deleteChat(chat.id);
    const later = await openHistory({ account: 'user u1', now: () => Date.now() + 61_000 });
    return {
      restore: await refusal(later.restoreChat(chat.id)),
      save: await refusal(later.saveMessage(message({ chatId: chat.id }))),
      messages: (await later.loadMessages(chat.id)).length,
      others: (await later.loadMessages(other.id)).length,
      bytes: await later.countFileBytes(),
    };
  });
  assert.equal(result.restore?.code, 'chat-gone');
  assert.equal(result.save?.code, 'chat-gone');
  assert.deepEqual([result.messages, result.others, result.bytes], [0, 1, 4]);
});

test('a file of 60 MB is refused with a reason, and the history stays', options, async (t) => {
  const { page } = await openHistoryPage(t, { path: '/?list=none' });
  const result = await page.evaluate(async () => {
    const { store, message, refusal } = window as unknown as HistoryWindow;
    const chat = await store.createChat({ title: 'Films' });
    const first = await store.saveMessage(message({ chatId: chat.id, text: 'Hello' }));
    const large = new File([new Uint8Array(60 * 1024 * 1024)], 'film.mp4', { type: 'video/mp4' });
    const most = new File([new Uint8Array(50 * 1024 * 1024 - 10)], 'fits.bin');
    const refusals = [await refusal(store.addFile(chat.id, large))];
    const fits = await store.addFile(chat.id, most);
    refusals.push(await refusal(store.addFile(chat.id, new File(['12345678901'], 'eleven.txt'))));
    const dataUrl = `data:text/plain;base64,${btoa('12345678901')}`;
    const inline = message({
      chatId: chat.id,
      attachments: [{ name: 'eleven.txt', type: 'text/plain', size: 11, dataUrl }],
    });
    refusals.push(await refusal(store.saveMessage(inline)));
    return {
      refusals,
      fits: (await store.getFile(fits.blobId ?? ''))?.size,
      texts: (await store.loadMessages(chat.id)).map(({ text }) => text),
      first: first.text,
    };
  });
  assert.deepEqual(
    result.refusals.map((one) => one?.code),
    ['file-too-large', 'files-full', 'files-full'],
  );
  assert.equal(
    result.refusals[0]?.message,
    '“film.mp4” is not kept in the history: it has 60.0 MB, the limit is 50 MB.',
  );
  assert.match(
    result.refusals[1]?.message ?? '',
    /take 50\.0 MB of 50 MB\. Delete chats with files to make room\.$/,
  );
  assert.equal(result.fits, 50 * 1024 * 1024 - 10);
  assert.deepEqual(result.texts, ['Hello'], 'a message whose file was refused is not there by half');
});

test(
  'an export goes into another account with all files, and a second import adds nothing',
  options,
  async (t) => {
    const { page } = await openHistoryPage(t, { path: '/?list=none' });
    const result = await page.evaluate(async () => {
      const { store, message, openHistory } = window as unknown as HistoryWindow;
      const chat = await store.createChat({ title: 'With a file', pinned: true });
      const file = await store.addFile(chat.id, new File(['select 1'], 'schema.sql', { type: 'text/plain' }));
      const question = await store.saveMessage(
        message({ chatId: chat.id, text: 'Why?', attachments: [file] }),
      );
      for (const text of ['Because', 'For no reason'])
        await store.saveMessage(
          message({
            chatId: chat.id,
            parentId: question.id,
            role: 'assistant',
            text,
            createdAt: Date.now() + 1,
          }),
          { isLeaf: true },
        );
      await store.savePreset({ name: 'Brief', system: 'Be brief.', modelId: 'gpt-5.4', temperature: 0 });
      const { name, blob } = await store.exportAll();
      const other = await openHistory({ account: 'user u2' });
      const reports = [
        await other.importFile(blob),
        await other.importFile(blob),
        await store.importFile(blob),
      ];
      const [copy] = await other.listChats();
      const messages = await other.loadMessages(copy?.id ?? '');
      const blobId = messages[0]?.attachments[0]?.blobId ?? '';
      const markdown = await other.exportMarkdown(chat.id);
      return {
        name,
        reports,
        isSame: JSON.stringify(copy) === JSON.stringify(await store.getChat(chat.id)),
        texts: messages.map(({ text }) => text),
        file: await (await other.getFile(blobId))?.text(),
        markdown: [markdown.name, await markdown.blob.text()],
        presets: await other.listPresets(),
      };
    });
    const none = { chats: 0, messages: 0, presets: 0, skipped: 0, filesLeftOut: 0 };
    assert.match(result.name, /^ipin-chats-\d{4}-\d\d-\d\d\.json$/);
    assert.deepEqual(result.reports, [{ ...none, chats: 1, messages: 3, presets: 1 }, none, none]);
    assert.equal(result.isSame, true);
    assert.deepEqual(result.texts, ['Why?', 'Because', 'For no reason']);
    assert.equal(result.file, 'select 1');
    assert.deepEqual(result.markdown, [
      'with-a-file.md',
      '# With a file\n\n## You\n\n- File: schema.sql\n\nWhy?\n\n## Answer\n\nFor no reason\n',
    ]);
    assert.equal(result.presets[0]?.temperature, 0);
  },
);

test('accounts do not see each other, and keys are kept as a digest only', options, async (t) => {
  const { page } = await openHistoryPage(t, { path: '/?list=none' });
  const result = await page.evaluate(async () => {
    const { store, openHistory, accountName } = window as unknown as HistoryWindow;
    await store.createChat({ title: 'Mine' });
    const names = [
      await accountName({ role: 'admin', username: 'maria' }),
      await accountName({ role: 'user', username: 'maria', id: 'u2' }),
      await accountName({ key: 'sk-ipin-secret' }),
      await accountName({ key: '' }),
    ];
    const counts = [];
    for (const account of names) counts.push((await (await openHistory({ account })).listChats()).length);
    return { names, counts, databases: (await indexedDB.databases()).map(({ name }) => name) };
  });
  assert.deepEqual(result.counts, [0, 0, 0, 0]);
  assert.match(result.names[2] ?? '', /^key [0-9a-f]{32}$/);
  assert.equal(result.names[3], 'guest');
  assert.ok(!JSON.stringify(result.databases).includes('secret'));
});

test('where people want it, signing out removes the chats of their account', options, async (t) => {
  const { page, open } = await openHistoryPage(t, { path: '/?list=none' });
  const other = await open('/?list=none');
  const before = await page.evaluate(async () => {
    const { account, store, openHistory, setForgetful, isForgetful } = window as unknown as HistoryWindow;
    await store.createChat({ title: 'Private' });
    await (await openHistory({ account: 'admin admin' })).createChat({ title: 'Stays' });
    const was = await isForgetful(account);
    await setForgetful(account, true);
    return [was, await isForgetful(account)];
  });
  assert.deepEqual(before, [false, true]);
  const after = await page.evaluate(async () => {
    const { forgetChats, openHistory, store } = window as unknown as HistoryWindow;
    await forgetChats();
    const admin = await openHistory({ account: 'admin admin' });
    return { here: (await store.listChats()).length, admin: (await admin.listChats()).length };
  });
  assert.deepEqual(after, { here: 0, admin: 1 });
  const inOther = await other.evaluate(async () => {
    const { store } = window as unknown as HistoryWindow;
    const before = (await store.listChats()).length;
    await store.createChat({ title: 'New' });
    return [before, (await store.listChats()).length];
  });
  assert.deepEqual(inOther, [0, 1], 'the other tab goes on');
});
