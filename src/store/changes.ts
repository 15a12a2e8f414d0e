import { HttpError } from '../errors.ts';
import type { ConfigState } from './store.ts';

export type Collection = 'providers' | 'models' | 'apiKeys' | 'users';
type Entity<C extends Collection> = ConfigState[C] extends ReadonlyMap<string, infer E> ? E : never;

/** The state with one entity added or replaced. */
export function withEntity<C extends Collection>(
  state: ConfigState,
  collection: C,
  entity: Entity<C> & { readonly id: string },
): ConfigState {
  return { ...state, [collection]: new Map<string, unknown>(state[collection]).set(entity.id, entity) };
}

/** The state without the entities that the predicate names. */
export function withoutEntities<C extends Collection>(
  state: ConfigState,
  collection: C,
  matches: (entity: Entity<C>) => boolean,
): ConfigState {
  const kept = [...state[collection]].filter(([, entity]) => !matches(entity as Entity<C>));
  return { ...state, [collection]: new Map<string, unknown>(kept) };
}

const NOUNS: Record<Collection, string> = {
  providers: 'provider',
  models: 'model',
  apiKeys: 'API key',
  users: 'user',
};

/** @throws HttpError `not_found`; the message is the same for an entity of somebody else. */
export function requireEntity<C extends Collection>(
  state: ConfigState,
  collection: C,
  id: string,
): Entity<C> {
  const found = state[collection].get(id);
  if (found === undefined) throw notFound(collection);
  return found as Entity<C>;
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
