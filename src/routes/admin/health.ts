import { sendJson } from '../../http/reply.ts';
import { requireEntity } from '../../store/changes.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { viewProvider } from './providers.ts';

/** How all providers work. */
export function providersHealth({ store, health }: Services): Handler {
  return (context) => {
    const providers = [...store.config.view().providers.values()];
    const data = providers.map((provider) => ({ providerId: provider.id, ...health.ofProvider(provider) }));
    sendJson(context, 200, { data });
  };
}

/** Ends all rests of a provider, and answers with the provider. */
export function wakeProvider({ store, health }: Services): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    const provider = requireEntity(store.config.view(), 'providers', id);
    health.wakeProvider(id);
    sendJson(context, 200, viewProvider(provider, health));
  };
}
