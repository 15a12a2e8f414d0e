import type { Provider } from '../store/entities.ts';
import type { ProviderAdapter } from './adapter.ts';
import { chutesAdapter, isChutes } from './chutes.ts';
import { openaiAdapter } from './openai.ts';

const adapters = new WeakMap<Provider, ProviderAdapter>();

/** Which adapter speaks to a provider; decided once, a changed provider is another object. */
export function adapterFor(provider: Provider): ProviderAdapter {
  const known = adapters.get(provider);
  if (known !== undefined) return known;
  const adapter = isChutes(provider) ? chutesAdapter : openaiAdapter;
  adapters.set(provider, adapter);
  return adapter;
}
