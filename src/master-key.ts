import { describeKey, generateKey } from './auth/api-keys.ts';
import { changeConfig } from './store/change-config.ts';
import type { MasterKey } from './store/entities.ts';
import type { ConfigStore } from './store/store.ts';

export interface MasterKeyOptions {
  /** MASTER_API_KEY; null: not set. */
  readonly configured: string | null;
  readonly randomBytes: (size: number) => Buffer;
  /** Shows a generated key to the owner, once: only its digest is stored. */
  readonly announce: (key: string) => void;
}

/**
 * Finds the master key: the environment's, else the stored one, which the first start generates. Returns a function that
 * gives the current key, because a restore may replace the stored one.
 * @throws HttpError `storage_unavailable`.
 */
export async function resolveMasterKey(
  config: ConfigStore,
  options: MasterKeyOptions,
): Promise<() => MasterKey> {
  if (options.configured !== null) {
    const configured = describeKey(options.configured);
    return () => configured;
  }
  const stored = config.view().masterKey ?? (await generate(config, options));
  return () => config.view().masterKey ?? stored;
}

async function generate(
  config: ConfigStore,
  { randomBytes, announce }: MasterKeyOptions,
): Promise<MasterKey> {
  const key = generateKey(randomBytes);
  const generated = describeKey(key);
  // Another instance may have generated one meanwhile: its key counts.
  const masterKey = await changeConfig(config, (state) => {
    const result = state.masterKey ?? generated;
    return { state: { ...state, masterKey: result }, result };
  });
  if (masterKey === generated) announce(key);
  return masterKey;
}
