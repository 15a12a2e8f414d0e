/** Checks imported files: they may come from anywhere, so that nothing of them is taken that is not known and bounded. */
import { HistoryError } from './history-error.js';
import { toError, toExtras, toUsage } from './message-fields.js';
import { tidyTitle } from './records.js';

/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Preset} Preset */
/** @typedef {{ chat: Chat, messages: Message[] }} WholeChat */
/** @typedef {Record<string, unknown>} Fields */
/** @typedef {{ skipped: number, ids: Set<string> }} Counter */

export const FORMAT = 'ipin-chat-history';
export const VERSION = 1;

const MAX_CHATS = 20_000;
const MAX_PRESETS = 1000;
const MAX_MESSAGES = 10_000;
const MAX_ATTACHMENTS = 50;
const MAX_TEXT_LENGTH = 4_000_000;
const MAX_SHORT_LENGTH = 300;
const MIME_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/;
const ID = /^[\w-]{1,64}$/;
const ROLES = /** @type {const} */ (['system', 'user', 'assistant']);
const STATES = /** @type {const} */ (['done', 'stopped', 'failed']);

/**
 * @param {unknown} value the parsed file
 * @param {number} nowMs
 * @returns {{ chats: WholeChat[], presets: Preset[], skipped: number }} skipped: chats, messages and presets that are not valid
 * @throws {HistoryError} `bad-file`
 */
export function checkImport(value, nowMs) {
  const file = toFields(value);
  if (file?.['format'] !== FORMAT) throw badFile('This file is not an export of chats from iPin Proxy.');
  if (file['version'] !== VERSION)
    throw badFile(
      'This file was made by a newer version of iPin Proxy. Update this server and import it again.',
    );
  const chats = toList(file['chats']);
  const presets = toList(file['presets'] ?? []);
  if (chats === null || presets === null)
    throw badFile('This file is damaged: its list of chats is missing.');
  if (chats.length > MAX_CHATS || presets.length > MAX_PRESETS)
    throw badFile('This file has too many chats for one import.');
  const counter = { skipped: 0, ids: new Set() };
  return {
    chats: takeValid(chats, 'chat', counter, (chat) => checkChat(chat, nowMs, counter)),
    presets: takeValid(presets, 'preset', counter, checkPreset),
    get skipped() {
      return counter.skipped;
    },
  };
}

/**
 * What is valid, without what has the id of an earlier one.
 * @template {{ id: string } | { chat: { id: string } }} T
 * @param {readonly unknown[]} values
 * @param {'chat' | 'message' | 'preset'} kind
 * @param {Counter} counter
 * @param {(fields: Fields) => T | null} check
 */
function takeValid(values, kind, counter, check) {
  return values.flatMap((value) => {
    const fields = toFields(value);
    const checked = fields && check(fields);
    const id = checked && ('chat' in checked ? checked.chat.id : checked.id);
    const name = `${kind} ${id}`;
    if (!checked || counter.ids.has(name)) {
      counter.skipped++;
      return [];
    }
    counter.ids.add(name);
    return [checked];
  });
}

/**
 * @param {Fields} fields
 * @param {number} nowMs
 * @param {Counter} counter
 * @returns {WholeChat | null}
 */
function checkChat(fields, nowMs, counter) {
  const id = toId(fields['id']);
  const list = toList(fields['messages']);
  if (id === null || list === null || list.length > MAX_MESSAGES) return null;
  const messages = takeValid(list, 'message', counter, (one) => checkMessage(one, id, nowMs));
  const ids = new Set(messages.map((message) => message.id));
  for (const message of messages)
    if (message.parentId !== null && !ids.has(message.parentId)) message.parentId = null;
  const leafId = toId(fields['leafId']);
  const updatedAt = toTime(fields['updatedAt'], nowMs);
  const chat = {
    id,
    title: tidyTitle(toText(fields['title']) ?? ''),
    createdAt: Math.min(toTime(fields['createdAt'], nowMs), updatedAt),
    updatedAt,
    pinned: fields['pinned'] === true,
    modelId: toShort(fields['modelId']),
    system: toText(fields['system']) ?? '',
    temperature: toNumber(fields['temperature'], 0, 10),
    maxTokens: toNumber(fields['maxTokens'], 1, 1e9),
    leafId: leafId !== null && ids.has(leafId) ? leafId : (messages.at(-1)?.id ?? null),
  };
  return { chat, messages };
}

/**
 * @param {Fields} fields
 * @param {string} chatId
 * @param {number} nowMs
 * @returns {Message | null}
 */
function checkMessage(fields, chatId, nowMs) {
  const id = toId(fields['id']);
  const role = ROLES.find((known) => known === fields['role']);
  const text = toText(fields['text']);
  const attachments = toList(fields['attachments'] ?? []);
  if (id === null || role === undefined || text === null || attachments === null) return null;
  const parentId = toId(fields['parentId']);
  return {
    id,
    chatId,
    parentId: parentId === id ? null : parentId,
    role,
    text,
    reasoning: toText(fields['reasoning']) ?? '',
    attachments: attachments.slice(0, MAX_ATTACHMENTS).map(toFields).filter(isPresent).map(checkAttachment),
    model: toShort(fields['model']),
    usage: toUsage(fields['usage']),
    costUsd: toNumber(fields['costUsd'], 0, 1e9),
    firstTokenMs: toNumber(fields['firstTokenMs'], 0, 1e9),
    durationMs: toNumber(fields['durationMs'], 0, 1e9),
    createdAt: toTime(fields['createdAt'], nowMs),
    state: STATES.find((known) => known === fields['state']) ?? 'done',
    error: toError(fields['error']),
    ...toExtras(fields),
  };
}

/**
 * @param {Fields} fields
 * @returns {import('./types.js').Attachment}
 */
function checkAttachment({ name, type, size, dataUrl }) {
  const file = {
    name: toShort(name) ?? 'file',
    type: typeof type === 'string' && MIME_TYPE.test(type) ? type : 'application/octet-stream',
    size: toNumber(size, 0, Number.MAX_SAFE_INTEGER) ?? 0,
  };
  return typeof dataUrl === 'string' ? { ...file, dataUrl } : { ...file, blobId: null };
}

/**
 * @param {Fields} fields
 * @returns {Preset | null}
 */
function checkPreset(fields) {
  const id = toId(fields['id']);
  const name = toShort(fields['name']);
  const system = toText(fields['system']);
  if (id === null || name === null || system === null) return null;
  const temperature = toNumber(fields['temperature'], 0, 10);
  return { id, name: tidyTitle(name), system, modelId: toShort(fields['modelId']), temperature };
}

/** @param {unknown} value @returns {Fields | null} */
function toFields(value) {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isFields ? /** @type {Fields} */ (value) : null;
}

/** @param {unknown} value @returns {readonly unknown[] | null} */
function toList(value) {
  return Array.isArray(value) ? value : null;
}

/** @param {unknown} value */
function toId(value) {
  return typeof value === 'string' && ID.test(value) ? value : null;
}

/** @param {unknown} value */
function toText(value) {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : null;
}

/** @param {unknown} value */
function toShort(value) {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_SHORT_LENGTH) : null;
}

/** @param {unknown} value @param {number} least @param {number} most */
function toNumber(value, least, most) {
  return typeof value === 'number' && value >= least && value <= most ? value : null;
}

/** Not in the future: such a chat would stay at the top of the list. @param {unknown} value @param {number} nowMs */
function toTime(value, nowMs) {
  return Math.min(toNumber(value, 0, 8.64e15) ?? nowMs, nowMs);
}

/** @template T @param {T | null} value @returns {value is T} */
function isPresent(value) {
  return value !== null;
}

/** @param {string} message */
function badFile(message) {
  return new HistoryError('bad-file', message);
}
