import { COLLECTIONS } from './changes.ts';
import type { ConfigState, ConfigView } from './store.ts';

/** Adds version and indexes to a configuration; keeps the indexes of `previous` where their maps did not change. */
export function viewConfig(state: ConfigState, version: number, previous?: ConfigView): ConfigView {
  const { apiKeys, users } = state;
  return {
    ...state,
    version,
    apiKeyByDigest:
      previous?.apiKeys === apiKeys ? previous.apiKeyByDigest : indexBy(apiKeys, ({ digest }) => digest),
    userByUsername:
      previous?.users === users ? previous.userByUsername : indexBy(users, ({ username }) => username),
  };
}

const MEMBERS = ['instanceId', 'masterKey', 'adminPasswordHash', ...COLLECTIONS] as const;

/** True if two configurations hold the same objects: then there is nothing to write. */
export function isSameConfig(one: ConfigState, other: ConfigState): boolean {
  return MEMBERS.every((name) => one[name] === other[name]);
}

function indexBy<T>(records: ReadonlyMap<string, T>, nameOf: (record: T) => string): ReadonlyMap<string, T> {
  return new Map(Array.from(records.values(), (record) => [nameOf(record), record]));
}
