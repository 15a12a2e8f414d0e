import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';
import { type SampleHints, sampleNumber, sampleString } from './scalars.ts';
import { resolveSchema } from './schema-references.ts';

const MAX_DEPTH = 32;
const SOFT_DEPTH = 5;
const MAX_VALUES = 10_000;

interface Walk {
  readonly root: JsonObject;
  readonly hints: SampleHints;
  valuesLeft: number;
}

/**
 * Makes a value that satisfies a JSON Schema, the same one each time: types, required, enums, bounds, nesting,
 * references and combinations are kept; `pattern` is not. Strings and numbers are taken from the hints where
 * they fit. Below five levels only what is required appears, so that recursive schemas end
 * (JSON Schema 2020-12, the subset of OpenAI's structured outputs and more).
 */
export function sampleFor(schema: unknown, hints: SampleHints): unknown {
  const root = isRecord(schema) ? schema : {};
  return sample(root, '', { at: 0, walk: { root, hints, valuesLeft: MAX_VALUES } });
}

interface Place {
  readonly at: number;
  readonly walk: Walk;
}

function sample(schemaLike: unknown, name: string, place: Place): unknown {
  const { at, walk } = place;
  walk.valuesLeft -= 1;
  if (at > MAX_DEPTH || walk.valuesLeft < 0) return null;
  const schema = resolveSchema(schemaLike, walk.root);
  if (Object.hasOwn(schema, 'const')) return schema['const'];
  const choices = schema['enum'];
  if (Array.isArray(choices)) return chooseFrom(choices, walk.hints);
  for (const key of ['anyOf', 'oneOf'] as const) {
    const branches = schema[key];
    if (Array.isArray(branches)) {
      const branch = chooseBranch(branches, at, walk.root);
      return sample({ ...schema, [key]: undefined, ...resolveSchema(branch, walk.root) }, name, {
        at: at + 1,
        walk,
      });
    }
  }
  const inner = { at: at + 1, walk };
  switch (typeOf(schema, at)) {
    case 'object':
      return sampleObject(schema, inner);
    case 'array':
      return sampleArray(schema, name, inner);
    case 'integer':
    case 'number':
      return sampleNumber(schema, walk.hints);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return sampleString(schema, name, walk.hints);
  }
}

function sampleObject(schema: JsonObject, place: Place): JsonObject {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const wanted = Object.keys(properties).filter((name) => place.at <= SOFT_DEPTH || required.includes(name));
  const missing = required.filter((name) => typeof name === 'string' && !Object.hasOwn(properties, name));
  const extra = schema['additionalProperties'];
  // fromEntries defines own members, so that a property named __proto__ stays a plain member.
  return Object.fromEntries([
    ...wanted.map((name) => [name, sample(properties[name], name, place)]),
    ...missing.map((name) => [name, sample(extra, String(name), place)]),
  ]);
}

function sampleArray(schema: JsonObject, name: string, place: Place): unknown[] {
  const minItems = typeof schema['minItems'] === 'number' ? Math.max(0, schema['minItems']) : undefined;
  const maxItems = typeof schema['maxItems'] === 'number' ? schema['maxItems'] : Number.POSITIVE_INFINITY;
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const usual = place.at > SOFT_DEPTH ? 0 : Math.max(2, prefix.length);
  const length = Math.min(minItems ?? usual, maxItems, MAX_VALUES);
  const items: unknown[] = [];
  for (let index = 0; index < length && place.walk.valuesLeft > 0; index += 1) {
    const item = sample(prefix[index] ?? schema['items'], name, place);
    items.push(schema['uniqueItems'] === true ? makeUnique(item, index) : item);
  }
  return items;
}

function makeUnique(item: unknown, index: number): unknown {
  if (index === 0) return item;
  if (typeof item === 'number') return item + index;
  return typeof item === 'string' ? `${item} ${index + 1}` : item;
}

function chooseFrom(choices: readonly unknown[], hints: SampleHints): unknown {
  const text = hints.text.toLowerCase();
  const named = choices.find(
    (choice) => typeof choice === 'string' && choice !== '' && text.includes(choice.toLowerCase()),
  );
  return named ?? choices[0] ?? null;
}

function chooseBranch(branches: readonly unknown[], at: number, root: JsonObject): unknown {
  const isNull = (branch: unknown): boolean => resolveSchema(branch, root)['type'] === 'null';
  const preferred = branches.find((branch) => isNull(branch) === at > SOFT_DEPTH);
  return preferred ?? branches[0];
}

function typeOf(schema: JsonObject, at: number): unknown {
  const type = schema['type'];
  if (Array.isArray(type)) {
    return (
      (at > SOFT_DEPTH && type.includes('null') ? 'null' : type.find((word) => word !== 'null')) ?? 'null'
    );
  }
  if (type !== undefined) return type;
  if (isRecord(schema['properties']) || schema['required'] !== undefined) return 'object';
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array';
  return schema['minimum'] !== undefined || schema['maximum'] !== undefined ? 'number' : 'string';
}
