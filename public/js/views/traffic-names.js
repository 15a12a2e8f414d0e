import { getList } from '../lib/resource.js';

/** @import { FilterName, UsageRow } from './traffic-types.js' */

/** @type {ReadonlyMap<string, string>} */
const ENDPOINTS = new Map(
  Object.entries({
    'chat/completions': 'Chat completions',
    completions: 'Completions',
    responses: 'Responses',
    messages: 'Messages',
    embeddings: 'Embeddings',
    moderations: 'Moderations',
    rerank: 'Rerank',
    ocr: 'OCR',
    'images/generations': 'Image generation',
    'images/edits': 'Image edits',
    'images/variations': 'Image variations',
    'audio/speech': 'Speech',
    'audio/transcriptions': 'Transcriptions',
    'audio/translations': 'Translations',
  }),
);

/** The outcomes of the API in plain words. */
export const OUTCOMES = new Map(
  Object.entries({
    ok: 'Answered',
    clientErrors: 'Client error',
    providerErrors: 'Provider error',
    limited: 'Refused by a limit',
    cancelled: 'Client left',
    broken: 'Broke off',
  }),
);

/** What stands where a request has no such thing. */
const NONE = /** @type {const} */ ({
  key: 'No key',
  user: 'No user',
  model: 'No model',
  provider: 'Not sent',
  endpoint: 'No endpoint',
  outcome: 'No outcome',
});

/**
 * @typedef {{ of: (kind: FilterName, id: string | null, given?: string | null) => string }} Names
 *   id: null where there is none; given: the name in the API's answer
 */

/** The names for a user, who sees no records of others. @type {Names} */
export const OWN_NAMES = { of: (kind, id, given) => nameOf(kind, id, given ?? null) };

/**
 * The names of providers, keys and users, as far as they are known: records that are deleted have none here.
 * @param {() => void} onLoad called once they are loaded
 * @returns {Names}
 */
export function createNames(onLoad) {
  /** @type {Map<string, string>} */
  const known = new Map([['key:master', 'Master key']]);
  /**
   * @param {string} kind
   * @param {string} path
   */
  async function learn(kind, path) {
    for (const record of await getList(path)) known.set(`${kind}:${record.id}`, record.name || record.id);
  }
  void Promise.allSettled([
    learn('provider', '/api/admin/providers'),
    learn('key', '/api/admin/apikeys'),
    learn('user', '/api/admin/users'),
  ]).then(onLoad);

  return {
    of: (kind, id, given) => nameOf(kind, id, known.get(`${kind}:${id}`) ?? given ?? null),
  };
}

/**
 * The key of a request. A request that has none was made by somebody who is signed in, or was refused for it.
 * @param {{ keyId: string | null, keyName: string | null, status: number, code: string | null }} request
 * @param {Names} names
 */
export function keyOf({ keyId, keyName, status, code }, names) {
  if (keyId === null && status !== 401) return 'Signed in, no key';
  return code === 'invalid_api_key' ? 'Unknown key' : names.of('key', keyId, keyName);
}

/**
 * @param {FilterName} kind
 * @param {string | null} id
 * @param {string | null} name
 */
function nameOf(kind, id, name) {
  if (id === null) return NONE[kind];
  if (kind === 'endpoint') return ENDPOINTS.get(id) ?? id;
  if (kind === 'outcome') return OUTCOMES.get(id) ?? id;
  return name ?? id;
}

/**
 * The id and the name that a row of usage has for a group.
 * @param {UsageRow} row
 * @param {FilterName} kind
 * @param {Names} names
 */
export function groupOf(row, kind, names) {
  const id = row[kind] ?? null;
  const given = kind === 'key' ? row.keyName : kind === 'user' ? row.userName : null;
  return { id, name: names.of(kind, id, given) };
}
