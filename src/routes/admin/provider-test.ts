import { sendJson } from '../../http/reply.ts';
import { probeProvider } from '../../providers/model-list.ts';
import { requireEntity } from '../../store/changes.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';

/** Tests a provider step by step, with its stored key at its stored address. */
export function testProvider(services: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const provider = requireEntity(services.store.config.view(), 'providers', id);
    const { steps, evidence } = await probeProvider(provider, {
      ...services.connectionOptions,
      upstreams: services.upstreams,
      signal: context.signal,
      now: services.now,
    });
    if (evidence !== null) services.health.noteTest({ providerId: id, ...evidence });
    sendJson(context, 200, { ok: steps.every((step) => step.ok), steps });
  };
}
