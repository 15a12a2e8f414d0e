import type { Provider } from '../store/entities.ts';
import type { ProviderAdapter } from './adapter.ts';
import { chutesAdapter, isChutes } from './chutes.ts';
import { openaiAdapter } from './openai.ts';

/** Which adapter speaks to a provider. */
export function adapterFor(provider: Provider): ProviderAdapter {
  return isChutes(provider) ? chutesAdapter : openaiAdapter;
}
