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
  /** From the path, percent-decoded; empty in a creation. */
  readonly id: string;
  readonly fields: Fields;
  readonly principal: Principal;
  /** When the body was complete, ISO 8601. */
  readonly time: string;
}

/** Makes the new entity. */
export type Creation<C extends Collection> = (state: ConfigState) => Entities[C];
/** Makes the changed entity. */
export type Edit<C extends Collection> = (before: Entities[C], state: ConfigState) => Entities[C];
/** Removes what goes along with the entity, which is removed afterwards. */
export type Removal<C extends Collection> = (entity: Entities[C], state: ConfigState) => ConfigState;

/** An entity that comes first in the list but is not in the configuration: nobody changes or deletes it here. */
export interface FixedEntity<C extends Collection> {
  readonly id: string;
  read(): Entities[C];
  /** The error for an attempt to change or delete it. */
  refusal(): Error;
}

/**
 * One kind of entity under `/api`. A change has two steps, and both throw HttpError. A `read...` function checks the
 * request; it may wait. The function it returns then checks the newest configuration and makes the new value; it is pure,
 * because it runs again if another change was stored meanwhile.
 */
export interface Resource<C extends Collection> {
  readonly collection: C;
  /** The entities without their secrets, in the same order. */
  view(entities: readonly Entities[C][]): MaybePromise<readonly View[]>;
  /** Whether a caller may know of an entity; absent: every entity. Others get `not_found`. */
  isVisible?(entity: Entities[C], principal: Principal): boolean;
  /** `shownOnce` is added to the answer of this creation and is never shown again. */
  readNew(request: EntityRequest): MaybePromise<{ create: Creation<C>; shownOnce?: View }>;
  readEdit(request: EntityRequest): MaybePromise<Edit<C>>;
  /** Absent: nothing speaks against a removal, and nothing goes along. `query` comes without its `?`. */
  readRemoval?(query: string): Removal<C>;
  /** Runs when a change is stored and before it is answered; `after` is null for a removal. */
  afterChange?(before: Entities[C], after: Entities[C] | null): Promise<void>;
  readonly fixed?: FixedEntity<C>;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * The handlers of a resource's five routes.
 * @example
 * const users = new ResourceHandlers(userResource(services), services);
 * const row: RouteRow = ['GET', '/api/admin/users', 'admin', users.list];
 */
export class ResourceHandlers<C extends Collection> {
  readonly #resource: Resource<C>;
  readonly #services: Services;

  constructor(resource: Resource<C>, services: Services) {
    this.#resource = resource;
    this.#services = services;
  }

  readonly list: Handler = async (context) => {
    const { collection, fixed } = this.#resource;
    const entities = fixed === undefined ? [] : [fixed.read()];
    for (const entity of entitiesOf(this.#services.store.config.view(), collection).values()) {
      if (this.#isVisible(entity, context)) entities.push(entity);
    }
    sendJson(context, 200, { data: await this.#resource.view(entities) });
  };

  readonly get: Handler = async (context) => {
    const { fixed } = this.#resource;
    const isFixed = fixed?.id === idOf(context);
    const entity = isFixed ? fixed.read() : this.#find(this.#services.store.config.view(), context);
    sendJson(context, 200, await this.#view(entity));
  };

  readonly create: Handler = async (context) => {
    const { collection } = this.#resource;
    const { create, shownOnce } = await this.#resource.readNew(await this.#read(context));
    const created = await this.#services.changeConfig((state) => {
      const entity = create(state);
      return { state: withEntity(state, collection, entity), result: entity };
    });
    sendJson(context, 201, { ...(await this.#view(created)), ...shownOnce });
  };

  readonly update: Handler = async (context) => {
    const { collection } = this.#resource;
    const request = await this.#read(context);
    this.#refuseFixed(request.id);
    const edit = await this.#resource.readEdit(request);
    const { before, after } = await this.#services.changeConfig((state) => {
      const before = this.#find(state, context);
      const after = edit(before, state);
      return { state: withEntity(state, collection, after), result: { before, after } };
    });
    await this.#resource.afterChange?.(before, after);
    sendJson(context, 200, await this.#view(after));
  };

  readonly delete: Handler = async (context) => {
    const { collection } = this.#resource;
    const id = idOf(context);
    this.#refuseFixed(id);
    const removeRest = this.#resource.readRemoval?.(context.query);
    const removed = await this.#services.changeConfig((state) => {
      const entity = this.#find(state, context);
      const rest = removeRest?.(entity, state) ?? state;
      return { state: withoutEntities(rest, collection, (other) => other.id === id), result: entity };
    });
    await this.#resource.afterChange?.(removed, null);
    sendEmpty(context, 204);
  };

  async #read(context: Context): Promise<EntityRequest> {
    const { budget, now } = this.#services;
    const fields = await readFields(context, budget);
    return { id: idOf(context), fields, principal: context.principal, time: new Date(now()).toISOString() };
  }

  async #view(entity: Entities[C]): Promise<View> {
    const [view = {}] = await this.#resource.view([entity]);
    return view;
  }

  #find(state: ConfigState, context: Context): Entities[C] {
    const entity = requireEntity(state, this.#resource.collection, idOf(context));
    if (this.#isVisible(entity, context)) return entity;
    throw notFound(this.#resource.collection);
  }

  #isVisible(entity: Entities[C], { principal }: Context): boolean {
    return this.#resource.isVisible?.(entity, principal) ?? true;
  }

  #refuseFixed(id: string): void {
    const { fixed } = this.#resource;
    if (fixed?.id === id) throw fixed.refusal();
  }
}

function idOf({ params }: Context): string {
  return params.get('id') ?? '';
}
