import { HttpError } from '../../errors.ts';
import { sendEmpty, sendJson } from '../../http/reply.ts';
import { notFound, requireEntity, withEntity, withoutEntities } from '../../store/changes.ts';
import { type ApiKey, MASTER_ID, type User } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import {
  editApiKey,
  lastUsedCounter,
  newApiKey,
  requireFreshKey,
  requireNotWidened,
  requireWithinOwner,
  viewApiKey,
} from '../api-key-records.ts';
import type { Handler } from '../context.ts';
import { toId, wrong } from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { Services } from '../services.ts';

export function listApiKeys(services: Services): Handler {
  const { store } = services;
  return (context) => {
    const keys = [...store.config.view().apiKeys.values()].map((key) => viewApiKey(key, store.counters));
    sendJson(context, 200, { data: [viewMaster(services), ...keys] });
  };
}

export function getApiKey(services: Services): Handler {
  const { store } = services;
  return (context) => {
    const id = context.params.get('id') ?? '';
    if (id === MASTER_ID) return sendJson(context, 200, viewMaster(services));
    const key = requireEntity(store.config.view(), 'apiKeys', id);
    sendJson(context, 200, viewApiKey(key, store.counters));
  };
}

export function createApiKey(services: Services): Handler {
  const { store } = services;
  return async (context) => {
    const fields = await readFields(context, services.budget);
    const { key, record } = newApiKey(fields, toOwnerId(fields, null), services);
    await store.config.update((state) => {
      requireWithinOwner(record, ownerOf(state, record));
      requireFreshKey(state, record, services.masterKey().digest);
      return { state: withEntity(state, 'apiKeys', record), result: null };
    });
    sendJson(context, 201, { ...viewApiKey(record, store.counters), key });
  };
}

export function updateApiKey(services: Services): Handler {
  const { store } = services;
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const fields = await readFields(context, services.budget);
    if (id === MASTER_ID) throw masterProtected();
    const updated = await store.config.update((state) => {
      const before = requireEntity(state, 'apiKeys', id);
      const record = { ...editApiKey(before, fields), userId: toOwnerId(fields, before.userId) };
      requireNotWidened(before, record, ownerOf(state, record));
      return { state: withEntity(state, 'apiKeys', record), result: record };
    });
    sendJson(context, 200, viewApiKey(updated, store.counters));
  };
}

export function deleteApiKey({ store }: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    if (id === MASTER_ID) throw masterProtected();
    await store.config.update((state) => {
      if (!state.apiKeys.has(id)) throw notFound('apiKeys');
      return { state: withoutEntities(state, 'apiKeys', (key) => key.id === id), result: null };
    });
    sendEmpty(context, 204);
  };
}

function toOwnerId(fields: Fields, before: string | null): string | null {
  const value = fields.get('userId');
  if (value === undefined) return before;
  return value === null || value === '' ? null : toId(value, 'userId');
}

function ownerOf(state: ConfigState, key: ApiKey): User | null {
  if (key.userId === null) return null;
  const owner = state.users.get(key.userId);
  if (owner === undefined) throw wrong('userId', 'names no user');
  return owner;
}

/** The master key among the others: it is set in the environment, not here. */
function viewMaster({ masterKey, store, lifecycle }: Services): Record<string, unknown> {
  const lastUsed = store.counters.get(lastUsedCounter(MASTER_ID));
  return {
    id: MASTER_ID,
    name: 'Master key',
    keyHint: masterKey().keyHint,
    enabled: true,
    models: null,
    userId: null,
    expiresAt: null,
    limits: null,
    createdAt: new Date(lifecycle.startedAt).toISOString(),
    lastUsedAt: lastUsed === undefined ? null : new Date(lastUsed).toISOString(),
  };
}

function masterProtected(): HttpError {
  return new HttpError(
    'master_key_protected',
    'The master key cannot be changed, disabled or deleted here. Set MASTER_API_KEY to replace it.',
  );
}
