import type { UseEstimate } from '../limits/use-estimate.ts';
import type { Fallback, Price } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import type { PriceUsed } from '../usage/call-entry.ts';
import { costOf, priceOf } from '../usage/prices.ts';
import { NO_USAGE } from '../usage/usage.ts';
import { type FoundModel, upstreamName } from './routing.ts';

/** A model as it was asked for. */
export interface AskedModel {
  readonly found: FoundModel;
  readonly modelId: string;
  readonly view: ConfigView;
}

/**
 * True if a target of a model that may be asked has no price: a call could then cost what nobody counts. Targets at missing
 * and disabled providers do not matter.
 */
export function hasUnpricedTarget(asked: AskedModel): boolean {
  return pricesOf(asked).includes(null);
}

/** What a call may cost at the first target that may be asked, in nano-dollars; 0 where its price is not known. */
export function costOfEstimate(use: UseEstimate, asked: AskedModel): number {
  const price = priceToExpect(asked);
  if (price === null) return 0;
  // 0 is not known, so that another part of the price can hold.
  const usage = {
    ...NO_USAGE,
    promptTokens: use.promptTokens || null,
    completionTokens: use.answerTokens || null,
    images: use.images || null,
    audioSeconds: use.audioSeconds || null,
  };
  return costOf(price, usage) ?? 0;
}

/** The price of the first target that may be asked; null: it is not known. */
export function priceToExpect(asked: AskedModel): Price | null {
  return pricesOf(asked)[0]?.price ?? null;
}

/** The price of each target at an enabled provider; null: it is not known. */
function pricesOf({ found: { model, wildcard }, modelId, view }: AskedModel): (PriceUsed | null)[] {
  const prices: (PriceUsed | null)[] = [];
  const add = ({ providerId, upstreamModel, price: own }: Omit<Fallback, 'weight'>): void => {
    const provider = view.providers.get(providerId);
    if (provider?.enabled !== true) return;
    const name = upstreamName(upstreamModel, wildcard) ?? modelId;
    prices.push(priceOf({ own, modelPrice: model.price, provider, upstreamModel: name }));
  };
  add(model);
  for (const fallback of model.fallbacks) add(fallback);
  return prices;
}
