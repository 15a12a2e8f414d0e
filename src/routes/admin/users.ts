import { parseNewPassword } from '../../auth/passwords.ts';
import { HttpError } from '../../errors.ts';
import { sendEmpty, sendJson } from '../../http/reply.ts';
import { notFound, requireEntity, withEntity, withoutEntities } from '../../store/changes.ts';
import type { User } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import type { Handler } from '../context.ts';
import { given, refuseUnbuilt, requireField, toBoolean, toModelList, toText } from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { Services } from '../services.ts';

/** A user as the panel shows them. */
function viewUser(user: User): Record<string, unknown> {
  const { passwordHash: _passwordHash, ...visible } = user;
  return { ...visible, limits: null };
}

export function listUsers({ store }: Services): Handler {
  return (context) => {
    sendJson(context, 200, { data: [...store.config.view().users.values()].map(viewUser) });
  };
}

export function getUser({ store }: Services): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    sendJson(context, 200, viewUser(requireEntity(store.config.view(), 'users', id)));
  };
}

export function createUser(services: Services): Handler {
  return async (context) => {
    const fields = await readFields(context, services.budget);
    const username = toUsername(requireField(fields, 'username'));
    const password = parseNewPassword(requireField(fields, 'password'), 'password');
    const time = new Date(services.now()).toISOString();
    const draft: User = {
      id: `user_${services.randomBytes(9).toString('base64url')}`,
      username,
      name: username,
      enabled: true,
      models: null,
      passwordHash: '',
      createdAt: time,
      updatedAt: time,
    };
    const edited = edit(draft, fields);
    requireFreeUsername(services.store.config.view(), edited, services);
    const passwordHash = await services.credentials.hashPassword(password);
    const created = await services.store.config.update((state) => {
      const user = { ...edited, passwordHash };
      requireFreeUsername(state, user, services);
      return { state: withEntity(state, 'users', user), result: user };
    });
    sendJson(context, 201, viewUser(created));
  };
}

export function updateUser(services: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const fields = await readFields(context, services.budget);
    edit(requireEntity(services.store.config.view(), 'users', id), fields);
    const typed = fields.get('password');
    const password = typed === undefined || typed === '' ? null : parseNewPassword(typed, 'password');
    const passwordHash = password === null ? null : await services.credentials.hashPassword(password);
    const updated = await services.store.config.update((state) => {
      const edited = edit(requireEntity(state, 'users', id), fields);
      const user = {
        ...edited,
        passwordHash: passwordHash ?? edited.passwordHash,
        updatedAt: new Date(services.now()).toISOString(),
      };
      requireFreeUsername(state, user, services);
      return { state: withEntity(state, 'users', user), result: user };
    });
    if (passwordHash !== null || !updated.enabled) await services.sessions.endAll(id);
    sendJson(context, 200, viewUser(updated));
  };
}

export function deleteUser(services: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    await services.store.config.update((state) => {
      if (!state.users.has(id)) throw notFound('users');
      const keyless = withoutEntities(state, 'apiKeys', (key) => key.userId === id);
      return { state: withoutEntities(keyless, 'users', (user) => user.id === id), result: null };
    });
    await services.sessions.endAll(id);
    sendEmpty(context, 204);
  };
}

function edit(before: User, fields: Fields): User {
  refuseUnbuilt(fields, ['limits']);
  return {
    ...before,
    username: given(fields, 'username', before.username, toUsername),
    name: given(fields, 'name', before.name, toText),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    models: given(fields, 'models', before.models, toModelList),
  };
}

function toUsername(value: unknown): string {
  return toText(value, 'username', 64);
}

function requireFreeUsername(state: ConfigState, user: User, services: Services): void {
  const folded = user.username.toLowerCase();
  const taken = [...state.users.values()].some(
    (other) => other.id !== user.id && other.username.toLowerCase() === folded,
  );
  if (!taken && folded !== services.config.uiUsername.toLowerCase()) return;
  throw new HttpError('already_exists', 'This username is taken. Choose another one.', { param: 'username' });
}
