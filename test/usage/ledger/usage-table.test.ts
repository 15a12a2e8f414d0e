import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CALL_OUTCOMES } from '../../../src/usage/call-entry.ts';
import { PartReader, partsOf } from '../../../src/usage/ledger/day-parts.ts';
import { regrouped } from '../../../src/usage/ledger/day-sums.ts';
import { type Dimensions, keyOfDimensions } from '../../../src/usage/ledger/dimensions.ts';
import { LineReader, toLine, toLines } from '../../../src/usage/ledger/lines.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from '../../../src/usage/ledger/measures.ts';
import { UsageTable } from '../../../src/usage/ledger/usage-table.ts';

interface RowSet {
  readonly dimensions: Dimensions;
  readonly slot: number;
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

const name = fc.option(fc.constantFrom('', 'a', 'b', '1:a', '-'));
const rowSet: fc.Arbitrary<RowSet> = fc.record({
  dimensions: fc.record({
    key: name,
    user: name,
    provider: fc.constant('openai'),
    model: name,
    upstreamModel: fc.constant(null),
    endpoint: fc.constantFrom('chat', 'ocr'),
    outcome: fc.constantFrom(...CALL_OUTCOMES),
  }),
  slot: fc.integer({ min: 0, max: 31 }),
  values: fc.array(fc.maxSafeNat(), { minLength: MEASURE_COUNT, maxLength: MEASURE_COUNT }),
  counts: fc.array(fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat()), {
    minLength: COUNTS_LENGTH,
    maxLength: COUNTS_LENGTH,
  }),
});
const rowSets = fc.array(rowSet, { maxLength: 60 });

/** All rows of a table: values and counts by dimensions and slot. */
function contentOf(table: UsageTable): Map<string, string> {
  const content = new Map<string, string>();
  for (let row = 0; row < table.length; row++) {
    const values = new Float64Array(MEASURE_COUNT);
    const counts = new Uint32Array(COUNTS_LENGTH);
    table.addRowTo(row, values, counts);
    const dimensions = table.tuples[table.tupleOf[row] ?? -1];
    assert.ok(dimensions !== undefined);
    const key = `${table.slotOf[row]} ${keyOfDimensions(dimensions)}`;
    assert.ok(!content.has(key), 'a row twice');
    content.set(key, `${values} ${counts}`);
  }
  return content;
}

function expectedOf(sets: readonly RowSet[]): Map<string, string> {
  return new Map(
    sets.map(({ dimensions, slot, values, counts }) => [
      `${slot} ${keyOfDimensions(dimensions)}`,
      `${values} ${counts}`,
    ]),
  );
}

function fill(table: UsageTable, sets: readonly RowSet[]): void {
  for (const { dimensions, slot, values, counts } of sets) {
    table.set(dimensions, slot, Float64Array.from(values), Uint32Array.from(counts));
  }
}

describe('UsageTable', () => {
  it('holds what was set last of each row, also after it was trimmed', () => {
    fc.assert(
      fc.property(rowSets, rowSets, (first, second) => {
        const table = new UsageTable();
        fill(table, first);
        assert.deepEqual(contentOf(table), expectedOf(first));
        table.trim();
        assert.deepEqual(contentOf(table), expectedOf(first));
        fill(table, second);
        assert.deepEqual(contentOf(table), expectedOf([...first, ...second]));
        for (const { dimensions, slot } of first)
          assert.ok(table.find(keyOfDimensions(dimensions), slot) >= 0);
      }),
      { numRuns: 100 },
    );
  });

  it('comes back from its lines, and the last line of a row counts', () => {
    fc.assert(
      fc.property(rowSets, rowSets, (first, second) => {
        const table = new UsageTable();
        fill(table, first);
        const reader = new LineReader();
        for (const text of toLines(table)) assert.ok(reader.read(Buffer.from(text)));
        for (const { dimensions, slot, values, counts } of second) {
          const text = toLine(dimensions, slot, Float64Array.from(values), Uint32Array.from(counts));
          assert.ok(reader.read(Buffer.from(text)));
        }
        assert.deepEqual(contentOf(reader.table), expectedOf([...first, ...second]));
      }),
      { numRuns: 100 },
    );
  });

  it('is read in parts as if it had been read as a whole', () => {
    const hours = fc.uniqueArray(fc.nat(24), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(rowSets, hours, (sets, unsorted) => {
        const table = new UsageTable();
        fill(
          table,
          sets.map((set) => ({ ...set, slot: set.slot % 24 })),
        );
        const parts = partsOf(unsorted.sort((one, other) => one - other));
        const reader = new PartReader(parts);
        for (const text of toLines(table)) assert.ok(reader.read(Buffer.from(text)));
        assert.deepEqual(contentOf(reader.table), contentOf(regrouped(table, parts)));
      }),
      { numRuns: 100 },
    );
  });

  it('takes nothing of a line that holds something else', () => {
    const sound = JSON.stringify([
      ['k', null, null, 'm', null, 'chat', 'ok'],
      [3, ...new Array(MEASURE_COUNT).fill(1)],
    ]);
    assert.ok(new LineReader().read(Buffer.from(sound)));
    const wrong = [
      sound.replace('[3,', '[32,'),
      sound.replace('[3,', '[-1,'),
      sound.replace('[3,', '[3.5,'),
      sound.replace('[3,', '["3",'),
      sound.replace('1]]', '1,5]]'),
      sound.replace('1]]', '1,128,1]]'),
      sound.replace('1]]', ']]'),
      sound.replace('"ok"', '"good"'),
      sound.replace('"chat"', 'null'),
      sound.replace('"k"', '7'),
    ];
    for (const text of wrong) {
      const reader = new LineReader();
      assert.equal(reader.read(Buffer.from(text)), false, text);
      assert.equal(reader.table.length, 0);
      const inParts = new PartReader(partsOf([0, 3, 24]));
      assert.equal(inParts.read(Buffer.from(text)), false, text);
      assert.equal(inParts.table.length, 0);
    }
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const reader = new LineReader();
        reader.read(Buffer.from(text));
        assert.equal(reader.table.length, 0);
      }),
    );
  });
});
