import type { ApiKey, User } from './entities.ts';
import type { ConfigState, ConfigView } from './store.ts';

/** Adds the indexes to a configuration; those of `previous` are kept where the maps behind them did not change. */
export function indexConfig(state: ConfigState, previous?: ConfigView): ConfigView {
  const { instanceId, masterKey, adminPasswordHash, providers, models, apiKeys, users } = state;
  return {
    instanceId,
    masterKey,
    adminPasswordHash,
    providers,
    models,
    apiKeys,
    users,
    apiKeyByDigest: previous?.apiKeys === apiKeys ? previous.apiKeyByDigest : byDigest(apiKeys),
    userByUsername: previous?.users === users ? previous.userByUsername : byUsername(users),
  };
}

/** True where two configurations hold the same maps, so that nothing needs to be written. */
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

function byDigest(apiKeys: ReadonlyMap<string, ApiKey>): ReadonlyMap<string, ApiKey> {
  const index = new Map<string, ApiKey>();
  for (const apiKey of apiKeys.values()) index.set(apiKey.digest, apiKey);
  return index;
}

function byUsername(users: ReadonlyMap<string, User>): ReadonlyMap<string, User> {
  const index = new Map<string, User>();
  for (const user of users.values()) index.set(user.username, user);
  return index;
}
