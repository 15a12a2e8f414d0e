import type { Provider } from '../store/entities.ts';
import type { ProviderAdapter } from './adapter.ts';
import { openaiAdapter } from './openai.ts';

/** Which adapter speaks to a provider. */
export function adapterFor(_provider: Provider): ProviderAdapter {
  return openaiAdapter;
}
