import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toSrt, toVtt } from '../../src/protocols/subtitles.ts';
import { parseSrt, parseVtt } from './subtitle-parser.ts';

describe('toSrt() and toVtt()', () => {
  const cues = [
    { start: 0, end: 4.94, text: ' First words' },
    { start: 4.94, end: 3723.0006, text: ' a --> b\r\n\r\n ---> c ' },
    { start: 3723.0006, end: 359_999.999, text: '  \n ' },
    { start: 59.9996, end: 360_000, text: 'last' },
  ];

  it('write exact SubRip', () => {
    assert.equal(
      toSrt(cues),
      '1\n00:00:00,000 --> 00:00:04,940\nFirst words\n\n' +
        '2\n00:00:04,940 --> 01:02:03,001\na -> b\n-> c\n\n' +
        '3\n00:01:00,000 --> 100:00:00,000\nlast\n\n\n',
    );
    assert.equal(toSrt([]), '');
  });

  it('write exact WebVTT', () => {
    assert.equal(
      toVtt(cues),
      'WEBVTT\n\n00:00:00.000 --> 00:00:04.940\nFirst words\n\n' +
        '00:00:04.940 --> 01:02:03.001\na -> b\n-> c\n\n' +
        '00:01:00.000 --> 100:00:00.000\nlast\n\n',
    );
    assert.equal(toVtt([]), 'WEBVTT\n\n');
  });

  it('keep times exact to the millisecond and cues separate, whatever the text', () => {
    const text = fc
      .array(fc.constantFrom('a', ' ', '-', '>', '-->', '\n', '\r\n', '\n\n', '1', '\u2028', '<b>', 'é'))
      .map((pieces) => pieces.join(''));
    const given = fc.array(fc.record({ start: fc.nat(1e8), length: fc.nat(1e5), text }));
    fc.assert(
      fc.property(given, (rows) => {
        const list = rows.map((row) => ({
          start: row.start / 1000,
          end: (row.start + row.length) / 1000,
          text: row.text,
        }));
        const shown = rows.filter((row) => row.text.trim() !== '');
        const times = shown.map((row) => [row.start, row.start + row.length]);
        for (const parsed of [parseSrt(toSrt(list)), parseVtt(toVtt(list))]) {
          assert.deepEqual(
            parsed.map((cue) => [cue.startMs, cue.endMs]),
            times,
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
