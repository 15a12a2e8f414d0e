import { COLLECTIONS } from './changes.ts';
import type { Model } from './entities.ts';
import type { ConfigState, ConfigView } from './store.ts';

/** Adds version and indexes to a configuration; keeps the indexes of `previous` where their maps did not change. */
export function viewConfig(state: ConfigState, version: number, previous?: ConfigView): ConfigView {
  const { apiKeys, users, models } = state;
  return {
    ...state,
    version,
    apiKeyByDigest:
      previous?.apiKeys === apiKeys ? previous.apiKeyByDigest : indexBy(apiKeys, ({ digest }) => digest),
    userByUsername:
      previous?.users === users ? previous.userByUsername : indexBy(users, ({ username }) => username),
    wildcardModels: previous?.models === models ? previous.wildcardModels : listWildcards(models),
  };
}

const MEMBERS = ['instanceId', 'masterKey', 'adminPasswordHash', 'settings', ...COLLECTIONS] as const;

/** True if two configurations hold the same objects: then there is nothing to write. */
export function isSameConfig(one: ConfigState, other: ConfigState): boolean {
  return MEMBERS.every((name) => one[name] === other[name]);
}

/** Those with the most literal characters first, then by alphabet. */
function listWildcards(models: ReadonlyMap<string, Model>): readonly Model[] {
  const found = [...models.values()].filter(({ id, enabled }) => enabled && id.split('*').length === 2);
  return found.sort((one, other) => other.id.length - one.id.length || (one.id < other.id ? -1 : 1));
}

function indexBy<T>(records: ReadonlyMap<string, T>, nameOf: (record: T) => string): ReadonlyMap<string, T> {
  return new Map(Array.from(records.values(), (record) => [nameOf(record), record]));
}
