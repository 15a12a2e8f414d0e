import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';

const MAX_DEPTH = 16;
const MAX_VALUES = 1000;
const MAX_TEXT_LENGTH = 1000;

/**
 * Makes a value for a JSON Schema, always the same one: the outermost object has every property, inner objects have
 * the required ones. Strings, numbers and words of an enum are taken from the text where they fit. Local references
 * are followed; `pattern`, `format`, lengths, multiples and `allOf` are not kept (JSON Schema 2020-12).
 */
export function sampleOf(schema: unknown, text: string): unknown {
  const start = text.slice(0, MAX_TEXT_LENGTH);
  return sample(schema, 0, { root: schema, text: start, phrase: phraseOf(start), valuesLeft: MAX_VALUES });
}

interface Walk {
  readonly root: unknown;
  readonly text: string;
  /** What the text is about. */
  readonly phrase: string;
  /** Ends schemas that are built to grow. */
  valuesLeft: number;
}

function sample(schema: unknown, depth: number, walk: Walk): unknown {
  walk.valuesLeft -= 1;
  if (!isRecord(schema) || depth > MAX_DEPTH || walk.valuesLeft < 0) return null;
  if (Object.hasOwn(schema, 'const')) return schema['const'];
  if (Array.isArray(schema['enum'])) return chosenFrom(schema['enum'], walk.text);
  if (typeof schema['$ref'] === 'string')
    return sample(pointedAt(schema['$ref'], walk.root), depth + 1, walk);
  const branches = schema['anyOf'] ?? schema['oneOf'];
  // The last branch of an optional member is usually null, which ends a schema that contains itself.
  if (Array.isArray(branches)) return sample(branches.at(depth > 2 ? -1 : 0), depth + 1, walk);
  switch ([schema['type']].flat()[0]) {
    case 'object':
      return sampleObject(schema, depth, walk);
    case 'array': {
      const length = Math.min(numberOr(schema['minItems'], 1), Math.max(0, walk.valuesLeft));
      return Array.from({ length }, () => sample(schema['items'], depth + 1, walk));
    }
    case 'integer':
    case 'number':
      return sampleNumber(schema, walk.text);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return walk.phrase;
  }
}

function sampleObject(schema: JsonObject, depth: number, walk: Walk): JsonObject {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = [schema['required'] ?? []].flat();
  const wanted = Object.entries(properties).filter(([name]) => depth === 0 || required.includes(name));
  // fromEntries defines own members, so a property named __proto__ stays a plain member.
  return Object.fromEntries(wanted.map(([name, property]) => [name, sample(property, depth + 1, walk)]));
}

/** The first number of the text within the bounds, else one of the bounds. */
function sampleNumber(schema: JsonObject, text: string): number {
  const low = numberOr(schema['minimum'], -Infinity);
  const high = numberOr(schema['maximum'], Infinity);
  const mentioned = (text.match(/-?\d+/g) ?? []).map(Number);
  return (
    [...mentioned, 1, low].find((value) => value >= low && value <= high && Number.isFinite(value)) ?? high
  );
}

function chosenFrom(choices: readonly unknown[], text: string): unknown {
  const lower = text.toLowerCase();
  const isNamed = (choice: unknown): boolean =>
    typeof choice === 'string' && choice !== '' && lower.includes(choice.toLowerCase());
  return choices.find(isNamed) ?? choices[0] ?? null;
}

/** Finds the subschema that a reference such as `#/$defs/node` names (RFC 6901). */
function pointedAt(reference: string, root: unknown): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce((at, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : null), root);
}

/** The words after "in", "for", "of" and the like, else the start of the text. */
function phraseOf(text: string): string {
  const after = /\b(?:in|for|of|at|to|about|named)\s+([^?.!,;\n]{1,80})/i.exec(text)?.[1];
  return (after ?? text.slice(0, 80)).trim() || 'demo';
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
