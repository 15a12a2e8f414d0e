import assert from 'node:assert/strict';
import { test } from 'node:test';

type Format = (value: unknown) => string;
const file = new URL('../../public/js/lib/format.js', import.meta.url).href;
const format: Record<string, Format> = await import(file);

/** Narrow spaces written as plain ones, to be readable here. */
function shown(name: string, value: unknown): string {
  const write = format[name];
  assert.ok(write, name);
  return write(value).replaceAll('\u202f', ' ');
}

const NOW = Date.UTC(2030, 0, 31, 12);

for (const [name, value, expected] of [
  ['money', 7.006, '$7.01'],
  ['money', 1204.5, '$1,204.50'],
  ['money', 0, '$0.00'],
  ['money', 0.004, '<$0.01'],
  ['money', 0.005, '$0.01'],
  ['money', -5, '−$5.00'],
  ['money', null, '–'],
  ['requestCost', 0.0027, '$0.0027'],
  ['requestCost', 0.00001, '<$0.0001'],
  ['requestCost', 1.518, '$1.52'],
  ['requestCost', 0, '$0'],
  ['requestCost', null, '–'],
  ['compact', 0, '0'],
  ['compact', 9999, '9,999'],
  ['compact', 10_000, '10.0 k'],
  ['compact', 18_204, '18.2 k'],
  ['compact', 999_949, '1.00 M'],
  ['compact', 999_499, '999 k'],
  ['compact', 35_900_000, '35.9 M'],
  ['compact', 1_200_000_000, '1.20 B'],
  ['compact', null, '–'],
  ['milliseconds', 0, '0 ms'],
  ['milliseconds', 820, '820 ms'],
  ['milliseconds', 999.6, '1.00 s'],
  ['milliseconds', 1860, '1.86 s'],
  ['milliseconds', 12_440, '12.4 s'],
  ['milliseconds', 59_999, '1 min 0 s'],
  ['milliseconds', 125_000, '2 min 5 s'],
  ['milliseconds', 3_725_000, '1 h 2 min'],
  ['milliseconds', null, '–'],
  ['percent', 0, '0 %'],
  ['percent', 0.0001, '<0.1 %'],
  ['percent', 0.018, '1.8 %'],
  ['percent', 0.92, '92 %'],
  ['percent', -0.05, '−5 %'],
  ['percent', null, '–'],
  ['signedPercent', 0.12, '+12 %'],
  ['signedPercent', -0.05, '−5 %'],
  ['signedPercent', 0, '0 %'],
  ['signedPercent', 24, '× 25'],
  ['shortAge', NOW, 'now'],
  ['shortAge', NOW - 8_400, '8 s ago'],
  ['shortAge', NOW - 26 * 60_000 - 5000, '26 min ago'],
  ['shortAge', NOW - 3 * 3_600_000 - 5000, '3 h ago'],
  ['shortAge', null, '–'],
  ['clockTime', null, '–'],
  ['day', null, '–'],
] as const)
  test(`${name} writes ${value} as ${expected}`, (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: NOW });
    assert.equal(shown(name, value), expected);
  });
