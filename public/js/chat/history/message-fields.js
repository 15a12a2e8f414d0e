/** What answers have beside their text, checked: imported files may come from anywhere. Has no DOM. */

/** @typedef {import('./types.js').Message} Message */
/** @typedef {Record<string, unknown>} Fields */

const MAX_TEXT_LENGTH = 4_000_000;
const MAX_SHORT_LENGTH = 3000;
const MAX_LIST = 128;

/** @param {unknown} value @returns {Message['usage']} */
export function toUsage(value) {
  const fields = toFields(value);
  if (fields === null) return null;
  const { promptTokens, completionTokens, cachedTokens } = fields;
  return {
    promptTokens: toCount(promptTokens),
    completionTokens: toCount(completionTokens),
    cachedTokens: toCount(cachedTokens),
  };
}

/** @param {unknown} value @returns {Message['error']} */
export function toError(value) {
  const fields = toFields(value);
  const message = toText(fields?.['message']);
  return message === '' ? null : { message, detail: toText(fields?.['detail']).slice(0, MAX_SHORT_LENGTH) };
}

/**
 * The fields that only some answers have.
 * @param {Fields} fields
 * @returns {Pick<Message, 'reasoningMs' | 'sources' | 'toolCalls' | 'note' | 'isPlain'>}
 */
export function toExtras({ reasoningMs, sources, toolCalls, note, isPlain }) {
  const links = toList(sources).flatMap(toSource);
  const calls = toList(toolCalls).flatMap(toToolCall);
  return {
    ...(toCount(reasoningMs) === null ? {} : { reasoningMs: toCount(reasoningMs) }),
    ...(links.length === 0 ? {} : { sources: links }),
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
    ...(toText(note) === '' ? {} : { note: toText(note).slice(0, MAX_SHORT_LENGTH) }),
    ...(isPlain === true ? { isPlain } : {}),
  };
}

/**
 * A source of an answer, with an address of http or https only.
 * @param {unknown} value
 * @returns {import('./types.js').Source[]} none or one
 */
export function toSource(value) {
  const fields = toFields(value);
  const url = toText(fields?.['url']);
  if (!URL.canParse(url)) return [];
  const { href, protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return [];
  return [{ url: href, title: toText(fields?.['title']).trim().slice(0, 200) || hostname }];
}

/** @param {unknown} value @returns {import('./types.js').ToolCall[]} none or one */
function toToolCall(value) {
  const fields = toFields(value);
  if (fields === null) return [];
  return [{ id: toText(fields['id']), name: toText(fields['name']), arguments: toText(fields['arguments']) }];
}

/** @param {unknown} value @returns {Fields | null} */
function toFields(value) {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isFields ? /** @type {Fields} */ (value) : null;
}

/** @param {unknown} value @returns {unknown[]} */
function toList(value) {
  return Array.isArray(value) ? value.slice(0, MAX_LIST) : [];
}

/** @param {unknown} value */
function toText(value) {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : '';
}

/** @param {unknown} value */
function toCount(value) {
  return typeof value === 'number' && value >= 0 && value < 1e15 ? value : null;
}
