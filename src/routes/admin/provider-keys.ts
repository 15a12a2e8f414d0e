import { HttpError } from '../../errors.ts';
import type { Health } from '../../gateway/health.ts';
import { sendEmpty, sendJson } from '../../http/reply.ts';
import { keyHint } from '../../redaction.ts';
import { requireEntity, withEntity } from '../../store/changes.ts';
import type { Provider, ProviderKey } from '../../store/entities.ts';
import { newProviderKey } from '../../store/provider-keys.ts';
import type { Context, Handler } from '../context.ts';
import { FIELD_LIMITS, given, requireField, toBoolean, wrong } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { View } from '../resource.ts';
import type { Services } from '../services.ts';

const KEYS_LIMIT = 50;
const PROVIDER_KEY = new RegExp(`^[!-~]([ -~]{0,${FIELD_LIMITS.providerKey - 2}}[!-~])?$`);

/**
 * Reads a provider's key. It becomes a header of every request: anything but printable ASCII would break that header or add
 * another. @throws HttpError `invalid_value`.
 */
export function toProviderKey(value: unknown, param: string): string {
  const key = typeof value === 'string' ? value.trim() : '';
  if (PROVIDER_KEY.test(key)) return key;
  throw wrong(param, `must be 1 to ${FIELD_LIMITS.providerKey} printable ASCII characters`);
}

/** @throws HttpError `already_exists` if one of the keys has this secret. */
export function requireNewSecret(keys: readonly ProviderKey[], secret: string | null): void {
  if (secret === null || !keys.some((key) => key.secret === secret)) return;
  throw new HttpError('already_exists', 'The provider has this key already.', { param: 'apiKey' });
}

/** The hint of a key; null: there is no key, or it cannot be decrypted. */
export function hintOf(key: ProviderKey | undefined): string | null {
  const secret = key?.secret ?? null;
  return secret === null ? null : keyHint(secret);
}

/** A provider's keys as the admin sees them: without their secrets. */
export function viewKeys({ id: providerId, keys }: Provider, health: Health): View[] {
  return keys.map((key) => viewKey(providerId, key, health));
}

function viewKey(providerId: string, key: ProviderKey, health: Health): View {
  return { id: key.id, hint: hintOf(key), enabled: key.enabled, ...health.ofKey(providerId, key) };
}

/** The handlers of a provider's keys. */
export function providerKeys(services: Services): Readonly<Record<KeyAction, Handler>> {
  const { store, health, budget, randomBytes } = services;
  const find = (context: Context): Provider =>
    requireEntity(store.config.view(), 'providers', providerIdOf(context));
  const answer = (context: Context, status: number, key: ProviderKey): void =>
    sendJson(context, status, viewKey(providerIdOf(context), key, health));
  return {
    list: (context) => sendJson(context, 200, { data: viewKeys(find(context), health) }),
    add: async (context) => {
      const fields = await readFields(context, budget);
      const secret = toProviderKey(requireField(fields, 'apiKey'), 'apiKey');
      const key = newProviderKey(secret, randomBytes);
      await changeKeys(context, services, (keys) => {
        requireNewSecret(keys, secret);
        if (keys.length < KEYS_LIMIT) return [...keys, key];
        throw wrong('apiKey', `is one too many: a provider has at most ${KEYS_LIMIT} keys`);
      });
      answer(context, 201, key);
    },
    update: async (context) => {
      const fields = await readFields(context, budget);
      const keys = await changeKeys(context, services, (before) => {
        const key = requireKey(before, context);
        const enabled = given(fields, 'enabled', key.enabled, toBoolean);
        return before.map((one) => (one === key ? { ...key, enabled } : one));
      });
      answer(context, 200, requireKey(keys, context));
    },
    remove: async (context) => {
      await changeKeys(context, services, (keys) => {
        const key = requireKey(keys, context);
        return keys.filter((one) => one !== key);
      });
      sendEmpty(context, 204);
    },
    wake: (context) => {
      const key = requireKey(find(context).keys, context);
      health.wakeKey(providerIdOf(context), key.id);
      answer(context, 200, key);
    },
  };
}

type KeyAction = 'list' | 'add' | 'update' | 'remove' | 'wake';

/** Changes the keys of the provider in the path. @throws HttpError `not_found`, and whatever `change` throws. */
function changeKeys(
  context: Context,
  { changeConfig, now }: Services,
  change: (keys: readonly ProviderKey[]) => readonly ProviderKey[],
): Promise<readonly ProviderKey[]> {
  const updatedAt = new Date(now()).toISOString();
  return changeConfig((state) => {
    const provider = requireEntity(state, 'providers', providerIdOf(context));
    const keys = change(provider.keys);
    return { state: withEntity(state, 'providers', { ...provider, keys, updatedAt }), result: keys };
  });
}

function providerIdOf({ params }: Context): string {
  return params.get('id') ?? '';
}

/** @throws HttpError `not_found`. */
function requireKey(keys: readonly ProviderKey[], { params }: Context): ProviderKey {
  const key = keys.find(({ id }) => id === params.get('keyId'));
  if (key === undefined) throw new HttpError('not_found', 'The provider has no such key.');
  return key;
}
