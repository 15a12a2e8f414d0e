import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { editMembers } from '../../src/json/edit-members.ts';
import { readMemberName } from '../../src/json/matches.ts';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson, scanJsonInTurns } from '../../src/json/scan.ts';
import { splice } from '../../src/json/splice.ts';
import { JsonScanError } from '../../src/json/tokens.ts';
import { jsonObjectTree, jsonText, jsonTree } from '../helpers/json-text.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 20_000 : 600;
const NAMES = ['a', 'b', 'model', '"', '\\', ''];
const listing = compilePatterns(['model'], [], { listsMembers: true });

/** The body after changes of the members at some indices; the values at those of `patched` are put in an array. */
function edited(
  text: string,
  {
    removed = [],
    renamed = {},
    added = [],
    patched = [],
  }: {
    removed?: readonly number[];
    renamed?: Readonly<Record<number, string>>;
    added?: readonly (readonly [string, unknown])[];
    patched?: readonly number[];
  },
): string {
  const bytes = Buffer.from(text);
  const scan = scanJson(bytes, listing);
  const at = (index: number) => {
    const member = scan.members[index];
    assert.ok(member);
    return member;
  };
  const patches = patched.map((index) => ({
    start: at(index).valueStart,
    end: at(index).end,
    bytes: Buffer.from(`[${bytes.toString('utf8', at(index).valueStart, at(index).end)}]`),
  }));
  const edits = {
    removed: new Set(removed.map(at)),
    renamed: new Map(Object.entries(renamed).map(([index, name]) => [at(Number(index)), name])),
    added,
  };
  return Buffer.concat(splice(bytes, editMembers({ bytes, scan, patches }, edits))).toString();
}

describe('the members of a scan', () => {
  it('are those of the outermost object, with the spans of name and value', () => {
    const text = ' {"a" : {"x":[1,{"y":2}]} , "\\u0062":[ ] ,"":-1e5,"b":"q\\"" }';
    const { members } = scanJson(Buffer.from(text), listing);
    assert.deepEqual(
      members.map(({ start, nameEnd, valueStart, end }) => [
        text.slice(start, nameEnd),
        text.slice(valueStart, end),
      ]),
      [
        ['"a"', '{"x":[1,{"y":2}]}'],
        ['"\\u0062"', '[ ]'],
        ['""', '-1e5'],
        ['"b"', '"q\\""'],
      ],
    );
    const [, escaped] = members;
    assert.ok(escaped);
    assert.equal(readMemberName(Buffer.from(text), escaped), 'b');
  });

  it('are listed only where the patterns ask for it, and only of an object', () => {
    assert.deepEqual(scanJson(Buffer.from('{"a":1}'), compilePatterns(['a'])).members, []);
    for (const text of ['[]', '[1,[2],{"a":1}]', '{}', '"a"', '1'])
      assert.deepEqual(scanJson(Buffer.from(text), listing).members, [], text);
  });

  it('are found in any text, also in slices', async () => {
    const texts = jsonText(fc.oneof(jsonObjectTree(NAMES), jsonTree(NAMES)));
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(9), async ({ tree, body }, more) => {
        const scan = scanJson(body, listing);
        const expected = tree.type === 'object' ? tree.members : [];
        assert.deepEqual(
          scan.members.map((member) => readMemberName(body, member)),
          expected.map(({ name }) => name),
        );
        let from = 0;
        for (const { start, nameEnd, valueStart, end } of scan.members) {
          const between = body.toString('utf8', from, start) + body.toString('utf8', nameEnd, valueStart);
          assert.match(between, /^\s*[{,]\s*:\s*$/);
          const text = body.toString('utf8', valueStart, end);
          assert.equal(text, text.trim());
          JSON.parse(text);
          from = end;
        }
        const options = { atOnceBytes: 0, sliceBytes: 1 + more, turn: async () => {} };
        assert.deepEqual(await scanJsonInTurns(body, listing, options), scan);
      }),
      { numRuns: RUNS },
    );
  });

  it('are 100,000 at most', () => {
    const body = (count: number) => Buffer.from(`{${'"a":1,'.repeat(count - 1)}"a":1}`);
    assert.equal(scanJson(body(100_000), listing).members.length, 100_000);
    assert.throws(
      () => scanJson(body(100_001), listing),
      (error) => error instanceof JsonScanError && error.reason === 'too_large',
    );
    assert.deepEqual(scanJson(body(100_001), compilePatterns([])).members, []);
  });
});

describe('editMembers', () => {
  const text = '{ "a" : 1 , "b": [2,"x"], "c" :{"d":3} }';
  const cases: [string, Parameters<typeof edited>[1], string][] = [
    ['nothing', {}, text],
    ['the first member removed', { removed: [0] }, '{  "b": [2,"x"], "c" :{"d":3} }'],
    ['one in the middle removed', { removed: [1] }, '{ "a" : 1 ,  "c" :{"d":3} }'],
    ['the last one removed', { removed: [2] }, '{ "a" : 1 , "b": [2,"x"] }'],
    ['the first and the last removed', { removed: [0, 2] }, '{  "b": [2,"x"] }'],
    ['the last two removed', { removed: [1, 2] }, '{ "a" : 1 }'],
    ['all removed', { removed: [0, 1, 2] }, '{  }'],
    ['one renamed', { renamed: { 1: 'é"' } }, '{ "a" : 1 , "é\\"": [2,"x"], "c" :{"d":3} }'],
    [
      'members added',
      {
        added: [
          ['e', null],
          ['"f', [1]],
        ],
      },
      '{ "a" : 1 , "b": [2,"x"], "c" :{"d":3},"e":null,"\\"f":[1] }',
    ],
    ['added behind a removed one', { removed: [2], added: [['e', 1]] }, '{ "a" : 1 , "b": [2,"x"],"e":1 }'],
    ['added where all are removed', { removed: [0, 1, 2], added: [['e', 1]] }, '{ "e":1 }'],
    ['other patches kept', { removed: [0], patched: [1, 2] }, '{  "b": [[2,"x"]], "c" :[{"d":3}] }'],
    ['other patches left out with their member', { removed: [0, 1, 2], patched: [0, 1, 2] }, '{  }'],
    [
      'all at once',
      { removed: [0], renamed: { 2: 'x' }, added: [['y', 0]], patched: [0, 1, 2] },
      '{  "b": [[2,"x"]], "x" :[{"d":3}],"y":0 }',
    ],
  ];
  for (const [what, edits, expected] of cases) {
    it(`${what}: changes no other byte`, () => assert.equal(edited(text, edits), expected));
  }

  it('adds to an object without members', () => {
    assert.equal(edited(' { }', { added: [['a', 1]] }), ' {"a":1 }');
  });

  it('gives what the same changes of a parsed list of members give', () => {
    const input = fc.record({
      object: jsonText(jsonObjectTree(NAMES)),
      choices: fc.array(fc.constantFrom('keep', 'keep', 'remove', 'rename', 'patch'), {
        minLength: 6,
        maxLength: 6,
      }),
      added: fc.array(fc.tuple(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(input, ({ object: { tree, body }, choices, added }) => {
        const where = (choice: string) =>
          tree.members.flatMap((_, index) => (choices[index] === choice ? [index] : []));
        const removed = [...where('remove'), ...(choices[5] === 'patch' ? where('patch') : [])];
        const patched = where('patch');
        const renamed = Object.fromEntries(where('rename').map((index) => [index, `new ${index}`]));
        const bytes = Buffer.from(edited(body.toString(), { removed, renamed, added, patched }));
        const { members } = scanJson(bytes, listing);
        const original = scanJson(body, listing).members;
        const expected = original.flatMap((member, index) => {
          if (removed.includes(index)) return [];
          const name = renamed[index] ?? readMemberName(body, member);
          const value = body.toString('utf8', member.valueStart, member.end);
          return [[name, patched.includes(index) ? `[${value}]` : value]];
        });
        const more = added.map(([name, value]) => [name, JSON.stringify(value)]);
        assert.deepEqual(
          members.map((member) => [
            readMemberName(bytes, member),
            bytes.toString('utf8', member.valueStart, member.end),
          ]),
          [...expected, ...more],
        );
      }),
      { numRuns: RUNS },
    );
  });
});
