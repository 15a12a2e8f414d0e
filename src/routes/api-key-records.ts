import { describeKey, generateKey, parseCustomKey } from '../auth/api-keys.ts';
import { isWithin } from '../auth/model-access.ts';
import { HttpError } from '../errors.ts';
import type { ApiKey, User } from '../store/entities.ts';
import type { ConfigState } from '../store/store.ts';
import { given, isBlank, requireField, toBoolean, toModelList, toText, toTime, wrong } from './fields.ts';
import type { Fields } from './json-body.ts';
import { requireLimitsWithin, toLimits } from './limit-fields.ts';
import type { EntityRequest, View } from './resource.ts';
import type { Services } from './services.ts';

/** The name under which the store keeps the time of a key's last use. */
export function nameOfKeyUse(keyId: string): string {
  return `key-last-used:${keyId}`;
}

/** Keys as their owners see them: without the digests, with their use. */
export async function viewApiKeys(
  keys: readonly ApiKey[],
  { store, budgets }: Pick<Services, 'store' | 'budgets'>,
): Promise<View[]> {
  const times = await store.lastUse.read(keys.map(({ id }) => nameOfKeyUse(id)));
  return keys.map((key, index) => {
    const { digest: _digest, ...visible } = key;
    const time = times[index];
    const lastUsedAt = time === undefined ? null : new Date(time).toISOString();
    return { ...visible, usage: budgets.usageOf('key', key), lastUsedAt };
  });
}

/**
 * Makes a key and its record. The caller shows `key` once; only its digest is stored.
 * @throws HttpError `missing_required_parameter`, `invalid_value`.
 */
export function newApiKey(
  { fields, time }: Pick<EntityRequest, 'fields' | 'time'>,
  userId: string | null,
  { randomBytes }: Services,
): { readonly key: string; readonly record: ApiKey } {
  const custom = fields.get('key');
  const key = isBlank(custom) ? generateKey(randomBytes) : parseCustomKey(custom);
  const draft: ApiKey = {
    id: `key_${randomBytes(9).toString('base64url')}`,
    name: toText(requireField(fields, 'name'), 'name'),
    ...describeKey(key),
    enabled: true,
    models: null,
    userId,
    expiresAt: null,
    passThrough: false,
    limits: null,
    createdAt: time,
  };
  return { key, record: editApiKey(draft, fields) };
}

/**
 * Applies the fields that are given. The key itself, its id and its owner stay.
 * @throws HttpError `invalid_value`.
 */
export function editApiKey(before: ApiKey, fields: Fields): ApiKey {
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    models: given(fields, 'models', before.models, toModelList),
    expiresAt: given(fields, 'expiresAt', before.expiresAt, toTime),
    limits: given(fields, 'limits', before.limits, toLimits),
  };
}

/** @throws HttpError `invalid_value` if a key allows a model that its owner may not use. */
export function requireWithinOwner(key: ApiKey, owner: User | null): void {
  if (key.models === null || owner === null || isWithin(key.models, owner.models)) return;
  throw wrong('models', 'allows more models than the owner of the key may use');
}

/**
 * The same check for an edit that changes the models or the owner. Other edits pass even if the owner's rights have
 * shrunk: a person must still be able to rename or disable the key. Requests are checked against both lists anyway.
 */
export function requireNotWidened(before: ApiKey, after: ApiKey, owner: User | null): void {
  const isSame = JSON.stringify(before.models) === JSON.stringify(after.models);
  if (!isSame || before.userId !== after.userId) requireWithinOwner(after, owner);
}

/**
 * For an edit by the owner that changes the limits: none may be looser than the owner's own.
 * @param before null: the key is new
 * @throws HttpError `invalid_value`
 */
export function requireLimitsNotLoosened(before: ApiKey | null, after: ApiKey, owner: User): void {
  if (JSON.stringify(before?.limits) !== JSON.stringify(after.limits)) requireLimitsWithin(after, owner);
}

/** @throws HttpError `already_exists` if another record, or the master key, has the same key. */
export function requireFreshKey(state: ConfigState, record: ApiKey, masterDigest: string): void {
  let isTaken = record.digest === masterDigest;
  for (const { digest } of state.apiKeys.values()) isTaken ||= digest === record.digest;
  if (!isTaken) return;
  throw new HttpError('already_exists', 'This key is already in use. Choose another one.', { param: 'key' });
}
