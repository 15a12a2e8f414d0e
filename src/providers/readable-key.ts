import { HttpError } from '../errors.ts';
import type { Provider } from '../store/entities.ts';

/** @throws HttpError `provider_not_configured` if the provider's key cannot be decrypted. */
export function requireReadableKey(provider: Provider): void {
  if (provider.unreadableApiKey !== null) throw keyUnreadable(provider);
}

/** The error for a provider whose key cannot be decrypted. */
export function keyUnreadable({ id }: Provider): HttpError {
  return new HttpError(
    'provider_not_configured',
    `The key of provider ${id} cannot be decrypted. Set the right ENCRYPTION_KEY, or enter the key again.`,
    { headers: { 'x-should-retry': 'false' } },
  );
}
