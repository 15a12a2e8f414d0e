import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sampleOf } from '../../src/demo/schema-sample.ts';

describe('sampleOf()', () => {
  test('survives whatever stands in place of a schema', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (schema) => {
        JSON.stringify(sampleOf(schema, 'anything'));
      }),
      { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 500 },
    );
  });

  const text = 'Book 2 seats to Oslo, window please';
  for (const [name, schema, expected] of [
    ['a constant', { const: { a: 1 } }, { a: 1 }],
    ['an enum of which the text names one', { enum: ['aisle', 'window'] }, 'window'],
    ['a number of the text', { type: 'integer', minimum: 1 }, 2],
    ['bounds', { type: 'integer', minimum: 7, maximum: 9 }, 7],
    ['a phrase of the text', { type: 'string' }, 'Oslo'],
    ['the number of items', { type: 'array', items: { type: 'boolean' }, minItems: 2 }, [true, true]],
    [
      'required members of inner objects',
      {
        type: 'object',
        properties: { a: { type: 'object', properties: { b: {}, c: { const: 1 } }, required: ['c'] } },
      },
      { a: { c: 1 } },
    ],
    [
      'a reference',
      { $defs: { a: { type: 'boolean' } }, type: 'object', properties: { x: { $ref: '#/$defs/a' } } },
      { x: true },
    ],
    ['a reference to nothing', { $ref: '#/constructor' }, null],
    ['a reference in circles', { $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, null],
  ] as const) {
    test(`keeps to ${name}`, () => {
      assert.deepEqual(sampleOf(schema, text), expected);
    });
  }

  test('ends a schema that holds itself', () => {
    const node = {
      type: 'object',
      properties: {
        value: { type: 'string' },
        next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
        children: { type: 'array', items: { $ref: '#' } },
      },
      required: ['value', 'next', 'children'],
    };
    assert.ok(JSON.stringify(sampleOf(node, text)).length < 100_000);
  });

  test('ends soon on schemas that are built to grow', () => {
    const self = { $ref: '#' };
    const names = Array.from({ length: 100 }, (_, index) => `p${index}`);
    for (const schema of [
      { anyOf: [self, self] },
      { type: 'array', items: self, minItems: 1_000_000 },
      { type: 'object', properties: Object.fromEntries(names.map((name) => [name, self])), required: names },
    ]) {
      assert.ok(JSON.stringify(sampleOf(schema, text)).length < 1_000_000);
    }
  });

  test('makes plain members of dangerous names', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"boolean"},"constructor":{"type":"null"}}}',
    );
    assert.equal(JSON.stringify(sampleOf(schema, text)), '{"__proto__":true,"constructor":null}');
  });
});
