import { requireStillSignedIn } from '../../auth/credentials.ts';
import { HttpError } from '../../errors.ts';
import type { ConfigState } from '../../store/store.ts';
import {
  editApiKey,
  newApiKey,
  requireFreshKey,
  requireLimitsNotLoosened,
  requireNotWidened,
  requireWithinOwner,
  viewApiKeys,
} from '../api-key-records.ts';
import type { Fields } from '../json-body.ts';
import type { Resource } from '../resource.ts';
import type { Services } from '../services.ts';
import { signedInUser } from './me.ts';

/** How many keys a user may have. */
const KEYS_LIMIT = 100;

/** The signed-in user's own keys, under `/api/user/apikeys`. */
export function ownKeyResource(services: Services): Resource<'apiKeys'> {
  const { masterKey } = services;
  return {
    collection: 'apiKeys',
    view: (keys) => viewApiKeys(keys, services),
    isVisible: (key, principal) => key.userId === signedInUser(principal).user.id,
    readNew(request) {
      const { user } = signedInUser(request.principal);
      refusePassThrough(request.fields);
      const { key, record } = newApiKey(request, user.id, services);
      return {
        create(state) {
          const owner = requireStillSignedIn(state.users, user);
          requireWithinOwner(record, owner);
          requireLimitsNotLoosened(null, record, owner);
          requireFreshKey(state, record, masterKey().digest);
          requireRoom(state, user.id);
          return record;
        },
        shownOnce: { key },
      };
    },
    readEdit: ({ fields, principal }) => {
      const { user } = signedInUser(principal);
      refusePassThrough(fields);
      return (before, state) => {
        const after = editApiKey(before, fields);
        const owner = requireStillSignedIn(state.users, user);
        requireNotWidened(before, after, owner);
        requireLimitsNotLoosened(before, after, owner);
        return after;
      };
    },
  };
}

/** @throws HttpError `forbidden`: users have no default provider of their own. */
function refusePassThrough(fields: Fields): void {
  if (fields.get('passThrough') !== true) return;
  throw new HttpError('forbidden', '`passThrough` is set by the admin alone.', { param: 'passThrough' });
}

/** @throws HttpError `invalid_value` if the user has as many keys as they may have. */
function requireRoom(state: ConfigState, userId: string): void {
  let count = 0;
  for (const key of state.apiKeys.values()) count += key.userId === userId ? 1 : 0;
  if (count < KEYS_LIMIT) return;
  throw new HttpError('invalid_value', `You already have ${KEYS_LIMIT} keys. Delete one first.`);
}
