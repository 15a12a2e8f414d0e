import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';

const MAX_HOPS = 32;

/**
 * Follows a subschema's `$ref`s inside the document and folds its `allOf` into it, so that what is left can be
 * read member by member. What leads nowhere, or in circles, counts as the schema that allows everything.
 */
export function resolveSchema(schemaLike: unknown, root: JsonObject): JsonObject {
  return resolveWithin(schemaLike, root, MAX_HOPS);
}

function resolveWithin(schemaLike: unknown, root: JsonObject, hopsLeft: number): JsonObject {
  if (!isRecord(schemaLike) || hopsLeft <= 0) return {};
  const { $ref: reference, allOf: parts, ...own } = schemaLike;
  let schema: JsonObject = own;
  if (typeof reference === 'string') {
    schema = { ...resolveWithin(pointedAt(reference, root), root, hopsLeft - 1), ...own };
  }
  if (!Array.isArray(parts)) return schema;
  // Each part spends its share of the hops: a schema whose allOf names itself many times must end soon.
  const share = Math.floor((hopsLeft - 1) / Math.max(1, parts.length));
  return parts.reduce<JsonObject>((merged, part) => merge(merged, resolveWithin(part, root, share)), schema);
}

/** Finds the subschema that a fragment such as `#/$defs/node` names (RFC 6901); anything else gives nothing. */
function pointedAt(reference: string, root: JsonObject): unknown {
  let target: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    target = isRecord(target) && Object.hasOwn(target, name) ? target[name] : undefined;
  }
  return target;
}

function merge(first: JsonObject, second: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...first, ...second };
  if (isRecord(first['properties']) && isRecord(second['properties'])) {
    merged['properties'] = { ...first['properties'], ...second['properties'] };
  }
  if (Array.isArray(first['required']) && Array.isArray(second['required'])) {
    merged['required'] = [...new Set([...first['required'], ...second['required']])];
  }
  return merged;
}
