import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { branchTo, chatOf, messageOf, newestLeaf, placeChat, snippetOf, versionsOf } from './modules.ts';

const ids = (messages: readonly { id: string }[]): string => messages.map(({ id }) => id).join(' ');

const QUESTION = messageOf({ id: 'q', createdAt: 1 });
const FIRST = messageOf({ id: 'a1', parentId: 'q', role: 'assistant', createdAt: 2 });
const SECOND = messageOf({ id: 'a2', parentId: 'q', role: 'assistant', createdAt: 3 });
const NEXT = messageOf({ id: 'q2', parentId: 'a1', createdAt: 4 });
const EDITED = messageOf({ id: 'e', createdAt: 5 });
const ALL = [QUESTION, FIRST, SECOND, NEXT, EDITED];

test('a branch goes from its last message up to the first one', () => {
  assert.equal(ids(branchTo(ALL, 'q2')), 'q a1 q2');
  assert.equal(ids(branchTo(ALL, 'a2')), 'q a2');
  assert.equal(ids(branchTo(ALL, 'none')), '');
  assert.equal(ids(branchTo(ALL, null)), '');
});

test('versions are the messages with the same parent', () => {
  assert.equal(ids(versionsOf(ALL, FIRST)), 'a1 a2');
  assert.equal(ids(versionsOf(ALL, EDITED)), 'q e');
  assert.equal(newestLeaf(ALL, 'a1'), 'q2');
  assert.equal(newestLeaf(ALL, 'q'), 'a2');
});

test('pointers that are wrong or go in circles end', () => {
  const some = fc.constantFrom('a', 'b', 'c', 'd', 'missing', null);
  fc.assert(
    fc.property(fc.tuple(some, some, some, some), (parents) => {
      const messages = parents.map((parentId, index) => messageOf({ id: 'abcd'[index] ?? '', parentId }));
      for (const { id } of messages) {
        const branch = branchTo(messages, id);
        assert.equal(branch.at(-1)?.id, id);
        assert.equal(new Set(branch).size, branch.length);
        assert.ok(messages.some((message) => message.id === newestLeaf(messages, id)));
      }
    }),
  );
});

test('a changed chat is put where a new list would have it', () => {
  const chats = fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 0, max: 30 }).map(String),
      pinned: fc.boolean(),
      updatedAt: fc.nat(9),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(chats, (fields) => {
      const list = fields.map((one) => chatOf(one));
      const placed = list.reduce<typeof list>((sum, chat) => placeChat(sum, chat, true), []);
      const sorted = list.toSorted(
        (a, b) => Number(b.pinned) - Number(a.pinned) || b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1),
      );
      assert.equal(ids(placed), ids(sorted));
      const [first] = list;
      if (first) assert.equal(ids(placeChat(placed, first, true)), ids(sorted), 'placed again');
    }),
  );
});

test('a chat below the loaded part waits for its page', () => {
  const loaded = [chatOf({ id: 'a', updatedAt: 9 }), chatOf({ id: 'b', updatedAt: 5 })];
  assert.equal(ids(placeChat(loaded, chatOf({ id: 'c', updatedAt: 1 }), false)), 'a b');
  assert.equal(ids(placeChat(loaded, chatOf({ id: 'c', updatedAt: 7 }), false)), 'a c b');
});

test('a snippet has the word and little around it', () => {
  assert.equal(snippetOf('short text', 'text'), 'short text');
  const long = `${'before '.repeat(50)}Needle${' after'.repeat(50)}`;
  const snippet = snippetOf(long, 'needle');
  assert.match(snippet, /^….*Needle.*…$/);
  assert.ok(snippet.length <= 92);
  assert.ok(snippet.indexOf('Needle') <= 13);
  assert.equal(snippetOf('İİİİİİİİİİİİİİİİ word', 'word'), '…İİİİİİİİİİİ word');
  assert.equal(snippetOf('a **bold** `word`, and # a heading', 'bold'), 'a bold word, and a heading');
});
