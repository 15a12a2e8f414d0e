import { describeKey, generateKey, parseCustomKey } from '../auth/api-keys.ts';
import { isWithin } from '../auth/model-access.ts';
import { HttpError } from '../errors.ts';
import type { ApiKey, User } from '../store/entities.ts';
import type { ConfigState, CounterStore } from '../store/store.ts';
import {
  given,
  refuseUnbuilt,
  requireField,
  toBoolean,
  toModelList,
  toText,
  toTime,
  wrong,
} from './fields.ts';
import type { Fields } from './json-body.ts';
import type { Services } from './services.ts';

/** The name under which the store counts a key's last use. */
export function lastUsedCounter(keyId: string): string {
  return `key-last-used:${keyId}`;
}

/** A key as its owner sees it: never the key itself. */
export function viewApiKey(key: ApiKey, counters: CounterStore): Record<string, unknown> {
  const { digest: _digest, ...visible } = key;
  const lastUsed = counters.get(lastUsedCounter(key.id));
  return {
    ...visible,
    limits: null,
    lastUsedAt: lastUsed === undefined ? null : new Date(lastUsed).toISOString(),
  };
}

/** A new key from its fields, and its record. The key is in the answer to its creation and nowhere else. */
export function newApiKey(
  fields: Fields,
  userId: string | null,
  services: Services,
): { key: string; record: ApiKey } {
  const custom = fields.get('key');
  const key = custom == null || custom === '' ? generateKey(services.randomBytes) : parseCustomKey(custom);
  const draft: ApiKey = {
    id: `key_${services.randomBytes(9).toString('base64url')}`,
    name: toText(requireField(fields, 'name'), 'name'),
    ...describeKey(key),
    enabled: true,
    models: null,
    userId,
    expiresAt: null,
    createdAt: new Date(services.now()).toISOString(),
  };
  return { key, record: editApiKey(draft, fields) };
}

/** Applies the fields that are given; the key itself, its id and its owner stay. @throws HttpError `invalid_value`. */
export function editApiKey(before: ApiKey, fields: Fields): ApiKey {
  refuseUnbuilt(fields, ['limits']);
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    models: given(fields, 'models', before.models, toModelList),
    expiresAt: given(fields, 'expiresAt', before.expiresAt, toTime),
  };
}

/** @throws HttpError `invalid_value` where a key would allow what its owner may not use. */
export function requireWithinOwner(key: ApiKey, owner: User | null): void {
  if (key.models === null || owner === null || isWithin(key.models, owner.models)) return;
  throw wrong('models', 'allows more than the user of the key may use');
}

/**
 * The same for an edit. What a key allowed before may stand, although its owner's rights have shrunk meanwhile: it must
 * still be possible to rename or disable it, and its use goes by both lists anyway.
 */
export function requireNotWidened(before: ApiKey, after: ApiKey, owner: User | null): void {
  const isSame = JSON.stringify(before.models) === JSON.stringify(after.models);
  if (!isSame || before.userId !== after.userId) requireWithinOwner(after, owner);
}

/** @throws HttpError `already_exists` where the same key is there already. */
export function requireFreshKey(state: ConfigState, record: ApiKey, masterDigest: string): void {
  let taken = false;
  for (const { digest } of state.apiKeys.values()) taken ||= digest === record.digest;
  if (!taken && record.digest !== masterDigest) return;
  throw new HttpError('already_exists', 'This key is in use already. Choose another one.', { param: 'key' });
}
