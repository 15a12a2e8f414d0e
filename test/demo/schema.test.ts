import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/demo/fields.ts';
import { sampleFor } from '../../src/demo/schema.ts';
import { isRecord } from '../../src/json/value.ts';

/** A second opinion on the part of JSON Schema that the random schemas below use. */
function satisfies(value: unknown, schema: JsonObject): boolean {
  const anyOf = schema['anyOf'];
  if (Array.isArray(anyOf)) return anyOf.some((branch) => satisfies(value, branch as JsonObject));
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value);
  switch (schema['type']) {
    case 'object': {
      const properties = schema['properties'] as Record<string, JsonObject>;
      const names = isRecord(value) ? Object.keys(value) : [];
      return (
        isRecord(value) &&
        (schema['required'] as string[]).every((name) => Object.hasOwn(value, name)) &&
        names.every(
          (name) => Object.hasOwn(properties, name) && satisfies(value[name], properties[name] ?? {}),
        )
      );
    }
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= Number(schema['minItems'] ?? 0) &&
        value.length <= Number(schema['maxItems'] ?? Number.POSITIVE_INFINITY) &&
        value.every((item) => satisfies(item, schema['items'] as JsonObject))
      );
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' &&
        (schema['type'] === 'number' || Number.isInteger(value)) &&
        value >= Number(schema['minimum'] ?? Number.NEGATIVE_INFINITY) &&
        value <= Number(schema['maximum'] ?? Number.POSITIVE_INFINITY)
      );
    case 'string':
      return (
        typeof value === 'string' &&
        [...value].length >= Number(schema['minLength'] ?? 0) &&
        [...value].length <= Number(schema['maxLength'] ?? Number.POSITIVE_INFINITY)
      );
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return value === null;
  }
}

const range = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);

const schemas = fc.letrec<{ any: JsonObject; object: JsonObject }>((tie) => ({
  object: fc
    .dictionary(fc.string({ maxLength: 8 }), tie('any'), { maxKeys: 4 })
    .chain((properties) =>
      fc
        .subarray(Object.keys(properties))
        .map((required) => ({ type: 'object', properties, required, additionalProperties: false })),
    ),
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonObject>(
      { type: 'boolean' },
      { type: 'null' },
      { type: 'string' },
      { type: 'number' },
    ),
    range(-50, 50).map(([minimum, maximum]) => ({ type: 'integer', minimum, maximum })),
    range(-50, 50).map(([minimum, maximum]) => ({ type: 'number', minimum, maximum })),
    range(0, 40).map(([minLength, maxLength]) => ({ type: 'string', minLength, maxLength })),
    fc
      .array(fc.string(), { minLength: 1, maxLength: 4 })
      .map((choices) => ({ type: 'string', enum: choices })),
    tie('object'),
    fc
      .tuple(tie('any'), range(0, 4))
      .map(([items, [minItems, maxItems]]) => ({ type: 'array', items, minItems, maxItems })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  ),
}));

describe('sampleFor()', () => {
  const runs = process.env['IPIN_LONG'] === '1' ? 20_000 : 500;

  test('makes a value that satisfies any schema', () => {
    fc.assert(
      fc.property(schemas.object, fc.string(), (schema, text) => {
        const value: unknown = JSON.parse(JSON.stringify(sampleFor(schema, { text })));
        assert.ok(satisfies(value, schema), JSON.stringify({ schema, value }));
      }),
      { numRuns: runs },
    );
  });

  test('survives whatever stands in place of a schema', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (schema) => {
        JSON.stringify(sampleFor(schema, { text: 'anything' }));
      }),
      { numRuns: runs },
    );
  });

  const hints = { text: 'Book 2 seats to Oslo, window please' };
  for (const [name, schema, expected] of [
    ['a constant', { const: { a: 1 } }, { a: 1 }],
    ['an enum of which the text names one', { enum: ['aisle', 'window'] }, 'window'],
    ['a number of the text', { type: 'integer', minimum: 1 }, 2],
    ['a multiple', { type: 'number', minimum: 7, multipleOf: 5 }, 10],
    ['exclusive bounds', { type: 'integer', exclusiveMinimum: 2, exclusiveMaximum: 4 }, 3],
    ['a phrase of the text', { type: 'string' }, 'Oslo'],
    ['a format', { type: 'string', format: 'date' }, '2026-01-31'],
    ['a nullable type', { type: ['null', 'boolean'] }, true],
    ['a type that only its properties tell', { properties: { a: { type: 'null' } } }, { a: null }],
    ['a required name without a property', { type: 'object', required: ['a'] }, { a: 'Oslo' }],
    ['a tuple', { prefixItems: [{ type: 'boolean' }, { type: 'null' }] }, [true, null]],
    ['items that differ', { type: 'array', items: { type: 'integer' }, uniqueItems: true }, [2, 3]],
    [
      'a union with null',
      { anyOf: [{ type: 'null' }, { type: 'object', properties: { a: { type: 'boolean' } } }] },
      { a: true },
    ],
    [
      'parts that hold together',
      {
        allOf: [
          { properties: { a: { type: 'boolean' } }, required: ['a'] },
          { properties: { b: { type: 'null' } }, required: ['b'] },
        ],
      },
      { a: true, b: null },
    ],
    [
      'a reference, its name escaped',
      { $defs: { 'a/b': { type: 'boolean' } }, properties: { x: { $ref: '#/$defs/a~1b' } } },
      { x: true },
    ],
    ['a reference to nothing', { $ref: '#/constructor' }, 'Oslo'],
    ['a reference in circles', { $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, 'Oslo'],
  ] as const) {
    test(`keeps to ${name}`, () => {
      assert.deepEqual(sampleFor(schema, hints), expected);
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
    const sample = sampleFor(node, hints);
    assert.ok(isRecord(sample) && sample['value'] === 'Oslo' && Array.isArray(sample['children']));
    assert.ok(JSON.stringify(sample).length < 100_000);
  });

  test('ends soon on schemas that are built to grow', () => {
    const self = { $ref: '#' };
    for (const schema of [
      { allOf: [self, self, self, self] },
      { anyOf: [self, self] },
      { type: 'array', items: self, minItems: 1_000_000 },
      { type: 'string', minLength: 1e9 },
      { properties: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, self])) },
    ]) {
      assert.ok((JSON.stringify(sampleFor(schema, hints)) ?? '').length < 10_000_000);
    }
  });

  test('makes plain members of dangerous names', () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"boolean"},"constructor":{"type":"null"}}}',
    );
    assert.equal(JSON.stringify(sampleFor(schema, hints)), '{"__proto__":true,"constructor":null}');
  });
});
