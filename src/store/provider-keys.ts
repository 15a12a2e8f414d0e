import type { Provider, ProviderKey } from './entities.ts';

/** The id of the key of a provider that had only one, in files of earlier versions. */
export const FIRST_KEY_ID = 'key_1';

/** A new key of a provider. Its id is new too, so that nothing that is known of another key counts for it. */
export function newProviderKey(secret: string, randomBytes: (count: number) => Buffer): ProviderKey {
  return { id: `key_${randomBytes(9).toString('base64url')}`, secret, unreadable: null, enabled: true };
}

/** True if a key of the provider cannot be decrypted. */
export function hasUnreadableKey({ keys }: Provider): boolean {
  return keys.some(({ unreadable }) => unreadable !== null);
}
