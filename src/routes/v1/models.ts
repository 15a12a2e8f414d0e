import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import { isVisionModel } from '../../protocols/vision.ts';
import { shownText } from '../../shown-text.ts';
import type { Model, Principal } from '../../store/entities.ts';
import type { ConfigView } from '../../store/store.ts';
import type { Handler } from '../context.ts';
import { mayUse } from './model-rights.ts';

/** Lists the models that the key may use, from the configuration, without asking an upstream. */
export function listModels(view: () => ConfigView): Handler {
  return (context) => {
    const data = offeredModels(view(), context.principal).map(toModelObject);
    sendJson(context, 200, { object: 'list', data });
  };
}

/** Returns one model; a model that the key may not use is not found. */
export function retrieveModel(view: () => ConfigView): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    const state = view();
    const model = state.models.get(id);
    if (model === undefined || !isOffered(state, model) || !mayUse(context.principal, id)) {
      throw new HttpError(
        'model_not_found',
        `The model \`${shownText(id)}\` does not exist, or your key may not use it.`,
        {
          param: 'model',
        },
      );
    }
    sendJson(context, 200, toModelObject(model));
  };
}

/** The models that a principal may use, in the order of the list. */
export function offeredModels(state: ConfigView, principal: Principal): Model[] {
  const models = [...state.models.values()];
  return models.filter((model) => isOffered(state, model) && mayUse(principal, model.id));
}

function isOffered(state: ConfigView, model: Model): boolean {
  return model.enabled && state.providers.get(model.providerId)?.enabled === true;
}

/** OpenAI's model object, with `name` and `vision` added for chat pages. */
function toModelObject(model: Model): Record<string, unknown> {
  return {
    id: model.id,
    object: 'model',
    created: Math.floor(Date.parse(model.createdAt) / 1000),
    owned_by: model.providerId,
    name: model.name,
    vision: isVisionModel(model),
  };
}
