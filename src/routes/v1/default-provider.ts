import type { Principal } from '../../store/entities.ts';
import type { ConfigView } from '../../store/store.ts';

/** True for those who may use paths without a row, and leave out the model. */
export function mayPassThrough(principal: Principal): boolean {
  switch (principal.kind) {
    case 'master':
    case 'admin':
      return true;
    case 'key':
      return principal.key.passThrough;
    default:
      return false;
  }
}

/** True if there is a provider for requests that name no model. */
export function hasDefaultProvider({ settings, providers }: ConfigView): boolean {
  return settings.defaultProviderId !== null && providers.has(settings.defaultProviderId);
}
