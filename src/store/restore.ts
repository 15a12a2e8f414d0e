import { isDeepStrictEqual } from 'node:util';
import { originOf } from '../providers/base-url.ts';
import { type Backup, OMITTED_SECRET } from './backup.ts';
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
export interface RestoreReport {
  /** When the backup was made, ISO 8601. */
  readonly createdAt: string;
  readonly providers: KindReport;
  readonly models: KindReport;
  readonly apiKeys: KindReport;
  readonly users: KindReport;
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
  const unbound = unboundProviders(current, backup);
  const restored = new Map(backup.config.providers);
  if (closesUnboundKeys) for (const provider of unbound) restored.set(provider.id, withoutKey(provider));
  const config: ConfigState = {
    ...backup.config,
    instanceId: current.instanceId,
    masterKey: (hasOwnMasterKey ? null : backup.config.masterKey) ?? current.masterKey,
    adminPasswordHash: backup.config.adminPasswordHash ?? current.adminPasswordHash,
    providers: withPresentKeys(restored, current.providers),
  };
  return { config, report: { createdAt: backup.createdAt, ...reportOf(current, config, unbound) } };
}

/** The providers of a backup whose key is bound to no address and not stored here for the same origin. */
function unboundProviders(current: ConfigState, backup: Backup): readonly Provider[] {
  const present = [...current.providers.values()];
  return [...backup.config.providers.values()].filter(
    (provider) => backup.unboundKeys.has(provider.id) && !isKnownHere(provider, present),
  );
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
      .filter((provider) => config.providers.get(provider.id) === provider)
      .map((provider) => ({ ...toNamed(provider), origin: originOf(provider.baseUrl) })),
    changesMasterKey: !isDeepStrictEqual(config.masterKey, current.masterKey),
    changesAdminPassword: config.adminPasswordHash !== current.adminPasswordHash,
  };
}

function withPresentKeys(
  restored: ReadonlyMap<string, Provider>,
  present: ReadonlyMap<string, Provider>,
): ReadonlyMap<string, Provider> {
  const providers = new Map(restored);
  for (const [id, provider] of restored) {
    if (isKeyOfAnotherHost(provider, present)) providers.set(id, withoutKey(provider));
    const known = present.get(id);
    if (provider.unreadableApiKey !== OMITTED_SECRET || known === undefined) continue;
    const { apiKey, unreadableApiKey } = known;
    // A stored key is sent only to the host that it was entered for.
    if (isSameOrigin(provider.baseUrl, known.baseUrl))
      providers.set(id, { ...provider, apiKey, unreadableApiKey });
  }
  return providers;
}

function isKeyOfAnotherHost({ apiKey, baseUrl }: Provider, present: ReadonlyMap<string, Provider>): boolean {
  if (apiKey === null) return false;
  const holders = [...present.values()].filter((known) => known.apiKey === apiKey);
  return holders.length > 0 && !holders.some((known) => isSameOrigin(known.baseUrl, baseUrl));
}

/** True if the key, readable or not, is stored here already for the same origin. */
function isKnownHere({ apiKey, unreadableApiKey, baseUrl }: Provider, present: readonly Provider[]): boolean {
  return present.some(
    (known) =>
      known.apiKey === apiKey &&
      known.unreadableApiKey === unreadableApiKey &&
      isSameOrigin(known.baseUrl, baseUrl),
  );
}

function withoutKey(provider: Provider): Provider {
  return { ...provider, apiKey: null, unreadableApiKey: OMITTED_SECRET };
}

function isSameOrigin(one: string, other: string): boolean {
  const origin = originOf(one);
  return origin !== null && origin === originOf(other);
}

interface Listed {
  readonly id: string;
  readonly name: string;
}

function compare<T extends Listed>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): KindReport {
  const inBoth = [...after.values()].filter(({ id }) => before.has(id));
  return {
    added: [...after.values()].filter(({ id }) => !before.has(id)).map(toNamed),
    removed: [...before.values()].filter(({ id }) => !after.has(id)).map(toNamed),
    changed: inBoth.filter((record) => !isDeepStrictEqual(record, before.get(record.id))).map(toNamed),
  };
}

function returning<T extends Listed & { readonly enabled: boolean }>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly Named[] {
  return [...after.values()]
    .filter(({ id, enabled }) => enabled && before.get(id)?.enabled !== true)
    .map(toNamed);
}

function toNamed(record: Listed & { readonly username?: string }): Named {
  return { id: record.id, name: record.username ?? record.name };
}
