import { requireFree } from '../../store/changes.ts';
import type { Model } from '../../store/entities.ts';
import { newModel } from '../../store/new-records.ts';
import type { ConfigState } from '../../store/store.ts';
import {
  FIELD_LIMITS,
  given,
  orNull,
  refuseUnbuilt,
  requireField,
  toBoolean,
  toId,
  toText,
  wrong,
} from '../fields.ts';
import type { Fields } from '../json-body.ts';
import type { Resource } from '../resource.ts';

/** Models under `/api/admin/models`. Fallbacks and prices are not built yet. */
export const MODELS: Resource<'models'> = {
  collection: 'models',
  view: (models) => models.map((model) => ({ ...model, fallbacks: [], price: null })),
  readNew({ fields, time }) {
    const id = toId(requireField(fields, 'id'), 'id');
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

function edit(before: Model, fields: Fields, state: ConfigState): Model {
  refuseUnbuilt(fields, ['fallbacks', 'price']);
  const providerId = given(fields, 'providerId', before.providerId, toId);
  if (!state.providers.has(providerId))
    throw wrong('providerId', 'names no provider: add the provider first');
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    providerId,
    upstreamModel: given(fields, 'upstreamModel', before.upstreamModel, orNull(toUpstreamModel)),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    vision: given(fields, 'vision', before.vision, (value, param) =>
      value === null ? null : toBoolean(value, param),
    ),
  };
}

/** Any text, because vendors name models as they like. */
function toUpstreamModel(value: unknown, param: string): string {
  return toText(value, param, FIELD_LIMITS.upstreamModel);
}
