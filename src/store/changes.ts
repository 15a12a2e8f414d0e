import { HttpError } from '../errors.ts';
import type { ApiKey, Model, Provider, User } from './entities.ts';
import type { ConfigState } from './store.ts';

/** What each collection of the configuration holds. */
export interface Entities {
  readonly providers: Provider;
  readonly models: Model;
  readonly apiKeys: ApiKey;
  readonly users: User;
}

export type Collection = keyof Entities;
type Collections = { readonly [C in Collection]: ReadonlyMap<string, Entities[C]> };

/** The collections in the order of a database file. */
export const COLLECTIONS = ['providers', 'models', 'apiKeys', 'users'] as const satisfies Collection[];

/** The entities of a collection by id, in the order of lists. */
export function entitiesOf<C extends Collection>(
  state: ConfigState,
  collection: C,
): ReadonlyMap<string, Entities[C]> {
  const collections: Collections = state;
  return collections[collection];
}

/** The state with one entity added or replaced. */
export function withEntity<C extends Collection>(
  state: ConfigState,
  collection: C,
  entity: Entities[C],
): ConfigState {
  return { ...state, [collection]: new Map<string, unknown>(state[collection]).set(entity.id, entity) };
}

/** The state without the entities that the predicate names. */
export function withoutEntities<C extends Collection>(
  state: ConfigState,
  collection: C,
  matches: (entity: Entities[C]) => boolean,
): ConfigState {
  const kept = [...entitiesOf(state, collection)].filter(([, entity]) => !matches(entity));
  return { ...state, [collection]: new Map<string, unknown>(kept) };
}

const NOUNS: Record<Collection, string> = {
  providers: 'provider',
  models: 'model',
  apiKeys: 'API key',
  users: 'user',
};

/** @throws HttpError `not_found`; the message is the same for an entity that belongs to somebody else. */
export function requireEntity<C extends Collection>(
  state: ConfigState,
  collection: C,
  id: string,
): Entities[C] {
  const found = entitiesOf(state, collection).get(id);
  if (found === undefined) throw notFound(collection);
  return found;
}

/** The error `not_found` of a collection. */
export function notFound(collection: Collection): HttpError {
  return new HttpError('not_found', `There is no such ${NOUNS[collection]}.`);
}

/** @throws HttpError `already_exists`. */
export function requireFree(state: ConfigState, collection: Collection, id: string): void {
  if (!state[collection].has(id)) return;
  throw new HttpError('already_exists', `A ${NOUNS[collection]} with the id ${id} exists already.`, {
    param: 'id',
  });
}
