import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';

interface Input {
  id: string;
  name: string;
  values: (number | null)[];
  isOther?: boolean;
  isBad?: boolean;
}
interface Series extends Input {
  ids: string[];
  sum: number;
}
interface Unit {
  value: (value: number) => string;
  isSummable: boolean;
}
interface Cursor {
  bucket: number;
  series: number | null;
}

const folder = new URL('../../../public/js/charts/', import.meta.url);
const load = async (name: string): Promise<Record<string, unknown>> => import(new URL(name, folder).href);
const series = await load('series.js');
const foldSeries = series['foldSeries'] as (inputs: Input[], unit: Unit) => Series[];
const totalAt = series['totalAt'] as (list: Series[], index: number) => number | null;
const stackParts = series['stackParts'] as (
  list: Series[],
  index: number,
  y: (value: number) => number,
) => { series: number; y: number; height: number }[];
const share = series['share'] as (value: number, total: number) => string;
const shownPart = series['shownPart'] as (list: Series[], hidden: Set<string>, unit: Unit) => string;
const summary = series['summary'] as (
  data: { title: string; unit: Unit },
  list: Series[],
  names: string[],
) => string;
interface SlotBook {
  assign(ids: string[]): Map<string, number>;
}
const slotModule = await load('slots.js');
const createSlotBook = slotModule['createSlotBook'] as () => SlotBook;
const slotsOfSeries = slotModule['slotsOfSeries'] as (list: Input[], book: SlotBook) => Map<string, number>;
const nextCursor = (await load('keys.js'))['nextCursor'] as (
  key: string,
  at: Cursor | null,
  shown: { buckets: number; series: number[] },
) => Cursor | null | undefined;
const runs = (await load('lines.js'))['runs'] as (values: (number | null)[], now: number) => unknown;
const leftOf = (await load('tip-box.js'))['leftOf'] as (
  place: { left: number; right: number; isForward: boolean },
  width: number,
  room: number,
) => number;
const strip = await load('status-strip.js');
const failedPx = strip['failedPx'] as (hour: { requests: number; failed: number }) => number;
const lastHours = strip['lastHours'] as (
  hours: { startMs: number; requests: number; failed: number }[],
  nowMs: number,
) => { startMs: number; requests: number }[];

const SUM: Unit = { value: String, isSummable: true };
const NO_SUM: Unit = { value: String, isSummable: false };
const input = (id: string, ...values: (number | null)[]): Input => ({ id, name: id, values });

describe('foldSeries', () => {
  test('keeps the five largest, largest first, and sums the rest as Other', () => {
    const inputs = [1, 2, 3, 4, 5, 6, 7].map((value) => input(`s${value}`, value, null));
    const folded = foldSeries(inputs, SUM);
    assert.deepEqual(
      folded.map(({ id }) => id),
      ['s7', 's6', 's5', 's4', 's3', 'other'],
    );
    const other = folded[5];
    assert.deepEqual(other?.ids, ['s2', 's1']);
    assert.deepEqual(other?.values, [3, null]);
  });

  test("puts the server's Other last, whatever its size, and red series before it", () => {
    const inputs = [
      { ...input('rest', 90), isOther: true },
      { ...input('errors', 1), isBad: true },
      input('a', 5),
    ];
    assert.deepEqual(
      foldSeries(inputs, SUM).map(({ id }) => id),
      ['a', 'errors', 'other'],
    );
  });

  test('percentiles are not summed', () => {
    const inputs = [1, 2, 3, 4, 5, 6].map((value) => input(`s${value}`, value));
    assert.equal(foldSeries(inputs, NO_SUM).length, 5);
  });

  test('the parts always add up to the whole', () => {
    const values = fc.array(fc.option(fc.nat()), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(values, { maxLength: 12 }), (rows) => {
        const inputs = rows.map((row, number) => input(`s${number}`, ...row));
        const folded = foldSeries(inputs, SUM);
        const sumOf = (list: (number | null)[][]): number =>
          list.flat().reduce<number>((sum, value) => sum + (value ?? 0), 0);
        assert.equal(
          folded.reduce((sum, one) => sum + one.sum, 0),
          sumOf(rows),
        );
        assert.equal(sumOf(folded.map((one) => one.values)), sumOf(rows));
      }),
    );
  });
});

test('no data is not zero', () => {
  const folded = foldSeries([input('a', null, 0, 1), input('b', null, null, 2)], SUM);
  assert.deepEqual(
    [0, 1, 2].map((index) => totalAt(folded, index)),
    [null, 0, 3],
  );
});

describe('stackParts', () => {
  const y = (value: number): number => 100 - value;

  test('leaves one pixel of ground between parts', () => {
    const folded = foldSeries([input('a', 50), input('b', 30), input('c', 0)], SUM);
    assert.deepEqual(stackParts(folded, 0, y), [
      { series: 0, y: 50, height: 50 },
      { series: 1, y: 20, height: 29 },
    ]);
  });

  test('shows every value above zero', () => {
    const folded = foldSeries([input('a', 50), input('b', 0.001)], SUM);
    assert.equal(stackParts(folded, 0, y)[1]?.height, 1);
  });
});

test('shares, parts shown and summaries in words', () => {
  assert.equal(share(1, 3), '33\u202f%');
  assert.equal(share(1, 1000), '<1\u202f%');
  assert.equal(share(0, 0), '');
  const folded = foldSeries([input('a', 1, 4), input('b', 2, 3)], SUM);
  assert.equal(shownPart(folded, new Set(), SUM), '');
  assert.equal(shownPart(folded, new Set(['a']), SUM), '5 of 10 shown');
  assert.equal(shownPart(folded, new Set(['a']), NO_SUM), '1 of 2 shown');
  assert.equal(summary({ title: 'Spend', unit: SUM }, folded, ['Mon', 'Tue']), 'Spend: 10, highest 7, Tue');
  assert.equal(summary({ title: 'p95', unit: NO_SUM }, folded, ['Mon', 'Tue']), 'p95: highest 4, Tue');
  assert.equal(summary({ title: 'Spend', unit: SUM }, [], ['Mon']), 'Spend: no data');
  const zero = foldSeries([input('a', 0)], SUM);
  assert.equal(summary({ title: 'Spend', unit: SUM }, zero, ['Mon']), 'Spend: 0, nothing above zero');
});

describe('colour slots', () => {
  test('the same entities have the same colours on every page, whatever their rank', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => `model:${name}`);
    const bySlot = (order: string[]): [string, number][] =>
      [...createSlotBook().assign(order)].sort(([one], [other]) => (one < other ? -1 : 1));
    fc.assert(
      fc.property(fc.shuffledSubarray(ids, { minLength: 2 }), (order) => {
        assert.deepEqual(bySlot(order), bySlot([...order].sort()));
      }),
    );
  });

  test('are the same on every page for an entity alone', () => {
    const first = createSlotBook().assign(['model:gpt-5.4']);
    assert.deepEqual(createSlotBook().assign(['model:gpt-5.4']), first);
  });

  test('stay when others come, go, or change their rank', () => {
    const book = createSlotBook();
    const before = book.assign(['a', 'b', 'c', 'd', 'e']);
    book.assign(['f', 'g', 'h']);
    const after = book.assign(['e', 'c', 'a']);
    for (const [id, slot] of after) assert.equal(slot, before.get(id), id);
  });

  test('are fixed for the total, Other and errors', () => {
    const list = [
      input('total', 1),
      { ...input('other', 1), isOther: true },
      { ...input('errors', 1), isBad: true },
    ];
    assert.deepEqual(
      [...slotsOfSeries(list, createSlotBook())],
      [
        ['total', 1],
        ['other', 6],
        ['errors', 7],
      ],
    );
  });

  test('are never shared by five that stand together', () => {
    const ids = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 8 }), (charts) => {
        const book = createSlotBook();
        for (const shown of charts) {
          const slots = [...book.assign(shown).values()];
          assert.equal(new Set(slots).size, shown.length);
          assert.ok(slots.every((slot) => slot >= 1 && slot <= 5));
        }
      }),
    );
  });
});

test('keys move through buckets and series', () => {
  const shown = { buckets: 3, series: [0, 2] };
  const at = { bucket: 1, series: null };
  for (const [key, from, to] of [
    ['ArrowRight', null, { bucket: 0, series: null }],
    ['ArrowLeft', null, { bucket: 2, series: null }],
    ['ArrowRight', at, { bucket: 2, series: null }],
    ['ArrowRight', { bucket: 2, series: 2 }, { bucket: 2, series: 2 }],
    ['ArrowLeft', { bucket: 0, series: null }, { bucket: 0, series: null }],
    ['Home', at, { bucket: 0, series: null }],
    ['End', at, { bucket: 2, series: null }],
    ['ArrowUp', at, { bucket: 1, series: 0 }],
    ['ArrowUp', { bucket: 1, series: 0 }, { bucket: 1, series: 2 }],
    ['ArrowUp', { bucket: 1, series: 2 }, { bucket: 1, series: null }],
    ['ArrowDown', at, { bucket: 1, series: 2 }],
    ['ArrowUp', null, { bucket: 2, series: 0 }],
    ['Escape', at, null],
    ['Escape', null, undefined],
    ['Tab', at, undefined],
  ] as const) {
    assert.deepEqual(nextCursor(key, from, shown), to, `${key} from ${JSON.stringify(from)}`);
  }
  assert.equal(nextCursor('End', null, { buckets: 0, series: [] }), undefined);
});

test('lines have gaps, and the running bucket stands alone', () => {
  assert.deepEqual(runs([1, 2, null, 3], -1), [
    { from: 0, to: 1 },
    { from: 3, to: 3 },
  ]);
  assert.deepEqual(runs([1, 2, 3], 2), [
    { from: 0, to: 1 },
    { from: 2, to: 2 },
  ]);
  assert.deepEqual(runs([], -1), []);
});

test('the tip follows the pointer where there is room, and never leaves the box', () => {
  assert.equal(leftOf({ left: 400, right: 420, isForward: true }, 200, 800), 192);
  assert.equal(leftOf({ left: 100, right: 120, isForward: true }, 200, 800), 128);
  assert.equal(leftOf({ left: 400, right: 420, isForward: false }, 200, 800), 428);
  assert.equal(leftOf({ left: 700, right: 720, isForward: false }, 200, 800), 492);
  assert.equal(leftOf({ left: 100, right: 120, isForward: true }, 300, 320), 0);
});

test('a strip shows every failure, and the last 24 hours', () => {
  for (const [requests, failed, height] of [
    [10, 0, 0],
    [10, 10, 20],
    [10, 5, 10],
    [1000, 1, 3],
    [1000, 999, 17],
    [0, 0, 0],
  ] as const) {
    assert.equal(failedPx({ requests, failed }), height);
  }
  const hours = lastHours([{ startMs: 100 * 3_600_000, requests: 4, failed: 0 }], 101.5 * 3_600_000);
  assert.equal(hours.length, 24);
  assert.equal(hours[23]?.requests, 0);
  assert.equal(hours[22]?.requests, 4);
  assert.equal(hours[0]?.startMs, 78 * 3_600_000);
});
