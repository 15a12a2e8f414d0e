import { HttpError } from '../../errors.ts';
import { lookUpModel, upstreamName } from '../../gateway/routing.ts';
import { sendJson } from '../../http/reply.ts';
import { isVisionModel } from '../../protocols/vision.ts';
import { shownText } from '../../shown-text.ts';
import type { Model, Principal } from '../../store/entities.ts';
import type { ConfigView } from '../../store/store.ts';
import { priceOf } from '../../usage/prices.ts';
import type { Handler } from '../context.ts';
import { mayUse } from './model-rights.ts';

/** Lists the models that the key may use, from the configuration, without asking an upstream. */
export function listModels(view: () => ConfigView): Handler {
  return (context) => {
    const state = view();
    const models = offeredModels(state, context.principal);
    sendJson(context, 200, {
      object: 'list',
      data: models.map((model) => toListed(state, model, context.principal)),
      has_more: false,
      first_id: models[0]?.id ?? null,
      last_id: models.at(-1)?.id ?? null,
      // Codex fails without it.
      models: [],
    });
  };
}

/** Returns one model, for every name that is served; a model that the key may not use is not found. */
export function retrieveModel(view: () => ConfigView): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    const found = mayUse(context.principal, id) ? serving(view(), id) : null;
    if (found === null) {
      throw new HttpError(
        'model_not_found',
        `The model \`${shownText(id)}\` does not exist, or your key may not use it.`,
        {
          param: 'model',
        },
      );
    }
    sendJson(context, 200, found);
  };
}

/** The models that a principal may use, in the order of the list. Those that serve many names are not listed. */
export function offeredModels(state: ConfigView, principal: Principal): Model[] {
  const models = [...state.models.values()];
  return models.filter(
    (model) => !model.id.includes('*') && isOffered(state, model) && mayUse(principal, model.id),
  );
}

/** The object of the model that serves a name; null: none does. */
function serving(state: ConfigView, name: string): Record<string, unknown> | null {
  const found = lookUpModel(state, name);
  if (found === null || !isOffered(state, found.model)) return null;
  const { model, wildcard } = found;
  if (wildcard === null) return toModelObject(model);
  const upstreamModel = upstreamName(model.upstreamModel, wildcard);
  return toModelObject({ ...model, id: name, name, upstreamModel });
}

/** True if one of the model's providers is enabled. */
function isOffered({ providers }: ConfigView, { enabled, providerId, fallbacks }: Model): boolean {
  const isOn = (id: string): boolean => providers.get(id)?.enabled === true;
  return enabled && (isOn(providerId) || fallbacks.some((fallback) => isOn(fallback.providerId)));
}

/** For a session the model has its `price` too (of the first target, null: not known), from which the chat tells costs. */
function toListed(state: ConfigView, model: Model, { kind }: Principal): Record<string, unknown> {
  const object = toModelObject(model);
  if (kind !== 'admin' && kind !== 'user') return object;
  const provider = state.providers.get(model.providerId);
  const upstreamModel = model.upstreamModel ?? model.id;
  const used = provider && priceOf({ own: model.price, provider, upstreamModel });
  return { ...object, price: used?.price ?? null };
}

/** The model object of OpenAI and of Anthropic in one, with `name` and `vision` added for chat pages. */
function toModelObject(model: Model): Record<string, unknown> {
  return {
    id: model.id,
    object: 'model',
    type: 'model',
    display_name: model.name,
    created: Math.floor(Date.parse(model.createdAt) / 1000),
    created_at: model.createdAt,
    owned_by: model.providerId,
    name: model.name,
    vision: isVisionModel(model),
  };
}
