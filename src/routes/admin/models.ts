import { isRecord } from '../../json/value.ts';
import { requireFree } from '../../store/changes.ts';
import type { Fallback, Model, ModelOptions, Price, Provider } from '../../store/entities.ts';
import { newModel } from '../../store/new-records.ts';
import { MODEL_OPTION_RULES, WEIGHT } from '../../store/record-rules.ts';
import type { ConfigState } from '../../store/store.ts';
import { type EffectivePrice, effectivePriceOf } from '../../usage/prices.ts';
import {
  FIELD_LIMITS,
  type FieldReader,
  given,
  orNull,
  requireField,
  toBoolean,
  toId,
  toText,
  wrong,
} from '../fields.ts';
import type { Fields } from '../json-body.ts';
import type { Resource, View } from '../resource.ts';
import { isModelPicker } from '../v1/model-pickers.ts';
import { toOptions } from './options.ts';
import { toPrice } from './price-fields.ts';

const FALLBACKS_LIMIT = 32;

/** Models under `/api/admin/models`. `configView` is the current configuration, by which they are priced. */
export function modelResource(configView: () => ConfigState): Resource<'models'> {
  return {
    collection: 'models',
    view: (models) => {
      const { providers } = configView();
      return models.map((model) => view(model, providers));
    },
    readNew({ fields, time }) {
      const id = toModelId(requireField(fields, 'id'), 'id');
      const providerId = toId(requireField(fields, 'providerId'), 'providerId');
      const draft = newModel({ id, providerId }, time);
      return {
        create(state) {
          requireFree(state, 'models', id);
          return edit(draft, fields, state);
        },
      };
    },
    readEdit: ({ fields, time }) => {
      return (before, state) => ({ ...edit(before, fields, state), updatedAt: time });
    },
  };
}

function view(model: Model, providers: ReadonlyMap<string, Provider>): View {
  const { id, price: modelPrice } = model;
  const priceAt = ({ providerId, upstreamModel, price }: PricedRoute): EffectivePrice =>
    effectivePriceOf({
      own: price,
      modelPrice,
      provider: providers.get(providerId) ?? NO_PROVIDER,
      upstreamModel: upstreamModel ?? id,
    });
  const fallbacks = model.fallbacks.map((fallback) => ({ ...fallback, effectivePrice: priceAt(fallback) }));
  return { ...model, fallbacks, effectivePrice: priceAt(model) };
}

type PricedRoute = Pick<Fallback, 'providerId' | 'upstreamModel' | 'price'>;

/** Stands for one that is missing, as a file edited by hand may have it. */
const NO_PROVIDER = { baseUrl: '', prices: {} };

function edit(before: Model, fields: Fields, state: ConfigState): Model {
  const providerId = given(fields, 'providerId', before.providerId, toId);
  requireProvider(state, providerId, 'providerId');
  const toUpstream = orNull(upstreamReader(before.id));
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    providerId,
    upstreamModel: given(fields, 'upstreamModel', before.upstreamModel, toUpstream),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    vision: given(fields, 'vision', before.vision, (value, param) =>
      value === null ? null : toBoolean(value, param),
    ),
    weight: given(fields, 'weight', before.weight, orNull(toWeight)),
    fallbacks: given(fields, 'fallbacks', before.fallbacks, (value, param) =>
      toList(value, param).map((item, index) => {
        const fallback = toFallback(item, `${param}[${index}]`, toUpstream);
        requireProvider(state, fallback.providerId, `${param}[${index}].providerId`);
        const isPriceGiven = isRecord(item) && item['price'] !== undefined;
        return isPriceGiven ? fallback : { ...fallback, price: priceBefore(before, fallback) };
      }),
    ),
    options: given(fields, 'options', before.options, (value) => toModelOptions(value, before.options)),
    price: given(fields, 'price', before.price, toPrice),
  };
}

/** @throws HttpError `invalid_value`. */
function toModelOptions(value: unknown, before: ModelOptions): ModelOptions {
  const options = toOptions(value, before, MODEL_OPTION_RULES);
  for (const name of Object.values(options.rename ?? {})) {
    // A request is searched for these names before it is changed.
    if (isModelPicker(name)) throw wrong('options.rename', `must not make \`${name}\`, which picks a model`);
  }
  return options;
}

/** An id may hold one `*`, also alone. */
function toModelId(value: unknown, param: string): string {
  if (typeof value !== 'string' || !value.includes('*')) return toId(value, param);
  if (value.split('*').length > 2) throw wrong(param, 'must hold at most one *');
  // The `*` stands where a letter may stand.
  toId(value.replace('*', 'x'), param);
  return value;
}

/** Any text, because vendors name models as they like. A `*` takes what the `*` of the id stood for, so both must be there. */
function upstreamReader(modelId: string): FieldReader<string> {
  const stars = modelId.includes('*') ? 1 : 0;
  return (value, param) => {
    const text = toText(value, param, FIELD_LIMITS.upstreamModel);
    if (text.split('*').length - 1 <= stars) return text;
    throw wrong(param, stars === 1 ? 'must hold at most one *' : 'must hold no *, because the id holds none');
  };
}

function toWeight(value: unknown, param: string): number {
  if (typeof value === 'number' && WEIGHT.isRight(value)) return value;
  throw wrong(param, `must be ${WEIGHT.expected}, or null`);
}

function toList(value: unknown, param: string): readonly unknown[] {
  if (value === null) return [];
  if (Array.isArray(value) && value.length <= FALLBACKS_LIMIT) return value;
  throw wrong(param, `must be a list of at most ${FALLBACKS_LIMIT} fallbacks`);
}

function toFallback(value: unknown, param: string, toUpstream: FieldReader<string | null>): Fallback {
  if (!isRecord(value)) throw wrong(param, 'must be an object with providerId, upstreamModel and weight');
  const { providerId, upstreamModel, weight, price } = value;
  return {
    providerId: toId(providerId, `${param}.providerId`),
    upstreamModel: toUpstream(upstreamModel, `${param}.upstreamModel`),
    weight: orNull(toWeight)(weight, `${param}.weight`),
    price: toPrice(price, `${param}.price`),
  };
}

/** Who leaves a fallback's price out, such as a program that knows nothing of prices, does not mean to remove it. */
function priceBefore({ fallbacks }: Model, { providerId, upstreamModel }: Fallback): Price | null {
  const same = fallbacks.find(
    (known) => known.providerId === providerId && known.upstreamModel === upstreamModel,
  );
  return same?.price ?? null;
}

function requireProvider({ providers }: ConfigState, id: string, param: string): void {
  if (!providers.has(id)) throw wrong(param, 'names no provider: add the provider first');
}
