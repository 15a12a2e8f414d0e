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
    ['an enum of which the text names one', { enum: ['aisle', 'window'] }, 'window'],
    ['a number of the text', { type: 'integer' }, 2],
    ['a phrase of the text', { type: 'string' }, 'Oslo'],
    ['the number of items', { type: 'array', items: { type: 'boolean' }, minItems: 2 }, [true, true]],
    [
      'required members of inner objects',
      {
        type: 'object',
        properties: { a: { type: 'object', properties: { b: {}, c: { enum: [1] } }, required: ['c'] } },
      },
      { a: { c: 1 } },
    ],
  ] as const) {
    test(`keeps to ${name}`, () => {
      assert.deepEqual(sampleOf(schema, text), expected);
    });
  }

  test('ends soon on a schema that is built to grow', () => {
    let schema: object = { type: 'string' };
    for (let depth = 0; depth < 15; depth += 1)
      schema = { type: 'array', items: schema, minItems: 1_000_000 };
    assert.ok(JSON.stringify(sampleOf(schema, text)).length < 1_000_000);
  });

  test('makes plain members of dangerous names', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"boolean"},"constructor":{"type":"null"}}}',
    );
    assert.equal(JSON.stringify(sampleOf(schema, text)), '{"__proto__":true,"constructor":null}');
  });
});
