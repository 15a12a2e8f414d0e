import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JsonRewriter, type RewriteRule, replaceFirstString } from '../../src/json/rewriter.ts';

const PATHS = [['model'], ['response', 'model']];

function replace(text: string, cuts: readonly number[] = [], to = '"alias"'): string {
  const bytes = Buffer.from(text);
  const replacer = replaceFirstString(PATHS, Buffer.from(to));
  const out: Buffer[] = [];
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    replacer.push(bytes.subarray(from, at), out);
    from = at;
  }
  replacer.end(out);
  return Buffer.concat(out).toString();
}

const ROWS: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['a member of the text', '{"id":"x","model":"real","n":1}', '{"id":"x","model":"alias","n":1}'],
  ['white space', ' { "model" :\t"real" } ', ' { "model" :\t"alias" } '],
  ['a member of a member', '{"response":{"model":"real"}}', '{"response":{"model":"alias"}}'],
  ['the same name elsewhere', '{"tools":[{"model":"a"}],"x":{"model":"b"}}', ''],
  ['a value of the name', '{"a":"model","b":["model","c"]}', ''],
  ['a place inside an array', '[{"model":"real"}]', ''],
  ['another kind', '{"model":null,"response":{"model":7}}', ''],
  ['an escaped name', '{"mod\\u0065l":"real"}', '{"mod\\u0065l":"alias"}'],
  [
    'quotes in strings',
    '{"a":"\\"model\\":\\"x\\"","model":"r\\"l"}',
    '{"a":"\\"model\\":\\"x\\"","model":"alias"}',
  ],
  ['the first of two', '{"model":"a","model":"b"}', '{"model":"alias","model":"b"}'],
  [
    'after much else',
    `{"output":["${'x'.repeat(70_000)}"],"model":"real"}`,
    `{"output":["${'x'.repeat(70_000)}"],"model":"alias"}`,
  ],
  ['a value over 4 KiB', `{"model":"${'x'.repeat(5_000)}"}`, ''],
  [
    'a name over 4 KiB',
    `{"${'x'.repeat(5_000)}":1,"model":"real"}`,
    `{"${'x'.repeat(5_000)}":1,"model":"alias"}`,
  ],
  ['a name over 4 KiB after a place', `{"model":null,"${'x'.repeat(5_000)}":"same"}`, ''],
  ['nested beyond 128', `{"a":${'['.repeat(200)}${']'.repeat(200)},"model":"real"}`, ''],
  ['a text that is cut off', '{"model":"re', ''],
  ['no JSON at all', 'model "model": "x" }}]]', ''],
];

describe('replaceFirstString()', () => {
  for (const [what, text, expected] of ROWS) {
    test(`replaces by place, however the text is cut: ${what}`, () => {
      const wanted = expected === '' ? text : expected;
      assert.equal(replace(text), wanted);
      const everywhere = Array.from({ length: Math.min(text.length, 200) }, (_, index) => index);
      assert.equal(replace(text, everywhere), wanted);
    });
  }

  test('says where the string stood', () => {
    const replacer = replaceFirstString(PATHS, Buffer.from('"b"'));
    replacer.push(Buffer.from('{"x":1,"mod'), []);
    assert.equal(replacer.rewritten, null);
    replacer.push(Buffer.from('el":"real"}'), []);
    assert.deepEqual(replacer.rewritten, { start: 15, end: 21 });
  });

  test('agrees with a parser, whatever JSON comes and however it is cut', () => {
    const value = fc.record(
      {
        id: fc.string(),
        model: fc.oneof(fc.string(), fc.jsonValue()),
        response: fc.oneof(fc.record({ x: fc.jsonValue(), model: fc.string() }), fc.jsonValue()),
        output: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, fc.array(fc.nat(), { maxLength: 12 }), (given, cuts) => {
        const got = JSON.parse(replace(JSON.stringify(given), cuts));
        const expected = JSON.parse(JSON.stringify(given)) as { model?: unknown; response?: unknown };
        const { response } = expected;
        const first = Object.keys(expected).find(
          (name) =>
            (name === 'model' && typeof expected.model === 'string') ||
            (name === 'response' && typeof (response as { model?: unknown } | null)?.model === 'string'),
        );
        if (first === 'model') expected.model = 'alias';
        else if (first === 'response') (response as { model: string }).model = 'alias';
        assert.deepEqual(got, expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('never throws and loses no byte, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 8 }), (bytes, cuts) => {
        const text = Buffer.from(bytes).toString('latin1');
        if (!text.includes('model')) assert.equal(replace(text, cuts), Buffer.from(text).toString());
      }),
      { numRuns: 500 },
    );
  });
});

describe('JsonRewriter', () => {
  const path = ['data', '*', 'v'];
  const rule = (kind: RewriteRule['kind']): RewriteRule => {
    return { path, kind, limitBytes: 1000, rewrite: (raw) => Buffer.from(`"${raw.length}"`) };
  };

  function rewrite(text: string, kind: RewriteRule['kind'], cuts: readonly number[]): string {
    const rewriter = new JsonRewriter({ rules: [rule(kind)], isOnce: false });
    const bytes = Buffer.from(text);
    const out: Buffer[] = [];
    let from = 0;
    for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
      rewriter.push(bytes.subarray(from, at), out);
      from = at;
    }
    assert.ok(rewriter.isWhole);
    rewriter.end(out);
    return Buffer.concat(out).toString();
  }

  function isNumbers(value: unknown): boolean {
    return Array.isArray(value) && !/["[{]/.test(JSON.stringify(value).slice(1));
  }

  test('rewrites every value of its kind at the path and nothing else, however the text is cut', () => {
    const numbers = fc.array(fc.oneof(fc.integer(), fc.constant(null)), { maxLength: 4 });
    const value = fc.oneof(fc.string(), numbers, fc.jsonValue());
    const item = fc.oneof(fc.record({ v: value, w: value }, { requiredKeys: [] }), fc.jsonValue());
    const text = fc.record({ data: fc.oneof(fc.array(item), fc.jsonValue()), v: value });
    const kind = fc.constantFrom<RewriteRule['kind']>('string', 'numbers');
    fc.assert(
      fc.property(text, kind, fc.array(fc.nat(), { maxLength: 12 }), (given, which, cuts) => {
        const expected = JSON.parse(JSON.stringify(given)) as { data: unknown };
        for (const at of Array.isArray(expected.data) ? (expected.data as unknown[]) : []) {
          const { v } = (at ?? {}) as { v?: unknown };
          const isWanted = which === 'string' ? typeof v === 'string' : isNumbers(v);
          if (isWanted) (at as { v: unknown }).v = String(Buffer.byteLength(JSON.stringify(v)));
        }
        assert.deepEqual(JSON.parse(rewrite(JSON.stringify(given), which, cuts)), expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('tells of what it cannot follow', () => {
    const problems: [string, string][] = [
      ['a value over its limit', `{"data":[{"v":"${'x'.repeat(2_000)}"}]}`],
      ['deep nesting', '['.repeat(200)],
      ['a bracket too many', '{}}'],
    ];
    for (const [what, text] of problems) {
      const onUnreadable = (): never => {
        throw new Error('unreadable');
      };
      const rewriter = new JsonRewriter({ rules: [rule('string')], isOnce: false, onUnreadable });
      assert.throws(() => rewriter.push(Buffer.from(text), []), /unreadable/, what);
    }
  });
});
