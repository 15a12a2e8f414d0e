import { requireStillSignedIn } from '../../auth/credentials.ts';
import { HttpError } from '../../errors.ts';
import { sendEmpty, sendJson } from '../../http/reply.ts';
import { notFound, withEntity, withoutEntities } from '../../store/changes.ts';
import type { ApiKey } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import {
  editApiKey,
  newApiKey,
  requireFreshKey,
  requireNotWidened,
  requireWithinOwner,
  viewApiKey,
} from '../api-key-records.ts';
import type { Handler } from '../context.ts';
import { readFields } from '../json-body.ts';
import type { Services } from '../services.ts';
import { signedInUser } from './me.ts';

/** How many keys of their own a user may have. */
const KEYS_LIMIT = 100;

export function listOwnKeys({ store }: Services): Handler {
  return (context) => {
    const { user } = signedInUser(context);
    const keys = [...store.config.view().apiKeys.values()].filter((key) => key.userId === user.id);
    sendJson(context, 200, { data: keys.map((key) => viewApiKey(key, store.counters)) });
  };
}

export function getOwnKey({ store }: Services): Handler {
  return (context) => {
    const { user } = signedInUser(context);
    const key = requireOwnKey(store.config.view(), context.params.get('id') ?? '', user.id);
    sendJson(context, 200, viewApiKey(key, store.counters));
  };
}

export function createOwnKey(services: Services): Handler {
  const { store } = services;
  return async (context) => {
    const { user } = signedInUser(context);
    const fields = await readFields(context, services.budget);
    const { key, record } = newApiKey(fields, user.id, services);
    await store.config.update((state) => {
      requireWithinOwner(record, requireStillSignedIn(state.users, user));
      requireFreshKey(state, record, services.masterKey().digest);
      let count = 0;
      for (const other of state.apiKeys.values()) count += other.userId === user.id ? 1 : 0;
      if (count >= KEYS_LIMIT) {
        throw new HttpError('invalid_value', `You have ${KEYS_LIMIT} keys already. Delete one first.`);
      }
      return { state: withEntity(state, 'apiKeys', record), result: null };
    });
    sendJson(context, 201, { ...viewApiKey(record, store.counters), key });
  };
}

export function updateOwnKey(services: Services): Handler {
  const { store } = services;
  return async (context) => {
    const { user } = signedInUser(context);
    const id = context.params.get('id') ?? '';
    const fields = await readFields(context, services.budget);
    const updated = await store.config.update((state) => {
      const before = requireOwnKey(state, id, user.id);
      const record = editApiKey(before, fields);
      requireNotWidened(before, record, requireStillSignedIn(state.users, user));
      return { state: withEntity(state, 'apiKeys', record), result: record };
    });
    sendJson(context, 200, viewApiKey(updated, store.counters));
  };
}

export function deleteOwnKey({ store }: Services): Handler {
  return async (context) => {
    const { user } = signedInUser(context);
    const id = context.params.get('id') ?? '';
    await store.config.update((state) => {
      requireOwnKey(state, id, user.id);
      return { state: withoutEntities(state, 'apiKeys', (key) => key.id === id), result: null };
    });
    sendEmpty(context, 204);
  };
}

/** Somebody else's key is answered as one that does not exist. */
function requireOwnKey(state: ConfigState, id: string, userId: string): ApiKey {
  const key = state.apiKeys.get(id);
  if (key === undefined || key.userId !== userId) throw notFound('apiKeys');
  return key;
}
