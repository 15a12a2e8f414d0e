import { HttpError } from '../errors.ts';
import type { Provider } from '../store/entities.ts';
import type { CompiledKey, CompiledProvider } from './adapter.ts';

/** The first key that can be used; null: the provider has none. @throws HttpError as `noUsableKey`, if all are out of use. */
export function firstKeyOf({ keys, hasKeys, record }: CompiledProvider): CompiledKey | null {
  const [key = null] = keys;
  if (key === null && hasKeys) throw noUsableKey(record);
  return key;
}

/** The error `provider_not_configured` for a provider that has keys, none of which can be used. */
export function noUsableKey({ id, keys }: Provider): HttpError {
  const enabled = keys.filter((key) => key.enabled);
  let message = `Every key of provider ${id} is disabled. Enable one in the panel.`;
  if (enabled.some(({ secret }) => secret !== null))
    message = `The key of provider ${id} contains characters not allowed in HTTP headers. Enter it again in the panel.`;
  else if (enabled.length > 0)
    message = `The key of provider ${id} cannot be decrypted. Set the right ENCRYPTION_KEY, or enter the key again.`;
  return new HttpError('provider_not_configured', message, { headers: { 'x-should-retry': 'false' } });
}
