import { isDeepStrictEqual } from 'node:util';
import { originOf } from '../providers/base-url.ts';
import { type Backup, OMITTED_SECRET } from './backup.ts';
import type { Collection } from './changes.ts';
import type { AlertWebhook, Provider, ProviderKey, Settings } from './entities.ts';
import { hasUnreadableKey } from './provider-keys.ts';
import type { ConfigState } from './store.ts';

/** A record in a report. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface KindReport {
  readonly added: readonly Named[];
  readonly removed: readonly Named[];
  readonly changed: readonly Named[];
}

/** What a restore changes, for a person to confirm; no secrets. */
export interface RestoreReport extends Readonly<Record<Collection, KindReport>> {
  /** When the backup was made, ISO 8601. */
  readonly createdAt: string;
  /** What works after the restore and does not now: deleted or disabled since the backup was made. */
  readonly returning: { readonly apiKeys: readonly Named[]; readonly users: readonly Named[] };
  /** Providers with a key that must be entered again: it is not in the backup, or cannot be opened. */
  readonly providersWithoutKey: readonly Named[];
  /**
   * Providers with a key that an earlier version sealed without an address, and the origin that it will be sent to.
   * A person must check these origins: an altered backup may name another host. null: the base URL is not usable.
   */
  readonly unboundKeys: readonly (Named & { readonly origin: string | null })[];
  /** True if the settings change: the default provider, what happens to models without a price, the webhook. */
  readonly changesSettings: boolean;
  /** True if the generated master key changes. */
  readonly changesMasterKey: boolean;
  /** True if the admin's password from the panel changes. */
  readonly changesAdminPassword: boolean;
}

/** The configuration after a restore, and the report of what it changes. */
export interface RestorePlan {
  readonly config: ConfigState;
  readonly report: RestoreReport;
}

export interface RestoreOptions {
  /** True if MASTER_API_KEY is set: it counts alone, and the stored key stays. */
  readonly hasOwnMasterKey?: boolean;
  /** True to leave out the keys that are bound to no address. */
  readonly closesUnboundKeys?: boolean;
}

/**
 * The configuration after a restore, and what that changes.
 * The instance id stays.
 * A generated master key and the admin's password stay if the backup has none.
 * A provider key that the backup left out stays if the provider has the same origin and a key with the same id.
 * A key that is in use at one origin is not restored for another one: an altered backup could send it there.
 */
export function planRestore(
  current: ConfigState,
  backup: Backup,
  { hasOwnMasterKey = false, closesUnboundKeys = false }: RestoreOptions = {},
): RestorePlan {
  const present = [...current.providers.values()];
  const restored = [...backup.config.providers.values()];
  // A key that is here already for the same origin needs no question.
  const unbound = new Set<ProviderKey>();
  for (const provider of restored) {
    for (const key of provider.keys) {
      if (backup.unboundKeys.has(key) && !isInUseAtOrigin(key, provider, present)) unbound.add(key);
    }
  }
  const providers = restored.map((provider) => {
    const keys = provider.keys.map((key) =>
      restoreKey(closesUnboundKeys && unbound.has(key) ? withoutSecret(key) : key, provider, present),
    );
    return { ...provider, keys };
  });
  const config: ConfigState = {
    ...backup.config,
    instanceId: current.instanceId,
    masterKey: (hasOwnMasterKey ? null : backup.config.masterKey) ?? current.masterKey,
    adminPasswordHash: backup.config.adminPasswordHash ?? current.adminPasswordHash,
    settings: restoreSettings(backup.config.settings, current.settings),
    providers: new Map(providers.map((provider) => [provider.id, provider])),
  };
  return { config, report: { createdAt: backup.createdAt, ...reportOf(current, config, unbound) } };
}

function reportOf(
  current: ConfigState,
  config: ConfigState,
  unbound: ReadonlySet<ProviderKey>,
): Omit<RestoreReport, 'createdAt'> {
  const providers = [...config.providers.values()];
  return {
    providers: compare(current.providers, config.providers),
    models: compare(current.models, config.models),
    apiKeys: compare(current.apiKeys, config.apiKeys),
    users: compare(current.users, config.users),
    returning: {
      apiKeys: returning(current.apiKeys, config.apiKeys),
      users: returning(current.users, config.users),
    },
    providersWithoutKey: providers.filter(hasUnreadableKey).map(toNamed),
    unboundKeys: providers
      .filter(({ keys }) => keys.some((key) => unbound.has(key)))
      .map((provider) => ({ ...toNamed(provider), origin: originOf(provider.baseUrl) })),
    changesSettings: !isDeepStrictEqual(config.settings, current.settings),
    changesMasterKey: !isDeepStrictEqual(config.masterKey, current.masterKey),
    changesAdminPassword: config.adminPasswordHash !== current.adminPasswordHash,
  };
}

/** The key as it may be here; the same object if it stays as it is. */
function restoreKey(key: ProviderKey, provider: Provider, present: readonly Provider[]): ProviderKey {
  const isInUse = key.secret !== null && holdersOf(key, present).length > 0;
  if (isInUse && !isInUseAtOrigin(key, provider, present)) return withoutSecret(key);
  if (key.unreadable !== OMITTED_SECRET) return key;
  const known = present.find(({ id }) => id === provider.id);
  // A stored key is sent only to the host that it was entered for.
  if (known === undefined || !isSameOrigin(provider.baseUrl, known.baseUrl)) return key;
  const stored = known.keys.find(({ id }) => id === key.id);
  return stored === undefined ? key : { ...key, secret: stored.secret, unreadable: stored.unreadable };
}

/** A left-out secret of the webhook stays if the webhook leads to the same origin; one in use never goes to another. */
function restoreSettings(settings: Settings, current: Settings): Settings {
  const { alertWebhook: restored } = settings;
  const { alertWebhook: present } = current;
  if (restored === null || present === null) return settings;
  return { ...settings, alertWebhook: restoreWebhook(restored, present) };
}

function restoreWebhook(restored: AlertWebhook, present: AlertWebhook): AlertWebhook {
  if (isSameOrigin(restored.url, present.url)) {
    if (restored.unreadable !== OMITTED_SECRET) return restored;
    return { ...restored, secret: present.secret, unreadable: present.unreadable };
  }
  const isInUse = restored.secret !== null && restored.secret === present.secret;
  return isInUse ? { ...restored, secret: null, unreadable: OMITTED_SECRET } : restored;
}

/** The current providers with the same key, readable or not: a key never has both forms. */
function holdersOf(key: ProviderKey, present: readonly Provider[]): readonly Provider[] {
  const isSame = (known: ProviderKey): boolean =>
    known.secret === key.secret && known.unreadable === key.unreadable;
  return present.filter(({ keys }) => keys.some(isSame));
}

function isInUseAtOrigin(key: ProviderKey, { baseUrl }: Provider, present: readonly Provider[]): boolean {
  return holdersOf(key, present).some((holder) => isSameOrigin(holder.baseUrl, baseUrl));
}

function withoutSecret(key: ProviderKey): ProviderKey {
  return { ...key, secret: null, unreadable: OMITTED_SECRET };
}

function isSameOrigin(one: string, other: string): boolean {
  const origin = originOf(one);
  return origin !== null && origin === originOf(other);
}

function compare<T extends Named>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): KindReport {
  const records = [...after.values()];
  const inBoth = records.filter(({ id }) => before.has(id));
  return {
    added: records.filter(({ id }) => !before.has(id)).map(toNamed),
    removed: [...before.values()].filter(({ id }) => !after.has(id)).map(toNamed),
    changed: inBoth.filter((record) => !isDeepStrictEqual(record, before.get(record.id))).map(toNamed),
  };
}

function returning<T extends Named & { readonly enabled: boolean }>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly Named[] {
  const enabled = [...after.values()].filter((record) => record.enabled);
  return enabled.filter(({ id }) => before.get(id)?.enabled !== true).map(toNamed);
}

function toNamed(record: Named & { readonly username?: string }): Named {
  return { id: record.id, name: record.username ?? record.name };
}
