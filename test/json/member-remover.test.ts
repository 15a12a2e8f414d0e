import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MemberRemover } from '../../src/json/member-remover.ts';

function remove(text: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text);
  const remover = new MemberRemover('usage');
  const out: Buffer[] = [];
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    remover.push(bytes.subarray(from, at), out);
    from = at;
  }
  remover.end(out);
  return Buffer.concat(out).toString();
}

const ROWS: readonly (readonly [string, string])[] = [
  ['{"usage":{"a":[1,{"b":2}]}}', '{}'],
  ['{"a":1,"usage":{"total":1}}', '{"a":1}'],
  ['{"usage":{"total":1},"a":1}', '{"a":1}'],
  ['{"a":1,"usage":{"total":1},"b":2}', '{"a":1,"b":2}'],
  ['{ "usage" : { "total" : 1 } , "a" : 1 }', '{ "a" : 1 }'],
  ['{ "a" : 1 , "usage" : 5 , "b" : 2 }', '{ "a" : 1  , "b" : 2 }'],
  ['{"a":1,"usage":-1.5e3}', '{"a":1}'],
  ['{"usage":true,"a":1}', '{"a":1}'],
  ['{"usage":"a\\"b}","a":1}', '{"a":1}'],
  ['{"usage":[],"usage":{},"a":1}', '{"a":1}'],
  ['{"a":1,"usage":[],"usage":{}}', '{"a":1}'],
  ['{"usage":[],"usage":{}}', '{}'],
  ['{"usage":null}', '{"usage":null}'],
  ['{"a":1,"usage":null,"b":2}', '{"a":1,"usage":null,"b":2}'],
  ['{"a":{"usage":{"b":1}}}', '{"a":{"usage":{"b":1}}}'],
  ['{"a":["usage",{"usage":1}],"b":"usage"}', '{"a":["usage",{"usage":1}],"b":"usage"}'],
  ['{"usages":1,"usag":2,"\\"usage":3}', '{"usages":1,"usag":2,"\\"usage":3}'],
  ['[{"usage":1},"usage"]', '[{"usage":1},"usage"]'],
  ['"usage"', '"usage"'],
  ['', ''],
  ['{"a', '{"a'],
  ['{"a":1,"usage"', '{"a":1,"usage"'],
];

describe('MemberRemover', () => {
  for (const [text, expected] of ROWS) {
    test(`makes ${expected} from ${text}, however it is cut`, () => {
      assert.equal(remove(text), expected);
      for (let cut = 0; cut <= text.length; cut += 1) assert.equal(remove(text, [cut]), expected);
      assert.equal(
        remove(
          text,
          Array.from({ length: text.length }, (_, at) => at),
        ),
        expected,
      );
    });
  }

  test('leaves what JSON.parse reads, without the member', () => {
    const key = fc.oneof(
      fc.constantFrom('usage', 'a', 'usages', 'choices', '"usage"'),
      fc.string({ unit: 'binary' }),
    );
    const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });
    const space = fc.constantFrom(undefined, 1, '\t');
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(object, space, cuts, (value, indent, places) => {
        const { usage, ...others } = value;
        const expected = usage === null ? value : others;
        const text = remove(JSON.stringify(value, null, indent), places);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 2000 },
    );
  });

  test('passes pieces as they are, and long texts fast', () => {
    const remover = new MemberRemover('usage');
    const out: Buffer[] = [];
    remover.push(Buffer.from('{"b":"'), out);
    const pieces = Array.from({ length: 64 }, () => Buffer.from('\\n'.repeat(32 * 1024)));
    const from = out.length;
    for (const piece of pieces) remover.push(piece, out);
    assert.deepEqual(out.slice(from), pieces);
    assert.equal(out[from], pieces[0]);
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const remover = new MemberRemover('usage');
        const out: Buffer[] = [];
        remover.push(Buffer.from(bytes), out);
        remover.end(out);
      }),
    );
  });
});
