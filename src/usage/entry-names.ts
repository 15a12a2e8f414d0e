import { MASTER_ID, MASTER_NAME, type OwnerKind } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import type { CallEntry } from './call-entry.ts';

/** The names that keys, users and models have now. */
export interface EntryNames {
  /** The name of the entry's key: the present one, or the last one of a deleted key; null: there was no key. */
  keyName(entry: CallEntry): string | null;
  /** As `keyName`, of the entry's user. */
  userName(entry: CallEntry): string | null;
  /** What the entry's model is called in the panel; null: it is not configured by this id. */
  modelName(entry: CallEntry): string | null;
}

/** The name that a key or user has now; null: it is not in the configuration, because it was deleted. */
export function presentName({ apiKeys, users }: ConfigView, kind: OwnerKind, id: string): string | null {
  if (kind === 'user') return users.get(id)?.name ?? null;
  return id === MASTER_ID ? MASTER_NAME : (apiKeys.get(id)?.name ?? null);
}

/** Looks names up in the configuration as it is at each call. */
export function createEntryNames(view: () => ConfigView): EntryNames {
  return {
    keyName({ keyId, keyName }) {
      return keyId === null ? null : (presentName(view(), 'key', keyId) ?? keyName);
    },
    userName({ userId, userName }) {
      return userId === null ? null : (presentName(view(), 'user', userId) ?? userName);
    },
    modelName({ modelId }) {
      return modelId === null ? null : (view().models.get(modelId)?.name ?? null);
    },
  };
}
