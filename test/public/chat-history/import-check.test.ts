import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Checked, checkImport } from './modules.ts';

const NOW = Date.parse('2026-11-30T14:00:00Z');
const FILE = { format: 'ipin-chat-history', version: 1 };
const CHAT = { id: 'c1', title: 'A chat', createdAt: 1, updatedAt: 2, messages: [] };
const MESSAGE = { id: 'm1', role: 'user', text: 'Hello', createdAt: 1 };

function check(chats: unknown, presets?: unknown): Checked {
  return checkImport({ ...FILE, chats, ...(presets === undefined ? {} : { presets }) }, NOW);
}

function onlyMessage(fields: Record<string, unknown>): Record<string, unknown> | null {
  const [first] = check([{ ...CHAT, messages: [{ ...MESSAGE, ...fields }] }]).chats;
  return (first?.messages[0] as unknown as Record<string, unknown>) ?? null;
}

test('files that are no exports are refused with a reason', () => {
  const rows: [unknown, RegExp][] = [
    [null, /not an export/],
    [[], /not an export/],
    ['x', /not an export/],
    [{}, /not an export/],
    [{ format: 'ipin-chat-history', version: 2, chats: [] }, /newer version/],
    [{ ...FILE }, /damaged/],
    [{ ...FILE, chats: {} }, /damaged/],
    [{ ...FILE, chats: [], presets: 'x' }, /damaged/],
    [{ ...FILE, chats: Array(20_001).fill(null) }, /too many/],
    [{ ...FILE, chats: [], presets: Array(1001).fill(null) }, /too many/],
  ];
  for (const [value, text] of rows)
    assert.throws(() => checkImport(value, NOW), text, JSON.stringify(value)?.slice(0, 80));
});

test('what is not valid is left out and counted', () => {
  const { chats, presets, skipped } = check(
    [
      CHAT,
      { ...CHAT, title: 'same id' },
      { ...CHAT, id: '<img>' },
      { ...CHAT, id: 7 },
      { ...CHAT, id: 'c2', messages: null },
      null,
      { ...CHAT, id: 'c3', messages: [MESSAGE, MESSAGE, { ...MESSAGE, id: 'm2', role: 'tool' }, 'x'] },
      { ...CHAT, id: 'c4', messages: [MESSAGE, { ...MESSAGE, id: 'm5', text: 'x'.repeat(4_000_001) }] },
    ],
    [{ id: 'p', name: 'Brief', system: '' }, { id: 'q' }, { id: 'p', name: 'Twice', system: '' }],
  );
  assert.deepEqual(
    chats.map(({ chat, messages }) => [chat.id, messages.length]),
    [
      ['c1', 0],
      ['c3', 1],
      ['c4', 0],
    ],
  );
  assert.deepEqual(
    presets.map(({ name }) => name),
    ['Brief'],
  );
  assert.equal(skipped, 5 + 3 + 2 + 2);
});

test('fields are taken one by one, and within bounds', () => {
  const [first] = check([
    {
      ...CHAT,
      title: `  a\n${'b'.repeat(400)}`,
      updatedAt: NOW + 1e9,
      createdAt: 'x',
      pinned: 'yes',
      temperature: 99,
      maxTokens: 100,
      leafId: 'gone',
      rank: 9,
      deletedAt: 1,
      toString: 'x',
      messages: [{ ...MESSAGE, parentId: 'gone', chatId: 'other' }],
    },
  ]).chats;
  assert.deepEqual(
    { ...first?.chat, title: first?.chat.title.length },
    {
      id: 'c1',
      title: 300,
      createdAt: NOW,
      updatedAt: NOW,
      pinned: false,
      modelId: null,
      system: '',
      temperature: null,
      maxTokens: 100,
      leafId: 'm1',
    },
  );
  assert.equal(first?.messages[0]?.chatId, 'c1');
  assert.equal(first?.messages[0]?.parentId, null);
  assert.equal(onlyMessage({ parentId: 'm1' })?.['parentId'], null, 'its own parent');
});

test('files have a well-formed type', () => {
  const types = ['image/png', 'image/svg+xml', 'text/html', 'text/plain;charset=utf-8', '', 7];
  const message = onlyMessage({
    attachments: types.map((type) => ({ name: 'f', type, size: 1, blobId: 'x' })),
  });
  const attachments = (message?.['attachments'] ?? []) as { type: string; blobId: unknown }[];
  assert.deepEqual(
    attachments.map(({ type, blobId }) => [type, blobId]),
    [
      ['image/png', null],
      ['image/svg+xml', null],
      ['text/html', null],
      ['application/octet-stream', null],
      ['application/octet-stream', null],
      ['application/octet-stream', null],
    ],
  );
});

test('what an answer has beside its text is known and bounded', () => {
  const usage = JSON.parse('{"promptTokens":7,"cachedTokens":-1,"__proto__":{"x":1},"other":{"deep":1}}');
  const checked = onlyMessage({ usage })?.['usage'] as object;
  assert.deepEqual(checked, { promptTokens: 7, completionTokens: null, cachedTokens: null });
  assert.equal(Object.getPrototypeOf(checked), Object.prototype);
  assert.equal(onlyMessage({ error: 'It failed' })?.['error'], null);
  assert.deepEqual(onlyMessage({ error: { message: 'It failed', code: 7 } })?.['error'], {
    message: 'It failed',
    detail: '',
  });
  const message = onlyMessage({
    sources: [
      { url: 'https://example.com/a', title: 'A' },
      { url: 'javascript:xss()', title: 'B' },
      'no source',
    ],
    toolCalls: [{ id: '1', name: 'search', arguments: 7 }, null],
    note: 'Cut off.',
    isPlain: 'yes',
    reasoningMs: 12,
    another: 'field',
  });
  assert.deepEqual(message?.['sources'], [{ url: 'https://example.com/a', title: 'A' }]);
  assert.deepEqual(message?.['toolCalls'], [{ id: '1', name: 'search', arguments: '' }]);
  assert.equal(message?.['note'], 'Cut off.');
  assert.equal(message?.['reasoningMs'], 12);
  assert.equal('isPlain' in (message ?? {}), false);
  assert.equal('another' in (message ?? {}), false);
});

/** Values where the known fields are common, so that checks are reached. */
const hostile = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, true, 'user', 'm1', 'c1', '__proto__', 1e308, -1, Number.NaN, 2 ** 53),
    fc.string(),
    fc.double(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        ...['id', 'title', 'messages', 'role', 'text', 'parentId', 'attachments', 'usage', 'error'],
        ...['name', 'type', 'dataUrl', 'size', 'createdAt', 'updatedAt', 'leafId', 'system', '__proto__'],
      ),
      tie('value'),
    ),
  ),
}));

test('no file makes the check fail in another way than by refusing, or gives fields that are not known', () => {
  const allowed = new Set(
    'id title createdAt updatedAt pinned modelId system temperature maxTokens leafId'.split(' '),
  );
  fc.assert(
    fc.property(fc.array(hostile.value, { maxLength: 6 }), (chats) => {
      const checked = check(chats);
      const seen = new Set<string>();
      for (const { chat, messages } of checked.chats) {
        assert.deepEqual(
          Object.keys(chat).filter((name) => !allowed.has(name)),
          [],
        );
        assert.ok(
          Number.isFinite(chat.updatedAt) && chat.updatedAt <= NOW && chat.createdAt <= chat.updatedAt,
        );
        assert.ok(chat.leafId === null || messages.some(({ id }) => id === chat.leafId));
        for (const message of messages) {
          assert.equal(message.chatId, chat.id);
          assert.equal(typeof message.text, 'string');
          assert.ok(!seen.has(message.id));
          seen.add(message.id);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('what was checked passes the check again, unchanged', () => {
  fc.assert(
    fc.property(fc.array(hostile.value, { maxLength: 6 }), (chats) => {
      const once = check(chats);
      const again = check(once.chats.map(({ chat, messages }) => ({ ...chat, messages })));
      assert.deepEqual(again.chats, once.chats);
      assert.equal(again.skipped, 0);
    }),
  );
});
