import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMemberName } from '../../src/json/matches.ts';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { type Patch, splice } from '../../src/json/splice.ts';
import { withModelOptions } from '../../src/protocols/model-options.ts';
import type { ModelOptions } from '../../src/store/entities.ts';
import { type JsonTree, jsonText, jsonTree } from '../helpers/json-text.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 15_000 : 1_500;
const patterns = compilePatterns(['model'], [], { listsMembers: true });

function bodyOf(text: string | Buffer, patches: readonly Patch[] = []) {
  const bytes = Buffer.from(text);
  return { bytes, scan: scanJson(bytes, patterns), patches };
}

/** The body as it goes to a model with these options. */
function sent(text: string | Buffer, options: ModelOptions): string {
  const body = bodyOf(text);
  return Buffer.concat(splice(body.bytes, withModelOptions(body, options))).toString();
}

describe('withModelOptions', () => {
  const cases: [what: string, options: ModelOptions, before: string, after: string][] = [
    ['rename', { rename: { a: 'b' } }, '{"a":1,"c":2}', '{"b":1,"c":2}'],
    ['rename onto a field that is there', { rename: { a: 'b' } }, '{"a":1, "b":2}', '{ "b":2}'],
    ['rename onto null', { rename: { a: 'b' } }, '{"b":null,"a":1}', '{"b":null}'],
    ['rename of null', { rename: { a: 'b' } }, '{"a":null}', '{"b":null}'],
    ['rename to itself', { rename: { a: 'a' } }, '{"a":1}', '{"a":1}'],
    ['renames one after the other', { rename: { a: 'b', b: 'c' } }, '{"a":1}', '{"c":1}'],
    ['two renames to one name', { rename: { a: 'c', b: 'c' } }, '{"b":2,"a":1}', '{"c":1}'],
    ['rename of an escaped name', { rename: { ab: 'é' } }, '{"\\u0061b" : 1}', '{"é" : 1}'],
    ['rename of a repeated name', { rename: { a: 'b' } }, '{"a":1,"a":2}', '{"b":1,"b":2}'],
    [
      'names in other letter case are other names',
      { rename: { a: 'b' }, drop: ['c'] },
      '{"A":1,"C":2}',
      '{"A":1,"C":2}',
    ],
    ['drop', { drop: ['a'] }, '{"a":[1,{"a":2}],"model":"m"}', '{"model":"m"}'],
    ['drop of a repeated name', { drop: ['a'] }, '{"a":1,"model":"m","\\u0061":2}', '{"model":"m"}'],
    ['drop of the new name', { rename: { a: 'b' }, drop: ['b'] }, '{"a":1,"model":"m"}', '{"model":"m"}'],
    [
      'drop of the old name',
      { rename: { a: 'b' }, drop: ['a'] },
      '{"a":1,"model":"m"}',
      '{"b":1,"model":"m"}',
    ],
    [
      'fields of other objects stay',
      { drop: ['a'], rename: { b: 'c' } },
      '{"x":{"a":1,"b":2}}',
      '{"x":{"a":1,"b":2}}',
    ],
    ['default', { defaults: { a: { b: [1] } } }, '{"model":"m"}', '{"model":"m","a":{"b":[1]}}'],
    ['default for null', { defaults: { a: 1 } }, '{"a":null}', '{"a":null}'],
    [
      'default for a dropped field',
      { drop: ['a'], defaults: { a: 1 } },
      '{"model":"m","a":5}',
      '{"model":"m","a":1}',
    ],
    [
      'default for a renamed field',
      { rename: { a: 'b' }, defaults: { a: 1, b: 2 } },
      '{"a":5}',
      '{"b":5,"a":1}',
    ],
    [
      'no reasoning effort',
      { reasoningEffort: false },
      '{"reasoning_effort":"low","model":"m"}',
      '{"model":"m"}',
    ],
    [
      'reasoning effort',
      { reasoningEffort: true },
      '{"reasoning_effort":"low"}',
      '{"reasoning_effort":"low"}',
    ],
    [
      'tokens field',
      { maxTokensField: 'max_completion_tokens' },
      '{"max\\u005ftokens":5}',
      '{"max_completion_tokens":5}',
    ],
    [
      'the other tokens field',
      { maxTokensField: 'max_tokens' },
      '{"max_completion_tokens":5}',
      '{"max_tokens":5}',
    ],
    [
      'both tokens fields',
      { maxTokensField: 'max_tokens' },
      '{"max_completion_tokens":5,"max_tokens":6}',
      '{"max_tokens":6}',
    ],
    [
      'tokens field with null',
      { maxTokensField: 'max_tokens' },
      '{"max_tokens":null,"max_completion_tokens":5}',
      '{"max_tokens":null}',
    ],
    [
      'tokens field after a rename',
      { rename: { limit: 'max_tokens' }, maxTokensField: 'max_completion_tokens' },
      '{"limit":5}',
      '{"max_completion_tokens":5}',
    ],
    [
      'default in the field that is taken',
      { maxTokensField: 'max_completion_tokens', defaults: { max_tokens: 9 } },
      '{"a":1}',
      '{"a":1,"max_completion_tokens":9}',
    ],
    [
      'default for the other tokens field',
      { maxTokensField: 'max_completion_tokens', defaults: { max_tokens: 9 } },
      '{"max_tokens":3}',
      '{"max_completion_tokens":3}',
    ],
    [
      'defaults for both tokens fields',
      { maxTokensField: 'max_tokens', defaults: { max_completion_tokens: 8, max_tokens: 9 } },
      '{"a":1}',
      '{"a":1,"max_tokens":9}',
    ],
    [
      'limit',
      { maxOutputTokens: 100 },
      '{"max_tokens":101,"max_completion_tokens":100}',
      '{"max_tokens":100,"max_completion_tokens":100}',
    ],
    [
      'limit of the Responses API',
      { maxOutputTokens: 100 },
      '{"max_output_tokens": 1e9 }',
      '{"max_output_tokens": 100 }',
    ],
    [
      'limit in the field that is taken',
      { maxOutputTokens: 7, maxTokensField: 'max_completion_tokens' },
      '{"max_tokens":8}',
      '{"max_completion_tokens":7}',
    ],
    [
      'limit of a default',
      { maxOutputTokens: 7, defaults: { max_tokens: 8 } },
      '{"a":1}',
      '{"a":1,"max_tokens":7}',
    ],
    [
      'limit where none is sent',
      { maxOutputTokens: 7 },
      '{"max_tokens":null,"n":8}',
      '{"max_tokens":null,"n":8}',
    ],
    [
      'limit of what is no number',
      { maxOutputTokens: 7 },
      '{"max_tokens":"9","max_output_tokens":[9]}',
      '{"max_tokens":"9","max_output_tokens":[9]}',
    ],
    [
      'limit of numbers of any form',
      { maxOutputTokens: 7 },
      '{"max_tokens":1E400,"max_completion_tokens":-9,"max_output_tokens":7.5}',
      '{"max_tokens":7,"max_completion_tokens":-9,"max_output_tokens":7}',
    ],
    [
      'what translations need',
      { pdf: false, reasoningContent: false },
      '{"reasoning_content":1}',
      '{"reasoning_content":1}',
    ],
    [
      'names like those of every object',
      { rename: { constructor: 'toString' }, drop: ['__proto__'] },
      '{"constructor":1,"__proto__":2}',
      '{"toString":1}',
    ],
  ];
  for (const [what, options, before, after] of cases) {
    it(what, () => assert.equal(sent(before, options), after));
  }

  it('returns the same patches for a model without options', () => {
    const body = bodyOf('{"model":"m","reasoning_effort":"low"}');
    for (const options of [{}, { pdf: false, reasoningContent: true, reasoningEffort: true }] as const)
      assert.equal(withModelOptions(body, options), body.patches);
  });

  it('joins with other patches, and leaves out those of a dropped field', () => {
    const text = '{"model":"m","encoding_format":"base64","stop":1}';
    const value = (name: string, bytes: string) => {
      const start = text.indexOf(':', text.indexOf(name)) + 1;
      return {
        start,
        end: start + (/^("[^"]*"|\d+)/.exec(text.slice(start))?.[0].length ?? 0),
        bytes: Buffer.from(bytes),
      };
    };
    const body = bodyOf(text, [value('model', '"up"'), value('encoding_format', '"float"')]);
    const changed = (options: ModelOptions) =>
      Buffer.concat(splice(body.bytes, withModelOptions(body, options))).toString();
    assert.equal(changed({ rename: { encoding_format: 'x' } }), '{"model":"up","x":"float","stop":1}');
    assert.equal(changed({ drop: ['encoding_format'] }), '{"model":"up","stop":1}');
    assert.equal(changed({ drop: ['encoding_format', 'stop'], defaults: { n: 1 } }), '{"model":"up","n":1}');
  });

  it('keeps the bytes of everything else, in a body of 20 MB too, in time that grows with the members only', () => {
    const content = 'x\\u0041"'.slice(0, 7).repeat(3_000_000);
    const text = `{ "messages" : [{"content":"${content}"}] , "top_k":1,\n"max_tokens":5}`;
    const body = bodyOf(text);
    const patches = withModelOptions(body, {
      drop: ['top_k'],
      rename: { max_tokens: 'n' },
      defaults: { a: 1 },
    });
    const pieces = splice(body.bytes, patches);
    assert.equal(pieces[0]?.buffer, body.bytes.buffer);
    assert.equal(
      Buffer.concat(pieces).toString(),
      text.replace('"top_k":1,', '').replace('"max_tokens":5', '"n":5,"a":1'),
    );
  });

  it('takes a body full of repeated and long names', () => {
    const names = `"a":1,"\\u0061":2,"${'n'.repeat(100_000)}":3,`;
    const many = `{${'"a":1,"b":2,'.repeat(40_000)}${names}"model":"m"}`;
    const options = { rename: { a: 'b' }, drop: ['b'], defaults: { c: 1 } };
    assert.equal(sent(many, options), `{"${'n'.repeat(100_000)}":3,"model":"m","c":1}`);
  });
});

const FIELDS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'reasoning_effort',
  'a',
  'b',
  'é"',
  '__proto__',
];
const field = fc.constantFrom(...FIELDS);
const jsonValue = fc.jsonValue({ maxDepth: 1 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

const optionsArbitrary: fc.Arbitrary<ModelOptions> = fc.record(
  {
    maxOutputTokens: fc.integer({ min: 1, max: 2000 }),
    maxTokensField: fc.constantFrom('max_tokens' as const, 'max_completion_tokens' as const),
    reasoningEffort: fc.boolean(),
    pdf: fc.boolean(),
    defaults: fc.dictionary(field, fc.oneof(jsonValue, fc.nat(4000)), { noNullPrototype: true }),
    drop: fc.array(field, { maxLength: 3 }),
    rename: fc.dictionary(field, field, { maxKeys: 3, noNullPrototype: true }),
  },
  { requiredKeys: [] },
);

/** Objects whose fields are mostly those of the options. */
const objectArbitrary = jsonText(
  fc
    .array(
      fc.tuple(
        field,
        fc.boolean(),
        fc.oneof(
          jsonTree(FIELDS),
          fc.nat(4000).map((n): JsonTree => ({ type: 'raw', text: `${n}` })),
        ),
      ),
      { maxLength: 6 },
    )
    .map((members) => ({
      type: 'object' as const,
      members: members.map(([name, isEscaped, value]) => ({
        name,
        rawName: isEscaped
          ? `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(name.slice(1)).slice(1)}`
          : JSON.stringify(name),
        value,
      })),
    })),
);

/** The rules, on the fields of a parsed body. */
function expectedFields(fields: Map<string, unknown>, options: ModelOptions): Map<string, unknown> {
  const rename = (from: string, to: string): void => {
    if (!fields.has(from) || from === to) return;
    if (!fields.has(to)) fields.set(to, fields.get(from));
    fields.delete(from);
  };
  const taken = options.maxTokensField;
  const other = taken === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  for (const [from, to] of Object.entries(options.rename ?? {})) rename(from, to);
  if (taken !== undefined) rename(other, taken);
  for (const name of options.drop ?? []) fields.delete(name);
  if (options.reasoningEffort === false) fields.delete('reasoning_effort');
  const defaults = new Map(
    Object.entries(options.defaults ?? {}).map(([name, value]) => [name, readValue(JSON.stringify(value))]),
  );
  if (taken !== undefined && defaults.has(other)) {
    if (!defaults.has(taken)) defaults.set(taken, defaults.get(other));
    defaults.delete(other);
  }
  for (const [name, value] of defaults) if (!fields.has(name)) fields.set(name, value);
  for (const name of ['max_tokens', 'max_completion_tokens', 'max_output_tokens']) {
    const value = fields.get(name);
    if (typeof value === 'number' && value > (options.maxOutputTokens ?? Infinity))
      fields.set(name, options.maxOutputTokens);
  }
  return fields;
}

/** A number, or the text of any other value: `JSON.parse` of Node 24.21 mixes up escaped and repeated names. */
function readValue(text: string): unknown {
  return /^[-\d]/.test(text) ? Number(text) : text;
}

function fieldsOf(text: string): Map<string, unknown> {
  const bytes = Buffer.from(text);
  const { members } = scanJson(bytes, patterns);
  return new Map(
    members.map((member) => [
      readMemberName(bytes, member),
      readValue(bytes.toString('utf8', member.valueStart, member.end)),
    ]),
  );
}

describe('withModelOptions against the rules on parsed objects', () => {
  it('sends what the rules say', () => {
    fc.assert(
      fc.property(objectArbitrary, optionsArbitrary, ({ body }, options) => {
        assert.deepEqual(fieldsOf(sent(body, options)), expectedFields(fieldsOf(body.toString()), options));
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps the bytes of a field that no option names', () => {
    const object = fc.tuple(objectArbitrary, jsonText(jsonTree(FIELDS)), fc.nat(6));
    fc.assert(
      fc.property(object, optionsArbitrary, ([{ body }, value, where], options) => {
        const { members } = bodyOf(body).scan;
        const at = members[where]?.start ?? members.at(-1)?.start;
        if (at === undefined) return;
        const kept = `"kept" : ${value.body.toString().trim()}`;
        const after = sent(`${body.subarray(0, at)}${kept} ,${body.subarray(at)}`, options);
        const { bytes, scan } = bodyOf(after);
        const texts = scan.members.map(({ start, end }) => bytes.toString('utf8', start, end));
        assert.equal(texts.filter((text) => text === kept).length, 1);
      }),
      { numRuns: RUNS },
    );
  });
});
