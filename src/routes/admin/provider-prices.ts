import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import type { ListedModel } from '../../providers/listed-models.ts';
import { fetchListedModels } from '../../providers/model-list.ts';
import { shownText } from '../../shown-text.ts';
import { requireEntity, withEntity } from '../../store/changes.ts';
import type { Price, Provider, ProviderPrice } from '../../store/entities.ts';
import { PROVIDER_PRICES_LIMIT } from '../../store/price-rules.ts';
import { isLargeChange } from '../../usage/price-change.ts';
import { effectivePriceOf } from '../../usage/prices.ts';
import type { Context, Handler } from '../context.ts';
import { requireField, wrong } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { View } from '../resource.ts';
import type { Services } from '../services.ts';

/**
 * Lists the models that the provider offers: which of them are already set up here, the price that the provider tells, and
 * the price in effect now.
 */
export function listUpstreamModels(services: Services): Handler {
  return async (context) => {
    const { provider, models } = await fetchModels(context, services);
    const imported = new Set<string>();
    for (const model of services.store.config.view().models.values()) {
      if (model.providerId === provider.id) imported.add(model.upstreamModel ?? model.id);
    }
    const data = models.map((model) => ({
      id: model.id,
      imported: imported.has(model.id),
      ...viewPriceChange(provider, model),
    }));
    sendJson(context, 200, { data });
  };
}

/**
 * The price that the provider tells beside the one in effect now without the owner's own; `price` null: it tells none any more.
 * Nothing for a model whose price it never told.
 */
function viewPriceChange(provider: Provider, { id, price }: ListedModel): View {
  const effectivePrice = effectivePriceOf({ own: null, provider, upstreamModel: id });
  const { source } = effectivePrice;
  if (price === null && source !== 'provider') return {};
  return { price, effectivePrice, isLargeChange: source !== null && isLargeChange(effectivePrice, price) };
}

/** Takes over the prices that the provider tells now for the named models. A price that it tells no more is removed. */
export function takeOverPrices(services: Services): Handler {
  return async (context) => {
    const names = toModelNames(requireField(await readFields(context, services.budget), 'models'));
    const { provider: asked, models } = await fetchModels(context, services);
    const told = new Map(models.map(({ id, price }) => [id, price]));
    const time = new Date(services.now()).toISOString();
    const data = await services.changeConfig((state) => {
      const provider = requireEntity(state, 'providers', asked.id);
      if (provider.baseUrl !== asked.baseUrl) throw movedMeanwhile();
      const changed = withPrices(provider, names, { told, time });
      return { state: withEntity(state, 'providers', changed.provider), result: changed.rows };
    });
    sendJson(context, 200, { data });
  };
}

async function fetchModels(
  { params, signal }: Context,
  { store, connectionOptions, upstreams }: Services,
): Promise<{ readonly provider: Provider; readonly models: readonly ListedModel[] }> {
  const provider = requireEntity(store.config.view(), 'providers', params.get('id') ?? '');
  return { provider, models: await fetchListedModels(provider, { ...connectionOptions, upstreams, signal }) };
}

interface PriceRow {
  readonly model: string;
  readonly before: Price | null;
  readonly after: Price | null;
}

interface ToldPrices {
  /** The prices that the provider tells, by its names of models. */
  readonly told: ReadonlyMap<string, Price | null>;
  /** ISO 8601. */
  readonly time: string;
}

/** @throws HttpError `invalid_value` for a model without an old and a new price, and for too many prices. */
function withPrices(
  provider: Provider,
  names: readonly string[],
  { told, time }: ToldPrices,
): { readonly provider: Provider; readonly rows: readonly PriceRow[] } {
  const prices = new Map<string, ProviderPrice>(Object.entries(provider.prices));
  const rows = names.map((model): PriceRow => {
    const before = prices.get(model)?.price ?? null;
    const after = told.get(model) ?? null;
    if (before === null && after === null)
      throw wrong('models', `must name models whose price the provider tells: ${shownText(model)} has none`);
    if (after === null) prices.delete(model);
    else prices.set(model, { price: after, asOf: time });
    return { model, before, after };
  });
  if (prices.size > PROVIDER_PRICES_LIMIT)
    throw wrong('models', `must not bring the provider's prices above ${PROVIDER_PRICES_LIMIT}`);
  return { provider: { ...provider, prices: Object.fromEntries(prices), updatedAt: time }, rows };
}

function toModelNames(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.length <= PROVIDER_PRICES_LIMIT;
  if (isList && value.every((name) => typeof name === 'string')) return [...new Set<string>(value)];
  throw wrong('models', `must be a list of at most ${PROVIDER_PRICES_LIMIT} names of models at the provider`);
}

function movedMeanwhile(): HttpError {
  const message =
    "Nothing was changed: the provider's base URL was changed meanwhile. Fetch the prices again.";
  return new HttpError('invalid_value', message, { param: 'models' });
}
