import type { ConfigState, ConfigView } from './store.ts';

/** Adds version and indexes to a configuration; keeps the indexes of `previous` where their maps did not change. */
export function viewConfig(state: ConfigState, version: number, previous?: ConfigView): ConfigView {
  const { instanceId, masterKey, adminPasswordHash, providers, models, apiKeys, users } = state;
  return {
    version,
    instanceId,
    masterKey,
    adminPasswordHash,
    providers,
    models,
    apiKeys,
    users,
    apiKeyByDigest:
      previous?.apiKeys === apiKeys ? previous.apiKeyByDigest : indexBy(apiKeys, ({ digest }) => digest),
    userByUsername:
      previous?.users === users ? previous.userByUsername : indexBy(users, ({ username }) => username),
  };
}

/** True if two configurations hold the same objects: then there is nothing to write. */
export function isSameConfig(one: ConfigState, other: ConfigState): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.masterKey === other.masterKey &&
    one.adminPasswordHash === other.adminPasswordHash &&
    one.providers === other.providers &&
    one.models === other.models &&
    one.apiKeys === other.apiKeys &&
    one.users === other.users
  );
}

function indexBy<T>(records: ReadonlyMap<string, T>, nameOf: (record: T) => string): ReadonlyMap<string, T> {
  const index = new Map<string, T>();
  for (const record of records.values()) index.set(nameOf(record), record);
  return index;
}
