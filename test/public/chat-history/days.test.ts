import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chatOf, groupByDay } from './modules.ts';

/** Local times, as the list has them. */
const at = (...parts: [number, number, number, number?, number?]): number =>
  new Date(parts[0], parts[1] - 1, parts[2], parts[3] ?? 12, parts[4] ?? 0).getTime();

const NOW = at(2026, 11, 30, 14, 30);

test('a chat stands under the day of its last change', () => {
  const rows: [number, string][] = [
    [NOW + 60_000, 'Today'],
    [at(2026, 11, 30, 0, 0), 'Today'],
    [at(2026, 11, 29, 23, 59), 'Yesterday'],
    [at(2026, 11, 29, 0, 0), 'Yesterday'],
    [at(2026, 11, 28, 23, 59), 'Previous 7 days'],
    [at(2026, 11, 22, 0, 0), 'Previous 7 days'],
    [at(2026, 11, 21, 23, 59), 'November'],
    [at(2026, 10, 31, 23, 59), 'October'],
    [at(2026, 1, 1, 0, 0), 'January'],
    [at(2025, 12, 31, 23, 59), 'December 2025'],
    [0, new Date(0).getFullYear() === 1970 ? 'January 1970' : 'December 1969'],
  ];
  for (const [updatedAt, label] of rows)
    assert.equal(groupByDay([chatOf({ updatedAt })], NOW)[0]?.label, label, new Date(updatedAt).toString());
});

test('the day before a change of the clock is yesterday for all of its hours', () => {
  for (const [month, day] of [
    [3, 30],
    [10, 26],
    [3, 9],
    [11, 2],
  ] as const) {
    const now = at(2026, month, day, 0, 30);
    for (const hour of [0, 2, 3, 23])
      assert.equal(
        groupByDay([chatOf({ updatedAt: at(2026, month, day - 1, hour) })], now)[0]?.label,
        'Yesterday',
      );
  }
});

test('every chat is in one group, in the order of the list', () => {
  const chat = fc
    .record({ pinned: fc.boolean(), updatedAt: fc.integer({ min: 0, max: NOW }) })
    .map((fields) => chatOf(fields));
  fc.assert(
    fc.property(fc.array(chat, { maxLength: 40 }), (chats) => {
      const sorted = chats.toSorted(
        (a, b) => Number(b.pinned) - Number(a.pinned) || b.updatedAt - a.updatedAt,
      );
      const groups = groupByDay(sorted, NOW);
      assert.deepEqual(
        groups.flatMap((group) => group.chats),
        sorted,
      );
      assert.equal(new Set(groups.map(({ label }) => label)).size, groups.length);
    }),
  );
});
