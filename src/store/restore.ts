import { isDeepStrictEqual } from 'node:util';
import { originOf } from '../providers/base-url.ts';
import { type Backup, OMITTED_SECRET } from './backup.ts';
import type { Collection } from './changes.ts';
import type { Provider } from './entities.ts';
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
  /** Providers that stay closed until their key is entered: it is not in the backup, or cannot be opened. */
  readonly providersWithoutKey: readonly Named[];
  /**
   * Providers whose key an earlier version sealed without an address, with the origin that the key will be sent to.
   * A person must check these origins: an altered backup may name another host. null: the base URL is not usable.
   */
  readonly unboundKeys: readonly (Named & { readonly origin: string | null })[];
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
 * A provider key that the backup left out stays if the provider has the same origin.
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
  const unbound = restored.filter(
    (provider) => backup.unboundKeys.has(provider.id) && !isInUseAtOrigin(provider, present),
  );
  const providers = restored.map((provider) =>
    restoreProvider(
      closesUnboundKeys && unbound.includes(provider) ? withoutKey(provider) : provider,
      present,
    ),
  );
  const config: ConfigState = {
    ...backup.config,
    instanceId: current.instanceId,
    masterKey: (hasOwnMasterKey ? null : backup.config.masterKey) ?? current.masterKey,
    adminPasswordHash: backup.config.adminPasswordHash ?? current.adminPasswordHash,
    providers: new Map(providers.map((provider) => [provider.id, provider])),
  };
  return { config, report: { createdAt: backup.createdAt, ...reportOf(current, config, unbound) } };
}

function reportOf(
  current: ConfigState,
  config: ConfigState,
  unbound: readonly Provider[],
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
    providersWithoutKey: providers.filter(({ unreadableApiKey }) => unreadableApiKey !== null).map(toNamed),
    unboundKeys: unbound
      .filter((provider) => providers.includes(provider))
      .map((provider) => ({ ...toNamed(provider), origin: originOf(provider.baseUrl) })),
    changesMasterKey: !isDeepStrictEqual(config.masterKey, current.masterKey),
    changesAdminPassword: config.adminPasswordHash !== current.adminPasswordHash,
  };
}

/** The provider with the key that it may have here; the same object if that is its own. */
function restoreProvider(provider: Provider, present: readonly Provider[]): Provider {
  const { id, apiKey, unreadableApiKey, baseUrl } = provider;
  const isInUse = apiKey !== null && holdersOf(provider, present).length > 0;
  if (isInUse && !isInUseAtOrigin(provider, present)) return withoutKey(provider);
  const known = present.find((other) => other.id === id);
  // A stored key is sent only to the host that it was entered for.
  const keepsKey =
    unreadableApiKey === OMITTED_SECRET && known !== undefined && isSameOrigin(baseUrl, known.baseUrl);
  return keepsKey
    ? { ...provider, apiKey: known.apiKey, unreadableApiKey: known.unreadableApiKey }
    : provider;
}

/** The current providers with the same key, readable or not: a provider never has both forms. */
function holdersOf(
  { apiKey, unreadableApiKey }: Provider,
  present: readonly Provider[],
): readonly Provider[] {
  return present.filter((known) => known.apiKey === apiKey && known.unreadableApiKey === unreadableApiKey);
}

function isInUseAtOrigin(provider: Provider, present: readonly Provider[]): boolean {
  return holdersOf(provider, present).some(({ baseUrl }) => isSameOrigin(baseUrl, provider.baseUrl));
}

function withoutKey(provider: Provider): Provider {
  return { ...provider, apiKey: null, unreadableApiKey: OMITTED_SECRET };
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
