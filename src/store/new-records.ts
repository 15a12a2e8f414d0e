import type { Model, Provider, Settings } from './entities.ts';

/** The settings of a new database. */
export const NEW_SETTINGS: Settings = {
  defaultProviderId: null,
  unpricedModels: 'allow',
  alertWebhook: null,
};

/** A provider with the values that a new one has where none are given. `time` is ISO 8601. */
export function newProvider(
  fields: Pick<Provider, 'id' | 'name' | 'baseUrl'> & Partial<Provider>,
  time: string,
): Provider {
  return {
    keys: [],
    type: 'openai',
    enabled: true,
    options: {},
    prices: {},
    createdAt: time,
    updatedAt: time,
    ...fields,
  };
}

/** A model with the values that a new one has where none are given. `time` is ISO 8601. */
export function newModel(fields: Pick<Model, 'id' | 'providerId'> & Partial<Model>, time: string): Model {
  return {
    name: fields.id,
    upstreamModel: null,
    enabled: true,
    vision: null,
    weight: null,
    fallbacks: [],
    options: {},
    price: null,
    createdAt: time,
    updatedAt: time,
    ...fields,
  };
}
