import type { Fallback } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import { priceOf } from '../usage/prices.ts';
import { type FoundModel, upstreamName } from './routing.ts';

/**
 * True if a target of a model that may be asked has no price: a call could then cost what nobody counts. Targets at missing
 * and disabled providers do not matter.
 */
export function hasUnpricedTarget({
  found,
  modelId,
  view,
}: {
  found: FoundModel;
  modelId: string;
  view: ConfigView;
}): boolean {
  const { model, wildcard } = found;
  const isUnpriced = ({ providerId, upstreamModel, price }: Omit<Fallback, 'weight'>): boolean => {
    const provider = view.providers.get(providerId);
    if (provider?.enabled !== true) return false;
    const name = upstreamName(upstreamModel, wildcard) ?? modelId;
    return priceOf({ own: price, modelPrice: model.price, provider, upstreamModel: name }) === null;
  };
  return isUnpriced(model) || model.fallbacks.some(isUnpriced);
}
