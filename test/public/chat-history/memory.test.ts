import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type History, messageOf, openHistory } from './modules.ts';

/** Node has no IndexedDB: the history is in memory here, with the same store above it. */
async function open(t: TestContext, startMs = 1_000): Promise<History> {
  let clock = startMs;
  const history = await openHistory({ account: 'user u1', now: () => ++clock });
  t.after(() => history.close());
  return history;
}

async function exported(history: History): Promise<string> {
  return (await (await history.exportAll()).blob.text()).replace(/"exportedAt":"[^"]*"/, '');
}

test('without IndexedDB the history says so and works', async (t) => {
  const history = await open(t);
  assert.equal(history.isKept, false);
  assert.match(history.whyNotKept ?? '', /^This browser lets pages store nothing, .*\.$/);
  const chat = await history.createChat({ title: 'A' });
  await history.saveMessage(messageOf({ chatId: chat.id, text: 'Hello' }), { isLeaf: true });
  assert.equal((await history.listChats())[0]?.leafId, 'm');
  assert.equal((await history.loadMessages(chat.id))[0]?.text, 'Hello');
});

test('a message for a chat that is gone is refused, and nothing is written', async (t) => {
  const history = await open(t);
  await assert.rejects(history.saveMessage(messageOf({ chatId: 'gone' })), { code: 'chat-gone' });
  assert.deepEqual(await history.loadMessages('gone'), []);
});

test('pages follow each other without a gap, whatever the order of times', async (t) => {
  const times = fc.array(fc.record({ updatedAt: fc.nat(5), pinned: fc.boolean() }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(times, fc.integer({ min: 1, max: 7 }), async (fields, limit) => {
      const history = await open(t);
      for (const one of fields) await history.createChat(one);
      const paged = [];
      for (let after = null; ; ) {
        const page = await history.listChats({ after, limit });
        paged.push(...page);
        after = page.at(-1) ?? null;
        if (page.length < limit) break;
      }
      assert.deepEqual(paged, await history.listChats({ limit: 100 }));
      assert.equal(paged.length, fields.length);
      const pins = paged.map(({ pinned }) => pinned);
      assert.deepEqual(pins, pins.toSorted().reverse());
    }),
    { numRuns: 30 },
  );
});

test('an export that is imported gives the same export', async (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const chats = fc.array(
    fc.record({ title: text, pinned: fc.boolean(), texts: fc.array(text, { maxLength: 4 }) }),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(chats, async (given) => {
      const [source, target] = [await open(t), await open(t, 1_000_000)];
      for (const { title, pinned, texts } of given) {
        const { id } = await source.createChat({ title, pinned });
        for (const [index, one] of texts.entries())
          await source.saveMessage(messageOf({ id: `${id}-${index}`, chatId: id, text: one }));
      }
      const { blob } = await source.exportAll();
      const first = await target.importFile(blob);
      assert.equal(first.chats, given.length);
      assert.equal(first.skipped, 0);
      const second = await target.importFile(blob);
      assert.deepEqual([second.chats, second.messages], [0, 0], 'nothing twice');
      assert.equal((await target.listChats()).length, given.length);
      for (const chat of await source.listChats())
        assert.deepEqual(await target.loadMessages(chat.id), await source.loadMessages(chat.id));
      if (given.every(({ texts }) => texts.length > 0))
        assert.deepEqual(
          (await target.listChats()).map(({ leafId: _, ...chat }) => chat),
          (await source.listChats()).map(({ leafId: _, ...chat }) => chat),
        );
      assert.equal(await exported(target), await exported(target));
    }),
    { numRuns: 30 },
  );
});

test('an import keeps what is newer here, and adds messages of both sides', async (t) => {
  const history = await open(t);
  const chat = await history.createChat({ title: 'Old' });
  await history.saveMessage(messageOf({ id: 'a', chatId: chat.id, text: 'first' }));
  const { blob } = await history.exportAll();
  await history.saveMessage(messageOf({ id: 'b', chatId: chat.id, text: 'later' }));
  await history.saveMessage(messageOf({ id: 'a', chatId: chat.id, text: 'first, edited' }));
  await history.updateChat(chat.id, { title: 'New' });
  assert.deepEqual(await history.importFile(blob), {
    chats: 0,
    messages: 0,
    presets: 0,
    skipped: 0,
    filesLeftOut: 0,
  });
  assert.equal((await history.listChats())[0]?.title, 'New');
  assert.deepEqual((await history.loadMessages(chat.id)).map(({ text }) => text).toSorted(), [
    'first, edited',
    'later',
  ]);
});

test('the search finds titles and texts, and can be stopped', async (t) => {
  const history = await open(t);
  const chat = await history.createChat({ title: 'Sourdough bread' });
  const other = await history.createChat({ title: 'Regex' });
  await history.saveMessage(messageOf({ chatId: other.id, text: 'Match a BREAD order number' }));
  const found = await history.search('bread');
  assert.deepEqual(
    found.map((one) => [one.chat.id, one.snippet]),
    [
      [other.id, 'Match a BREAD order number'],
      [chat.id, null],
    ],
  );
  assert.equal((await history.search('bread sourdough')).length, 1);
  assert.equal((await history.search('regex bread')).length, 0);
  const trip = await history.createChat({ title: 'A trip to İzmir' });
  assert.deepEqual(
    (await history.search('izmir')).map((one) => one.chat.id),
    [trip.id],
  );
  assert.equal((await history.search('   ')).length, 0);
  await assert.rejects(history.search('bread', { signal: AbortSignal.abort() }), { name: 'AbortError' });
});
