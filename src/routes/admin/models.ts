import { sendEmpty, sendJson } from '../../http/reply.ts';
import { notFound, requireEntity, requireFree, withEntity, withoutEntities } from '../../store/changes.ts';
import type { Model } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import type { Handler } from '../context.ts';
import { given, refuseUnbuilt, requireField, toBoolean, toId, toText, wrong } from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { Services } from '../services.ts';

/** A model as the panel sees it; fallbacks and prices are not there yet. */
function viewModel(model: Model): Record<string, unknown> {
  return { ...model, fallbacks: [], price: null };
}

export function listModels({ store }: Services): Handler {
  return (context) => {
    sendJson(context, 200, { data: [...store.config.view().models.values()].map(viewModel) });
  };
}

export function getModel({ store }: Services): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    sendJson(context, 200, viewModel(requireEntity(store.config.view(), 'models', id)));
  };
}

export function createModel(services: Services): Handler {
  return async (context) => {
    const fields = await readFields(context, services.budget);
    const id = toId(requireField(fields, 'id'), 'id');
    const time = new Date(services.now()).toISOString();
    const draft: Model = {
      id,
      name: id,
      providerId: toId(requireField(fields, 'providerId'), 'providerId'),
      upstreamModel: null,
      enabled: true,
      vision: null,
      createdAt: time,
      updatedAt: time,
    };
    const created = await services.store.config.update((state) => {
      requireFree(state, 'models', id);
      const model = edit(draft, fields, state);
      return { state: withEntity(state, 'models', model), result: model };
    });
    sendJson(context, 201, viewModel(created));
  };
}

export function updateModel(services: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const fields = await readFields(context, services.budget);
    const updated = await services.store.config.update((state) => {
      const edited = edit(requireEntity(state, 'models', id), fields, state);
      const model = { ...edited, updatedAt: new Date(services.now()).toISOString() };
      return { state: withEntity(state, 'models', model), result: model };
    });
    sendJson(context, 200, viewModel(updated));
  };
}

export function deleteModel({ store }: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    await store.config.update((state) => {
      if (!state.models.has(id)) throw notFound('models');
      return { state: withoutEntities(state, 'models', (model) => model.id === id), result: null };
    });
    sendEmpty(context, 204);
  };
}

function edit(before: Model, fields: Fields, state: ConfigState): Model {
  refuseUnbuilt(fields, ['fallbacks', 'price']);
  const providerId = given(fields, 'providerId', before.providerId, toId);
  if (!state.providers.has(providerId))
    throw wrong('providerId', 'names no provider; add the provider first');
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    providerId,
    upstreamModel: given(fields, 'upstreamModel', before.upstreamModel, toUpstreamModel),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    vision: given(fields, 'vision', before.vision, (value, param) =>
      value === null ? null : toBoolean(value, param),
    ),
  };
}

/** Any text: vendors name models as they like. Empty means the same as the id. */
function toUpstreamModel(value: unknown, param: string): string | null {
  return value === null || value === '' ? null : toText(value, param, 512);
}
