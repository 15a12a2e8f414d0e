import { parseNewPassword } from '../../auth/passwords.ts';
import { HttpError } from '../../errors.ts';
import { requireEntity, withoutEntities } from '../../store/changes.ts';
import type { User } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import { FIELD_LIMITS, given, requireField, toBoolean, toModelList, toText } from '../fields.ts';
import type { Fields } from '../json-body.ts';
import { toLimits } from '../limit-fields.ts';
import type { EntityRequest, Resource, View } from '../resource.ts';
import type { Services } from '../services.ts';

/** Users under `/api/admin/users`. A user's keys and sessions go along with them. */
export function userResource(services: Services): Resource<'users'> {
  const { store, config, credentials, sessions } = services;
  return {
    collection: 'users',
    view: (users) => viewUsers(users, services),
    async readNew(request) {
      const username = toUsername(requireField(request.fields, 'username'));
      const password = parseNewPassword(requireField(request.fields, 'password'), 'password');
      const draft = edit(newUser(username, request, services), request.fields);
      // Checked before the slow hash as well, so that a taken name is refused at once.
      requireFreeUsername(store.config.view(), draft, config.uiUsername);
      const user = { ...draft, passwordHash: await credentials.hashPassword(password) };
      return {
        create(state) {
          requireFreeUsername(state, user, config.uiUsername);
          return user;
        },
      };
    },
    async readEdit({ id, fields, time }) {
      // Checked before the slow hash as well, so that wrong fields are refused at once.
      edit(requireEntity(store.config.view(), 'users', id), fields);
      const passwordHash = await hashGiven(fields, services);
      return (before, state) => {
        const edited = edit(before, fields);
        const user = { ...edited, passwordHash: passwordHash ?? before.passwordHash, updatedAt: time };
        requireFreeUsername(state, user, config.uiUsername);
        return user;
      };
    },
    readRemoval: () => (user, state) => withoutEntities(state, 'apiKeys', (key) => key.userId === user.id),
    async afterChange(before, after) {
      const isStillIn = after?.enabled === true && after.passwordHash === before.passwordHash;
      if (!isStillIn) await sessions.endAll(before.id);
    },
  };
}

/** Users as the admin sees them: without their passwords, with their use. */
export function viewUsers(users: readonly User[], { budgets }: Pick<Services, 'budgets'>): View[] {
  return users.map((user) => {
    const { passwordHash: _passwordHash, ...visible } = user;
    return { ...visible, usage: budgets.usageOf('user', user) };
  });
}

/** The hash of the new password; null if the request gives none, or an empty one. */
async function hashGiven(fields: Fields, { credentials }: Services): Promise<string | null> {
  const password = fields.get('password');
  if (password === undefined || password === '') return null;
  return credentials.hashPassword(parseNewPassword(password, 'password'));
}

function newUser(username: string, { time }: EntityRequest, { randomBytes }: Services): User {
  return {
    id: `user_${randomBytes(9).toString('base64url')}`,
    username,
    name: username,
    enabled: true,
    models: null,
    limits: null,
    passwordHash: '',
    createdAt: time,
    updatedAt: time,
  };
}

function edit(before: User, fields: Fields): User {
  return {
    ...before,
    username: given(fields, 'username', before.username, toUsername),
    name: given(fields, 'name', before.name, toText),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    models: given(fields, 'models', before.models, toModelList),
    limits: given(fields, 'limits', before.limits, toLimits),
  };
}

function toUsername(value: unknown): string {
  return toText(value, 'username', FIELD_LIMITS.username);
}

/** Names differ by more than upper and lower case, from the admin's name as well. @throws HttpError `already_exists`. */
function requireFreeUsername(state: ConfigState, user: User, adminName: string): void {
  const folded = user.username.toLowerCase();
  const isTaken = [...state.users.values()].some(
    (other) => other.id !== user.id && other.username.toLowerCase() === folded,
  );
  if (!isTaken && folded !== adminName.toLowerCase()) return;
  throw new HttpError('already_exists', 'This username is taken. Choose another one.', { param: 'username' });
}
