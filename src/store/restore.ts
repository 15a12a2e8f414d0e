import { isDeepStrictEqual } from 'node:util';
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

/** What a restore changes, for somebody to decide upon; no secrets. */
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
  /** True where the generated master key becomes another one. */
  readonly changesMasterKey: boolean;
  /** True where the admin's password that was set in the panel becomes another one. */
  readonly changesAdminPassword: boolean;
}

/**
 * The configuration after a restore, and what that changes. The instance stays the same one; a generated master key and
 * the admin's password stay where the backup has none; provider keys that the backup left out stay where the provider has the same origin.
 * A key that is in use at one origin is not restored for another: an altered backup would send it there.
 */
export function planRestore(
  current: ConfigState,
  backup: Backup,
): { readonly config: ConfigState; readonly report: RestoreReport } {
  const config: ConfigState = {
    ...backup.config,
    instanceId: current.instanceId,
    masterKey: backup.config.masterKey ?? current.masterKey,
    adminPasswordHash: backup.config.adminPasswordHash ?? current.adminPasswordHash,
    providers: withPresentKeys(backup.config.providers, current.providers),
  };
  const closed = [...config.providers.values()].filter(({ unreadableApiKey }) => unreadableApiKey !== null);
  const report: RestoreReport = {
    createdAt: backup.createdAt,
    providers: compare(current.providers, config.providers),
    models: compare(current.models, config.models),
    apiKeys: compare(current.apiKeys, config.apiKeys),
    users: compare(current.users, config.users),
    returning: {
      apiKeys: returning(current.apiKeys, config.apiKeys),
      users: returning(current.users, config.users),
    },
    providersWithoutKey: closed.map(toNamed),
    changesMasterKey: !isDeepStrictEqual(config.masterKey, current.masterKey),
    changesAdminPassword: config.adminPasswordHash !== current.adminPasswordHash,
  };
  return { config, report };
}

function withPresentKeys(
  restored: ReadonlyMap<string, Provider>,
  present: ReadonlyMap<string, Provider>,
): ReadonlyMap<string, Provider> {
  const providers = new Map(restored);
  for (const [id, provider] of restored) {
    if (isKeyOfAnotherHost(provider, present))
      providers.set(id, { ...provider, apiKey: null, unreadableApiKey: OMITTED_SECRET });
    const known = present.get(id);
    if (provider.unreadableApiKey !== OMITTED_SECRET || known === undefined) continue;
    const { apiKey, unreadableApiKey } = known;
    // A stored key is never sent to another host than the one it was entered for.
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

/** An address without a scheme has an opaque origin, which is no other's (WHATWG URL, section 4.7). */
function isSameOrigin(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const { origin } = new URL(one);
  return origin !== 'null' && origin === new URL(other).origin;
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
