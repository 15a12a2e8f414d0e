import { MASTER_ID } from '../store/entities.ts';
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

/** Looks names up in the configuration as it is at each call. */
export function createEntryNames(view: () => ConfigView): EntryNames {
  return {
    keyName({ keyId, keyName }) {
      if (keyId === null) return null;
      return keyId === MASTER_ID ? 'Master key' : (view().apiKeys.get(keyId)?.name ?? keyName);
    },
    userName({ userId, userName }) {
      return userId === null ? null : (view().users.get(userId)?.name ?? userName);
    },
    modelName({ modelId }) {
      return modelId === null ? null : (view().models.get(modelId)?.name ?? null);
    },
  };
}
