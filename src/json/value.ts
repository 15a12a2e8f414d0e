/**
 * Parses JSON; undefined if the text is not JSON.
 * @example parseJson('{"a":1}') // { a: 1 }; parseJson('{') // undefined
 */
export function parseJson(text: Buffer | string): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : text.toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * True for a JSON object, false for an array or null.
 * @example isRecord({}) // true; isRecord([]) and isRecord(null) // false
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
