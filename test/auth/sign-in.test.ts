import assert from 'node:assert/strict';
import { randomBytes, scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AdminCredential } from '../../src/auth/credentials.ts';
import { createLoginThrottle } from '../../src/auth/login-throttle.ts';
import { createPasswordWork } from '../../src/auth/password-work.ts';
import { Sessions } from '../../src/auth/sessions.ts';
import { createSignIn, type SignIn, type SignInRequest } from '../../src/auth/sign-in.ts';
import { HttpError } from '../../src/errors.ts';
import type { User } from '../../src/store/entities.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { makeUser } from '../helpers/records.ts';

const PASSWORD = 'swordfish-99';

/** As stored once with smaller parameters, so that many sign-ins take little time. */
const ADMIN: AdminCredential = {
  username: 'admin',
  isManagedByEnvironment: true,
  isDefault: () => false,
  passwordHash: async () => {
    const salt = Buffer.alloc(16, 7);
    const hash = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 1, p: 1 });
    return `scrypt$1024$1$1$${salt.toString('base64url')}$${hash.toString('base64url')}`;
  },
  fingerprint: async () => 'fingerprint',
};

function signInOf(
  hasDefaultPassword = false,
  work = createPasswordWork(),
  users: ReadonlyMap<string, User> = new Map(),
): SignIn {
  const now = (): number => 1_800_000_000_000;
  const store = createMemoryStore({ now, randomBytes });
  const sessions = new Sessions({
    store: store.sessions,
    now,
    randomBytes,
    adminFingerprint: ADMIN.fingerprint,
    userById: (id) => store.config.view().users.get(id),
  });
  const throttle = createLoginThrottle({ now, lastUse: store.lastUse, attempts: store.attempts });
  const userByUsername = () => users;
  const admin = { ...ADMIN, isDefault: () => hasDefaultPassword };
  return createSignIn({ admin, userByUsername, throttle, work, sessions });
}

const REQUEST: SignInRequest = {
  username: 'admin',
  password: PASSWORD,
  role: 'any',
  address: '198.51.100.1',
  isLocal: async () => false,
};

async function codeOf(answer: Promise<unknown>): Promise<string | null> {
  try {
    await answer;
    return 'signed in';
  } catch (error) {
    assert.ok(error instanceof HttpError);
    assert.doesNotMatch(JSON.stringify(error), /swordfish/);
    return error.error.code;
  }
}

describe('createSignIn()', () => {
  it('opens a session for the right password', async () => {
    const { account, token, expiresAt, session } = await signInOf()(REQUEST);
    assert.equal(account.role, 'admin');
    assert.match(token, /^[\w-]{43}$/);
    assert.equal(expiresAt, new Date(session.createdAt + 12 * 60 * 60 * 1000).toISOString());
  });

  it('says the same to a wrong name and a wrong password, then that it is enough', async () => {
    const signIn = signInOf();
    const wrong = { ...REQUEST, password: 'swordfish-98' };
    const messages = new Set<string>();
    for (let index = 0; index < 10; index += 1) {
      const request = index > 0 ? wrong : { ...wrong, username: 'nobody' };
      await assert.rejects(signIn(request), (error) => {
        assert.ok(error instanceof HttpError);
        assert.equal(error.status, 401);
        messages.add(JSON.stringify(error.error));
        return true;
      });
    }
    assert.equal(messages.size, 1);
    assert.equal(await codeOf(signIn(REQUEST)), 'too_many_attempts');
    assert.equal(await codeOf(signIn({ ...REQUEST, address: '198.51.100.2' })), 'signed in');
  });

  it('does not count attempts that the full queue turned away', async () => {
    const work = createPasswordWork({ maxWaiting: { public: 0, trusted: 0 } });
    const signIn = signInOf(false, work);
    let release = (): void => {};
    const held = work(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    for (let index = 0; index < 30; index += 1)
      assert.equal(await codeOf(signIn(REQUEST)), 'too_many_attempts');
    release();
    await held;
    assert.equal(await codeOf(signIn(REQUEST)), 'signed in');
  });

  it('tells a switched off user so as often as he comes with his password, and a guesser nothing', async () => {
    const passwordHash = await ADMIN.passwordHash();
    const off = makeUser({ id: 'off', passwordHash, enabled: false });
    const signIn = signInOf(false, createPasswordWork(), new Map([['off', off]]));
    const request = { ...REQUEST, username: 'off' };
    const switchedOff = /switched off.*Ask the person who runs this proxy/;
    for (let index = 0; index < 12; index += 1)
      await assert.rejects(
        signIn(request),
        (error) =>
          error instanceof HttpError &&
          error.error.code === 'invalid_credentials' &&
          switchedOff.test(error.message),
      );
    for (let index = 0; index < 10; index += 1)
      await assert.rejects(signIn({ ...request, password: 'x' }), /The username or password is wrong/);
    assert.equal(await codeOf(signIn(request)), 'too_many_attempts');
  });

  type Row = readonly [name: string, change: Partial<SignInRequest>, expected: string];
  const rows: readonly Row[] = [
    ['the admin from the network', {}, 'default_password_refused'],
    ['the admin from the network, wrong password', { password: 'x' }, 'default_password_refused'],
    ['the admin at the admin login', { role: 'admin' }, 'default_password_refused'],
    ['the admin from the machine itself', { isLocal: async () => true }, 'signed in'],
    ['another name', { username: 'nobody' }, 'invalid_credentials'],
    ['the name at the user login', { role: 'user' }, 'invalid_credentials'],
  ];
  for (const [name, change, expected] of rows) {
    it(`with a default password, ${name}: ${expected}`, async () => {
      assert.equal(await codeOf(signInOf(true)({ ...REQUEST, ...change })), expected);
    });
  }
});
