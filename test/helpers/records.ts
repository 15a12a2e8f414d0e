import type { Model, Provider, User } from '../../src/store/entities.ts';

/** A record without anything particular, but for the fields that are given. */
export function makeProvider(fields: Partial<Provider> & Pick<Provider, 'id' | 'baseUrl'>): Provider {
  return {
    name: fields.id,
    apiKey: null,
    unreadableApiKey: null,
    type: 'openai',
    enabled: true,
    options: {},
    createdAt: '',
    updatedAt: '',
    ...fields,
  };
}

/** As `makeProvider`. */
export function makeModel(fields: Partial<Model> & Pick<Model, 'id' | 'providerId'>): Model {
  return {
    name: fields.id,
    upstreamModel: null,
    enabled: true,
    vision: null,
    createdAt: '',
    updatedAt: '',
    ...fields,
  };
}

/** As `makeProvider`; the id is the username too. */
export function makeUser(fields: Partial<User> & Pick<User, 'id' | 'passwordHash'>): User {
  return {
    username: fields.id,
    name: fields.id,
    enabled: true,
    models: null,
    createdAt: '',
    updatedAt: '',
    ...fields,
  };
}
