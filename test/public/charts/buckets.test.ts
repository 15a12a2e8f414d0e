import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

type Zone = number | string;
type Size = 'hour' | 'day';
interface SeriesInput {
  id: string;
  name: string;
  values: (number | null)[];
}
interface Row {
  time: string;
  model: string;
  cost: number | null;
}

const module: Record<string, unknown> = await import(
  new URL('../../../public/js/charts/buckets.js', import.meta.url).href
);
const bucketStarts = module['bucketStarts'] as (options: {
  fromMs: number;
  toMs: number;
  bucket: Size;
  zone: Zone;
}) => number[];
const bucketEnd = module['bucketEnd'] as (startMs: number, bucket: Size, zone: Zone) => number;
const bucketAt = module['bucketAt'] as (
  data: { starts: number[]; bucket: Size; zone: Zone; nowMs: number },
  index: number,
) => { index: number; startMs: number; endMs: number; isNow: boolean };
const axisLabel = module['axisLabel'] as (startMs: number, bucket: Size, zone: Zone) => string;
const bucketName = module['bucketName'] as (startMs: number, bucket: Size, zone: Zone) => string;
const seriesOfRows = module['seriesOfRows'] as (
  rows: Row[],
  options: {
    starts: number[];
    id: (row: Row) => string;
    name: (row: Row) => string;
    value: (row: Row) => number | null;
  },
) => SeriesInput[];

const at = Date.parse;
const iso = (starts: number[]): string[] => starts.map((ms) => new Date(ms).toISOString().slice(0, 16));

describe('bucketStarts', () => {
  test('cuts whole hours of UTC, both ends widened', () => {
    const starts = bucketStarts({
      fromMs: at('2026-11-26T10:20Z'),
      toMs: at('2026-11-26T12:01Z'),
      bucket: 'hour',
      zone: 330,
    });
    assert.deepEqual(iso(starts), ['2026-11-26T10:00', '2026-11-26T11:00', '2026-11-26T12:00']);
  });

  for (const [zone, expected] of [
    [0, ['2026-11-25T00:00', '2026-11-26T00:00']],
    [60, ['2026-11-24T23:00', '2026-11-25T23:00']],
    [-300, ['2026-11-24T05:00', '2026-11-25T05:00', '2026-11-26T05:00']],
    // The first whole hour of UTC in a day of India begins at 00:30 there.
    [330, ['2026-11-24T19:00', '2026-11-25T19:00']],
    ['Europe/Berlin', ['2026-11-24T23:00', '2026-11-25T23:00']],
  ] as const) {
    test(`begins days where the zone ${zone} does`, () => {
      const days = { fromMs: at('2026-11-25T03:00Z'), toMs: at('2026-11-26T12:00Z'), bucket: 'day' } as const;
      assert.deepEqual(iso(bucketStarts({ ...days, zone })), expected);
    });
  }

  test('knows days of 25 and 23 hours', () => {
    const autumn = bucketStarts({
      fromMs: at('2026-10-24T22:00Z'),
      toMs: at('2026-10-26T12:00Z'),
      bucket: 'day',
      zone: 'Europe/Berlin',
    });
    assert.deepEqual(iso(autumn), ['2026-10-24T22:00', '2026-10-25T23:00']);
    const spring = at('2026-03-28T23:00Z');
    assert.equal(bucketEnd(spring, 'day', 'Europe/Berlin'), at('2026-03-29T22:00Z'));
    assert.equal(bucketEnd(spring, 'day', 60), at('2026-03-29T23:00Z'));
  });

  test('has an end, whatever is asked for', () => {
    assert.equal(bucketStarts({ fromMs: 0, toMs: 4e12, bucket: 'hour', zone: 0 }).length, 1000);
    assert.deepEqual(bucketStarts({ fromMs: 3_600_000, toMs: 5, bucket: 'hour', zone: 0 }), []);
  });
});

test('bucketAt says which bucket is not over', () => {
  const starts = [at('2026-11-26T10:00Z'), at('2026-11-26T11:00Z')];
  const data = { starts, bucket: 'hour', zone: 0, nowMs: at('2026-11-26T11:00Z') } as const;
  assert.equal(bucketAt(data, 0).isNow, false);
  const last = { index: 1, startMs: starts[1], endMs: at('2026-11-26T12:00Z'), isNow: true };
  assert.deepEqual(bucketAt(data, 1), last);
});

test('buckets have names in the zone', () => {
  const noon = at('2026-11-17T23:00Z');
  for (const [bucket, zone, label, name] of [
    ['hour', 0, '23:00', 'Tue 17 Nov, 23:00 to 00:00'],
    ['hour', 60, '18 Nov', 'Wed 18 Nov, 00:00 to 01:00'],
    ['hour', 330, '04:30', 'Wed 18 Nov, 04:30 to 05:30'],
    ['hour', 'America/New_York', '18:00', 'Tue 17 Nov, 18:00 to 19:00'],
    ['day', 60, '18 Nov', 'Wed 18 November'],
    ['day', -300, '17 Nov', 'Tue 17 November'],
  ] as const) {
    assert.equal(axisLabel(noon, bucket, zone), label);
    assert.equal(bucketName(noon, bucket, zone), name);
  }
  assert.equal(axisLabel(at('2026-09-01T00:00Z'), 'day', 0), '1 Sep');
});

test('seriesOfRows: no row is zero, null is no data, rows outside are left out', () => {
  const starts = [0, 3_600_000];
  const time = (hour: number): string => new Date(hour * 3_600_000).toISOString();
  const rows = [
    { time: time(0), model: 'a', cost: 5 },
    { time: time(0), model: 'a', cost: 2 },
    { time: time(1), model: 'b', cost: null },
    { time: time(7), model: 'a', cost: 100 },
    { time: 'never', model: 'a', cost: 100 },
  ];
  const options = {
    starts,
    id: (row: Row) => `model:${row.model}`,
    name: (row: Row) => row.model,
    value: (row: Row) => row.cost,
  };
  assert.deepEqual(seriesOfRows(rows, options), [
    { id: 'model:a', name: 'a', values: [7, 0] },
    { id: 'model:b', name: 'b', values: [0, null] },
  ]);
});
