import type { Model, Provider, ProviderKey, User } from '../../src/store/entities.ts';
import { newModel, newProvider } from '../../src/store/new-records.ts';

/** The fields of a provider; `apiKey`, or `unreadable` for one that cannot be decrypted, stands for its only key. */
export interface ProviderFields extends Partial<Provider> {
  readonly apiKey?: string | null;
  readonly unreadable?: string | null;
}

/** A record without anything particular, but for the fields that are given. */
export function makeProvider(fields: ProviderFields & Pick<Provider, 'id' | 'baseUrl'>): Provider {
  const { apiKey = null, unreadable = null, ...given } = fields;
  const keys = apiKey === null && unreadable === null ? [] : [makeKey({ secret: apiKey, unreadable })];
  return newProvider({ name: fields.id, keys, ...given }, '');
}

/** As `makeProvider`. */
export function makeKey(fields: Partial<ProviderKey>): ProviderKey {
  return { id: 'key_1', secret: null, unreadable: null, enabled: true, ...fields };
}

/** The first key of a provider in clear text; null: it has none, or it cannot be read. */
export function secretOf(provider: Provider | undefined): string | null {
  return provider?.keys[0]?.secret ?? null;
}

/** The ciphertext of a provider's first key; null: it has none, or it can be read. */
export function unreadableOf(provider: Provider | undefined): string | null {
  return provider?.keys[0]?.unreadable ?? null;
}

/** As `makeProvider`. */
export function makeModel(fields: Partial<Model> & Pick<Model, 'id' | 'providerId'>): Model {
  return newModel(fields, '');
}

/** As `makeProvider`; the id is the username too. */
export function makeUser(fields: Partial<User> & Pick<User, 'id' | 'passwordHash'>): User {
  return {
    username: fields.id,
    name: fields.id,
    enabled: true,
    models: null,
    limits: null,
    createdAt: '',
    updatedAt: '',
    ...fields,
  };
}
