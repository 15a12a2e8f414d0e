import { HttpError } from '../../errors.ts';
import { type ApiKey, MASTER_ID, MASTER_NAME, type User } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import {
  editApiKey,
  newApiKey,
  requireFreshKey,
  requireNotWidened,
  requireWithinOwner,
  viewApiKeys,
} from '../api-key-records.ts';
import { given, orNull, toBoolean, toId, wrong } from '../fields.ts';
import type { FixedEntity, Resource } from '../resource.ts';
import type { Services } from '../services.ts';

/** The keys of all users and the master key, under `/api/admin/apikeys`. */
export function apiKeyResource(services: Services): Resource<'apiKeys'> {
  const { masterKey } = services;
  return {
    collection: 'apiKeys',
    view: (keys) => viewApiKeys(keys, services),
    readNew(request) {
      const userId = given(request.fields, 'userId', null, orNull(toId));
      const { key, record: made } = newApiKey(request, userId, services);
      const record = { ...made, passThrough: given(request.fields, 'passThrough', false, toBoolean) };
      return {
        create(state) {
          requireWithinOwner(record, ownerOf(state, record));
          requireFreshKey(state, record, masterKey().digest);
          return record;
        },
        shownOnce: { key },
      };
    },
    readEdit: ({ fields }) => {
      return (before, state) => {
        const edited = editApiKey(before, fields);
        const after = {
          ...edited,
          userId: given(fields, 'userId', before.userId, orNull(toId)),
          passThrough: given(fields, 'passThrough', before.passThrough, toBoolean),
        };
        requireNotWidened(before, after, ownerOf(state, after));
        return after;
      };
    },
    fixed: masterRow(services),
  };
}

/** @throws HttpError `invalid_value`. */
function ownerOf(state: ConfigState, key: ApiKey): User | null {
  if (key.userId === null) return null;
  const owner = state.users.get(key.userId);
  if (owner === undefined) throw wrong('userId', 'names no user');
  return owner;
}

/** The master key comes from the environment or from the first start, so it is only shown here. */
function masterRow({ masterKey, lifecycle }: Services): FixedEntity<'apiKeys'> {
  return {
    id: MASTER_ID,
    read() {
      const { digest, keyHint } = masterKey();
      return {
        id: MASTER_ID,
        name: MASTER_NAME,
        digest,
        keyHint,
        enabled: true,
        models: null,
        userId: null,
        expiresAt: null,
        passThrough: true,
        limits: null,
        createdAt: new Date(lifecycle.startedAtMs).toISOString(),
      };
    },
    refusal: () =>
      new HttpError(
        'master_key_protected',
        'The master key cannot be changed, disabled or deleted here. To replace it, set MASTER_API_KEY and restart.',
      ),
  };
}
