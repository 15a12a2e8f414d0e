import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toCsvLine } from '../../src/routes/csv.ts';

/** Reads one line as RFC 4180 says. */
function parseLine(line: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    let cell = '';
    if (line[at] === '"') {
      for (at += 1; ; at++) {
        if (line[at] !== '"') cell += line[at];
        else if (line[at + 1] === '"') cell += line[at++];
        else break;
      }
      at += 1;
    } else {
      const end = line.indexOf(',', at);
      cell = line.slice(at, end === -1 ? line.length : end);
      at += cell.length;
    }
    cells.push(cell);
    assert.ok(at === line.length || line[at] === ',', `after a cell: ${JSON.stringify(line.slice(at))}`);
    at += 1;
  }
  return cells;
}

describe('toCsvLine', () => {
  it('writes cells as RFC 4180 says', () => {
    assert.equal(
      toCsvLine(['a', 'b,c', 'd"e', 'f\r\ng', null, 1.5, -2]),
      'a,"b,c","d""e","f\r\ng",,1.5,-2\r\n',
    );
  });

  it('a spreadsheet takes no text for a formula', () => {
    const texts = ['=1+1', '+1', '-1+2', '@SUM(A1)', '\tx', '\rx', '-x', '=', "'=1"];
    const expected = `'=1+1,'+1,'-1+2,'@SUM(A1),'\tx,"'\rx",'-x,'=,'=1\r\n`;
    assert.equal(toCsvLine(texts), expected);
    assert.equal(toCsvLine(['-1', '-1.5', -1e21]), '-1,-1.5,-1e+21\r\n');
  });

  it('every text comes back, with a quote in front where it could be a formula', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '-', "'", '1', '\t', '@') }),
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1 }), (cells) => {
        const line = toCsvLine(cells);
        assert.ok(line.endsWith('\r\n'));
        const read = parseLine(line.slice(0, -2));
        for (const [index, text] of cells.entries()) {
          const isFormula = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
          assert.equal(read[index], isFormula ? `'${text}` : text);
        }
        assert.equal(read.length, cells.length);
      }),
      { numRuns: 500 },
    );
  });
});
