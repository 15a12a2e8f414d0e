import { userFingerprint } from '../../src/auth/credentials.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { User } from '../../src/store/entities.ts';
import { makeUser } from '../helpers/records.ts';
import type { AppUnderTest } from '../helpers/start-app.ts';

/** A stored hash of a password that nobody knows. */
const SOME_HASH = `scrypt$16384$8$5$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Puts a user into the store and opens a session for him, without the time that a password takes; returns its token. */
export async function addUser(
  app: AppUnderTest,
  fields: Pick<User, 'id'> & Partial<Omit<User, 'id'>>,
): Promise<string> {
  const createdAt = new Date(app.services.now()).toISOString();
  const user = makeUser({ passwordHash: SOME_HASH, createdAt, updatedAt: createdAt, ...fields });
  const { config } = app.services.store;
  await changeConfig(config, (state) => ({ state: withEntity(state, 'users', user), result: null }));
  return openSession(app, user);
}

/** One more session of a user. */
export async function openSession(app: AppUnderTest, user: User): Promise<string> {
  const opened = await app.services.sessions.open({ user, credential: userFingerprint(user.passwordHash) });
  return opened.token;
}

/** The whole configuration as text, to see whether anything in it has changed. */
export function stateOf(app: AppUnderTest): string {
  const { providers, models, apiKeys, users, masterKey, instanceId } = app.services.store.config.view();
  const lists = [providers, models, apiKeys, users].map((map) => [...map.values()]);
  return JSON.stringify({ lists, masterKey, instanceId });
}
