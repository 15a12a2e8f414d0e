import { describeKey, generateKey } from './auth/api-keys.ts';
import type { MasterKey } from './store/entities.ts';
import type { ConfigStore } from './store/store.ts';

export interface MasterKeyOptions {
  /** MASTER_API_KEY, or null where it is not set. */
  readonly configured: string | null;
  readonly randomBytes: (size: number) => Buffer;
  /** Shows a generated key to the owner, once: it is stored as a digest only. */
  readonly announce: (key: string) => void;
}

/** The master key: the environment's, else the one generated at the first start. @throws HttpError `storage_unavailable`. */
export async function resolveMasterKey(config: ConfigStore, options: MasterKeyOptions): Promise<MasterKey> {
  const { configured } = options;
  if (configured !== null) return describeKey(configured);
  const stored = config.snapshot().masterKey;
  if (stored !== null) return stored;
  const key = generateKey(options.randomBytes);
  const masterKey = describeKey(key);
  await config.update((state) => ({ state: { ...state, masterKey }, result: null }));
  options.announce(key);
  return masterKey;
}
