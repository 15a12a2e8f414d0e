import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';

const MAX_DEPTH = 16;
const MAX_TEXT_LENGTH = 1000;
const MAX_ITEMS = 10;
/** Arrays deeper than this have one item, so nested arrays cannot grow without limit. */
const MAX_DEPTH_OF_LISTS = 1;

/**
 * Makes a value for a JSON Schema, always the same one: the outermost object has every property, inner objects have
 * the required ones. Strings, numbers and enum values are taken from the text where they fit. Other keywords of JSON
 * Schema 2020-12, such as `$ref`, `anyOf` and bounds, are ignored.
 */
export function sampleOf(schema: unknown, text: string): unknown {
  return sample(schema, 0, text.slice(0, MAX_TEXT_LENGTH));
}

function sample(schema: unknown, depth: number, text: string): unknown {
  if (!isRecord(schema) || depth > MAX_DEPTH) return null;
  if (Array.isArray(schema['enum'])) return chosenFrom(schema['enum'], text);
  switch ([schema['type']].flat()[0]) {
    case 'object':
      return sampleObject(schema, depth, text);
    case 'array':
      return Array.from({ length: lengthOf(schema, depth) }, () => sample(schema['items'], depth + 1, text));
    case 'integer':
    case 'number':
      return Number(/-?\d{1,15}/.exec(text)?.[0] ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return phraseOf(text);
  }
}

function sampleObject(schema: JsonObject, depth: number, text: string): JsonObject {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = [schema['required'] ?? []].flat();
  const wanted = Object.entries(properties).filter(([name]) => depth === 0 || required.includes(name));
  // fromEntries defines own members, so a property named __proto__ stays a plain member.
  return Object.fromEntries(wanted.map(([name, property]) => [name, sample(property, depth + 1, text)]));
}

function lengthOf({ minItems }: JsonObject, depth: number): number {
  return typeof minItems === 'number' && depth <= MAX_DEPTH_OF_LISTS ? Math.min(minItems, MAX_ITEMS) : 1;
}

function chosenFrom(choices: readonly unknown[], text: string): unknown {
  const lower = text.toLowerCase();
  const isNamed = (choice: unknown): boolean =>
    typeof choice === 'string' && choice !== '' && lower.includes(choice.toLowerCase());
  return choices.find(isNamed) ?? choices[0] ?? null;
}

/** The words after "in", "for", "of" and the like, else the start of the text. */
function phraseOf(text: string): string {
  const after = /\b(?:in|for|of|at|to|about|named)\s+([^?.!,;\n]{1,80})/i.exec(text)?.[1];
  return (after ?? text.slice(0, 80)).trim() || 'demo';
}
