import { sendEmpty, sendJson } from '../http/reply.ts';
import {
  type Collection,
  type Entities,
  entitiesOf,
  notFound,
  requireEntity,
  withEntity,
  withoutEntities,
} from '../store/changes.ts';
import type { Principal } from '../store/entities.ts';
import type { ConfigState } from '../store/store.ts';
import type { Context, Handler } from './context.ts';
import { type Fields, readFields } from './json-body.ts';
import type { Services } from './services.ts';

/** An object of an answer. */
export type View = Readonly<Record<string, unknown>>;

/** A request to create or to change an entity. */
export interface EntityRequest {
  /** Percent-decoded, from the path; empty where an entity is created. */
  readonly id: string;
  readonly fields: Fields;
  readonly principal: Principal;
  /** When the body had arrived, ISO 8601. */
  readonly time: string;
}

/** Makes the new entity. */
export type Creation<C extends Collection> = (state: ConfigState) => Entities[C];
/** Makes the changed entity. */
export type Edit<C extends Collection> = (before: Entities[C], state: ConfigState) => Entities[C];
/** Removes what goes along with the entity, which is removed afterwards. */
export type Removal<C extends Collection> = (entity: Entities[C], state: ConfigState) => ConfigState;

/** An entity that has a row in the list but is not in the configuration: nobody changes or deletes it here. */
export interface FixedEntity {
  readonly id: string;
  view(): View;
  /** The error for an attempt to change or delete it. */
  refusal(): Error;
}

/**
 * One kind of entity under `/api`. A change has two steps: a `read` function checks what the request says and may wait;
 * the function it returns checks that against the newest configuration and makes the new value. The second step is pure,
 * because it runs again if another change was stored meanwhile. Both throw HttpError.
 */
export interface Resource<C extends Collection> {
  readonly collection: C;
  /** The entity without its secrets. */
  view(entity: Entities[C]): View;
  /** Whether a caller may know of an entity; absent: every entity. Others get `not_found`. */
  isVisible?(entity: Entities[C], principal: Principal): boolean;
  /** `shownOnce` is added to the answer of this creation and is never shown again. */
  readNew(request: EntityRequest): MaybePromise<{ create: Creation<C>; shownOnce?: View }>;
  readEdit(request: EntityRequest): MaybePromise<Edit<C>>;
  /** Absent: nothing speaks against a removal, and nothing goes along. `query` comes without its `?`. */
  readRemoval?(query: string): Removal<C>;
  /** Runs when a change is stored and before it is answered; `after` is null for a removal. */
  afterChange?(before: Entities[C], after: Entities[C] | null): Promise<void>;
  readonly fixed?: FixedEntity;
}

type MaybePromise<T> = T | Promise<T>;

export interface ResourceHandlers {
  readonly list: Handler;
  readonly get: Handler;
  readonly create: Handler;
  readonly update: Handler;
  readonly delete: Handler;
}

/** Makes the handlers of a resource's five routes. */
export function resourceHandlers<C extends Collection>(
  resource: Resource<C>,
  services: Services,
): ResourceHandlers {
  return {
    list: list(resource, services),
    get: get(resource, services),
    create: create(resource, services),
    update: update(resource, services),
    delete: remove(resource, services),
  };
}

function list<C extends Collection>(resource: Resource<C>, { store }: Services): Handler {
  const { collection, fixed } = resource;
  return (context) => {
    const data = fixed === undefined ? [] : [fixed.view()];
    for (const entity of entitiesOf(store.config.view(), collection).values()) {
      if (isVisible(resource, entity, context)) data.push(resource.view(entity));
    }
    sendJson(context, 200, { data });
  };
}

function get<C extends Collection>(resource: Resource<C>, { store }: Services): Handler {
  const { fixed } = resource;
  return (context) => {
    if (fixed?.id === idOf(context)) return sendJson(context, 200, fixed.view());
    sendJson(context, 200, resource.view(find(resource, store.config.view(), context)));
  };
}

function create<C extends Collection>(resource: Resource<C>, services: Services): Handler {
  return async (context) => {
    const request = await readRequest(context, services);
    const { create, shownOnce } = await resource.readNew(request);
    const created = await services.changeConfig((state) => {
      const entity = create(state);
      return { state: withEntity(state, resource.collection, entity), result: entity };
    });
    sendJson(context, 201, { ...resource.view(created), ...shownOnce });
  };
}

function update<C extends Collection>(resource: Resource<C>, services: Services): Handler {
  return async (context) => {
    const request = await readRequest(context, services);
    refuseFixed(resource, request.id);
    const edit = await resource.readEdit(request);
    const { before, after } = await services.changeConfig((state) => {
      const before = find(resource, state, context);
      const after = edit(before, state);
      return { state: withEntity(state, resource.collection, after), result: { before, after } };
    });
    await resource.afterChange?.(before, after);
    sendJson(context, 200, resource.view(after));
  };
}

function remove<C extends Collection>(resource: Resource<C>, services: Services): Handler {
  return async (context) => {
    const id = idOf(context);
    refuseFixed(resource, id);
    const removeRest = resource.readRemoval?.(context.query);
    const removed = await services.changeConfig((state) => {
      const entity = find(resource, state, context);
      const rest = removeRest?.(entity, state) ?? state;
      return {
        state: withoutEntities(rest, resource.collection, (other) => other.id === id),
        result: entity,
      };
    });
    await resource.afterChange?.(removed, null);
    sendEmpty(context, 204);
  };
}

async function readRequest(context: Context, { budget, now }: Services): Promise<EntityRequest> {
  const fields = await readFields(context, budget);
  return { id: idOf(context), fields, principal: context.principal, time: new Date(now()).toISOString() };
}

function find<C extends Collection>(
  resource: Resource<C>,
  state: ConfigState,
  context: Context,
): Entities[C] {
  const entity = requireEntity(state, resource.collection, idOf(context));
  if (isVisible(resource, entity, context)) return entity;
  throw notFound(resource.collection);
}

function isVisible<C extends Collection>(
  resource: Resource<C>,
  entity: Entities[C],
  { principal }: Context,
): boolean {
  return resource.isVisible === undefined || resource.isVisible(entity, principal);
}

function refuseFixed<C extends Collection>({ fixed }: Resource<C>, id: string): void {
  if (fixed?.id === id) throw fixed.refusal();
}

function idOf({ params }: Context): string {
  return params.get('id') ?? '';
}
