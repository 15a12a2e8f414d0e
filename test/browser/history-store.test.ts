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
      await store.saveMessage({ ...answer, usage: { total_tokens: 7 } }, { isLeaf: true });
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
