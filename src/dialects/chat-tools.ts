/** What all tools have in common in the chat API. */
import { isRecord } from '../json/value.ts';
import { sha256Hex } from '../sha256.ts';

/** The longest name of a function. */
const NAME_CHARS = 64;
const HASH_CHARS = 8;
const EMPTY_SCHEMA = { type: 'object', properties: {} } as const;

/** A name with the characters and the length that the chat API takes (`^[a-zA-Z0-9_-]{1,64}$`). */
export function toChatName(name: string): string {
  const isAllowed = /^[\w-]+$/.test(name) && name.length <= NAME_CHARS;
  return isAllowed ? name : hashedName(name, name);
}

/** A name that no other has. @param hashed tells it from others of the same beginning */
export function hashedName(name: string, hashed: string): string {
  const begin = name.replaceAll(/[^\w-]/g, '_').slice(0, NAME_CHARS - HASH_CHARS - 1);
  return `${begin}_${sha256Hex(hashed).slice(0, HASH_CHARS)}`;
}

/** Some providers refuse a schema without a type, and an object schema without `properties`. */
export function objectSchema(schema: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(schema)) return EMPTY_SCHEMA;
  const { type, properties } = schema;
  const isObject = type === 'object' || Object.keys(schema).length === 0;
  return isObject && !isRecord(properties) ? { ...schema, ...EMPTY_SCHEMA } : schema;
}
