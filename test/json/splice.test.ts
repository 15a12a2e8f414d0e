import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstMatch } from '../../src/json/matches.ts';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { splice } from '../../src/json/splice.ts';
import { jsonObjectTree, jsonText } from '../helpers/json-text.ts';

const patterns = compilePatterns(['model']);
const patch = (start: number, end: number, text = '') => ({ start, end, bytes: Buffer.from(text) });
const joined = (body: string, ...patches: ReturnType<typeof patch>[]) =>
  Buffer.concat(splice(Buffer.from(body), patches)).toString();

describe('splice', () => {
  it('changes the value of a top-level model and no other byte', () => {
    const nested = jsonObjectTree(['model', 'models', 'a']);
    const rest = jsonText(
      nested.filter(({ members }) => members.every(({ name }) => !/^model$/i.test(name))),
    );
    const value = fc.jsonValue({ maxDepth: 1 }).map((json) => JSON.stringify(json));
    const input = fc.record({
      rest,
      value,
      name: fc.constantFrom('"model"', '"m\\u006fdel"'),
      last: fc.boolean(),
    });
    fc.assert(
      fc.property(input, ({ rest: { tree, body }, value: model, name, last }) => {
        const text = body.toString();
        const comma = tree.members.length > 0 ? ',' : '';
        const cut = last ? text.lastIndexOf('}') : text.indexOf('{') + 1;
        const before = `${text.slice(0, cut)}${last ? comma : ''}\n${name} : `;
        const after = ` ${last ? '' : comma}${text.slice(cut)}`;
        const whole = Buffer.from(before + model + after);
        const match = firstMatch(scanJson(whole, patterns), 'model');
        assert.ok(match);
        const pieces = splice(whole, [{ ...match, bytes: Buffer.from('"gpt-é"') }]);
        assert.equal(Buffer.concat(pieces).toString(), `${before}"gpt-é"${after}`);
      }),
      { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 500 },
    );
  });

  it('gives views of the body, not copies', () => {
    const body = Buffer.from('0123456789');
    for (const piece of splice(body, [patch(2, 4, 'x')]).filter((piece) => piece.toString() !== 'x')) {
      assert.equal(piece.buffer, body.buffer);
    }
    assert.deepEqual(splice(body, []), [body]);
    assert.equal(splice(body, [])[0], body);
  });

  it('takes patches in any order, insertions before what is replaced at the same place', () => {
    assert.equal(joined('0123456789', patch(8, 10, 'z'), patch(0, 1), patch(4, 6, 'y')), '123y67z');
    assert.equal(
      joined('abc', patch(1, 2, 'B'), patch(1, 1, '<'), patch(1, 1, '>'), patch(3, 3, '!')),
      'a<>Bc!',
    );
    assert.equal(joined('abc', patch(0, 3)), '');
    assert.deepEqual(splice(Buffer.from('abc'), [patch(0, 3)]), []);
  });

  it('refuses patches that overlap or leave the body', () => {
    for (const bad of [
      [patch(0, 2), patch(1, 3)],
      [patch(0, 2), patch(1, 1)],
      [patch(-1, 1)],
      [patch(2, 1)],
      [patch(2, 4)],
      [patch(Number.NaN, 1)],
    ]) {
      assert.throws(() => joined('abc', ...bad), RangeError);
    }
  });
});
