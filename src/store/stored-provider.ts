import { isRecord } from '../json/value.ts';
import { originOf } from '../providers/base-url.ts';
import { DocumentError } from './document-error.ts';
import type { JsonObject } from './document-text.ts';
import type { Provider, ProviderKey } from './entities.ts';
import { FIRST_KEY_ID } from './provider-keys.ts';
import {
  PROVIDER,
  readList,
  requireRight,
  SECRET,
  type StoredKey,
  type StoredProvider,
  type StoredSecret,
} from './records.ts';
import { isUnbound, type Sealer, type SecretPlace } from './secrets.ts';

/** A provider from a file, and how its keys were stored. */
export interface OpenedProvider {
  readonly provider: Provider;
  /** True if a key should be sealed anew: it was not sealed, or not in the current form. */
  readonly isStale: boolean;
  /** The keys that an earlier version sealed without binding them to an origin. */
  readonly unbound: readonly ProviderKey[];
}

/**
 * Reads the providers of a document, also those of schema versions 1 and 2, which had one key each.
 * @throws DocumentError `refused` naming what cannot be read.
 */
export function readProviders(object: JsonObject): Map<string, StoredProvider> {
  const { providers } = object;
  const upgraded = Array.isArray(providers)
    ? providers.map((provider: unknown, index) => withKeyList(provider, `providers[${index}]`))
    : providers;
  const stored = readList<StoredProvider>({ providers: upgraded }, 'providers', PROVIDER);
  for (const [id, { keys }] of stored) {
    if (new Set(keys.map((key) => key.id)).size < keys.length)
      throw new DocumentError('refused', `two keys of the provider ${id} have the same id`);
  }
  return stored;
}

/** @throws DocumentError `refused` for a wrong key, and for one beside a list of keys: neither is left out in silence. */
function withKeyList(value: unknown, place: string): unknown {
  if (!isRecord(value) || !('apiKey' in value)) return value;
  const { apiKey = null, ...provider } = value;
  requireRight(SECRET, apiKey, `${place}.apiKey`);
  if (apiKey === null || apiKey === '') return provider;
  if (provider['keys'] !== undefined) throw new DocumentError('refused', `${place} has both apiKey and keys`);
  return { ...provider, keys: [{ id: FIRST_KEY_ID, secret: apiKey, enabled: true }] };
}

/** Decrypts a provider's keys. A key that cannot be decrypted is kept as it is. */
export function openProvider(stored: StoredProvider, sealer: Sealer | null): OpenedProvider {
  const place = placeOf(stored);
  const opened = stored.keys.flatMap((key) => openKey(key, place, sealer) ?? []);
  return {
    provider: { ...stored, keys: opened.map(({ key }) => key) },
    isStale: opened.some(({ isStale }) => isStale),
    unbound: opened.filter(({ isBound }) => !isBound).map(({ key }) => key),
  };
}

interface OpenedKey {
  readonly key: ProviderKey;
  readonly isStale: boolean;
  readonly isBound: boolean;
}

/** null: the key is empty, as somebody leaves it who removes a key with an editor. */
function openKey(stored: StoredKey, place: SecretPlace, sealer: Sealer | null): OpenedKey | null {
  const { secret } = stored;
  if (secret === null || secret === '') return null;
  if (typeof secret === 'string') {
    return { key: { ...stored, secret, unreadable: null }, isStale: sealer !== null, isBound: true };
  }
  const { sealed } = secret;
  const opened = sealer?.open(sealed, place) ?? null;
  const unreadable = opened === null ? sealed : null;
  const key = { ...stored, secret: opened?.text ?? null, unreadable };
  return { key, isStale: opened?.isStale ?? false, isBound: !isUnbound(sealed) };
}

/** A provider as a file holds it. Without a sealer its keys are stored as they are. */
export function toStored(provider: Provider, sealer: Sealer | null): StoredProvider {
  const place = placeOf(provider);
  const keys = provider.keys.map(({ unreadable, ...key }): StoredKey => {
    return { ...key, secret: toStoredSecret({ ...key, unreadable }, place, sealer) };
  });
  return { ...provider, keys };
}

function toStoredSecret(
  { secret, unreadable }: ProviderKey,
  place: SecretPlace,
  sealer: Sealer | null,
): StoredSecret {
  if (secret === null) return unreadable === null ? null : { sealed: unreadable };
  return sealer === null ? secret : { sealed: sealer.seal(secret, place) };
}

/**
 * A provider's keys are sealed to its record and origin, and do not open with another origin. Without an origin nothing
 * is ever sent. All keys of a provider have the place that its only key had in earlier versions.
 */
function placeOf({ id, baseUrl }: Pick<Provider, 'id' | 'baseUrl'>): SecretPlace {
  return { record: 'provider', id, field: 'apiKey', origin: originOf(baseUrl) ?? '' };
}
