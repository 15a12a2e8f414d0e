import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { before, describe, it } from 'node:test';
import {
  type AdminCredential,
  checkCredentials,
  createAdminCredential,
  userFingerprint,
} from '../../src/auth/credentials.ts';
import { createPasswordWork } from '../../src/auth/password-work.ts';
import { HttpError } from '../../src/errors.ts';
import type { Role, User } from '../../src/store/entities.ts';
import { passwordWorkOf } from '../helpers/password-work.ts';
import { makeUser } from '../helpers/records.ts';

const ADMIN_PASSWORD = 'the admin has a long one';
const USER_PASSWORD = 'ann has one too';

const queue = createPasswordWork();
let hashes = 0;
const work = passwordWorkOf((job, lane) => {
  hashes += 1;
  return queue(job, lane);
});

function adminOf(change: Partial<Parameters<typeof createAdminCredential>[0]> = {}): AdminCredential {
  return createAdminCredential({
    username: 'admin',
    password: ADMIN_PASSWORD,
    storedHash: () => null,
    instanceId: 'abcd',
    work,
    ...change,
  });
}

describe('createAdminCredential()', () => {
  it('has the same fingerprint again after a restart, another with any other name, password or store', async () => {
    const first = await adminOf().fingerprint();
    assert.equal(await adminOf().fingerprint(), first);
    assert.notEqual(await adminOf({ password: `${ADMIN_PASSWORD}.` }).fingerprint(), first);
    assert.notEqual(await adminOf({ username: 'root' }).fingerprint(), first);
    assert.notEqual(await adminOf({ instanceId: 'abce' }).fingerprint(), first);
    assert.match(first, /^[\w-]{43}$/);
  });

  it('shows neither the password nor what it is verified against', async () => {
    const admin = adminOf();
    const [fingerprint, passwordHash] = [await admin.fingerprint(), await admin.passwordHash()];
    assert.doesNotMatch(fingerprint + passwordHash + JSON.stringify(admin), /the admin has/);
    const [hash = ''] = passwordHash.split('$').slice(-1);
    assert.equal(hash.length, 43);
    assert.ok(!fingerprint.includes(hash));
    assert.notEqual(
      Buffer.from(hash, 'base64url').toString('hex'),
      Buffer.from(fingerprint, 'base64url').toString('hex'),
    );
  });

  it('hashes once, however often and early it is asked, and again after a failure', async () => {
    hashes = 0;
    const admin = adminOf();
    await Promise.all([admin.fingerprint(), admin.passwordHash(), admin.fingerprint()]);
    await admin.fingerprint();
    assert.equal(hashes, 1);

    let failures = 1;
    const flaky = passwordWorkOf((job) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error('no memory')) : queue(job);
    });
    const second = adminOf({ work: flaky });
    await assert.rejects(second.fingerprint(), /no memory/);
    assert.equal(await second.fingerprint(), await admin.fingerprint());
  });
});

describe('userFingerprint()', () => {
  it('changes with the stored hash and does not contain it', () => {
    const one = userFingerprint('scrypt$1$1$1$salt$hash');
    assert.notEqual(one, userFingerprint('scrypt$1$1$1$salt$hasi'));
    assert.match(one, /^[\w-]{43}$/);
  });
});

/** A credential whose hash was stored with smaller parameters, so that it takes little time. */
function cheapAdmin(username: string): AdminCredential {
  return {
    username,
    isManagedByEnvironment: true,
    isDefault: () => false,
    passwordHash: async () => cheapHash(ADMIN_PASSWORD),
    fingerprint: async () => `fingerprint of ${username}`,
  };
}

function cheapHash(password: string): string {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 1, p: 1 });
  return `scrypt$1024$1$1$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

describe('checkCredentials()', () => {
  const users = new Map<string, User>();
  const admin = cheapAdmin('admin');
  const adminBob = cheapAdmin('bob');
  before(() => {
    const passwordHash = cheapHash(USER_PASSWORD);
    users.set('ann', makeUser({ id: 'ann', passwordHash }));
    users.set('off', makeUser({ id: 'off', passwordHash, enabled: false }));
    users.set('bob', makeUser({ id: 'bob', passwordHash }));
    users.set('broken', makeUser({ id: 'broken', passwordHash: 'not a hash' }));
  });

  type Row = readonly [
    role: Role | 'any',
    username: string,
    password: string,
    expected: Role | null,
    hashes: number,
  ];
  const rows: readonly Row[] = [
    ['any', 'admin', ADMIN_PASSWORD, 'admin', 1],
    ['admin', 'admin', ADMIN_PASSWORD, 'admin', 1],
    ['user', 'admin', ADMIN_PASSWORD, null, 1],
    ['any', 'admin', USER_PASSWORD, null, 1],
    ['any', 'ann', USER_PASSWORD, 'user', 1],
    ['user', 'ann', USER_PASSWORD, 'user', 1],
    ['admin', 'ann', USER_PASSWORD, null, 1],
    ['any', 'ann', ADMIN_PASSWORD, null, 1],
    ['any', 'off', ADMIN_PASSWORD, null, 1],
    ['admin', 'off', USER_PASSWORD, null, 1],
    ['any', 'broken', USER_PASSWORD, null, 1],
    ['any', 'nobody', USER_PASSWORD, null, 1],
    ['any', '__proto__', USER_PASSWORD, null, 1],
  ];
  for (const [role, username, password, expected, expectedHashes] of rows) {
    const whose = password === ADMIN_PASSWORD ? "the admin's password" : "a user's password";
    it(`${role} login of ${username || 'no name'} with ${whose}: ${expected}, ${expectedHashes} hash`, async () => {
      hashes = 0;
      const account = await checkCredentials(username, password, {
        admin,
        userByUsername: users,
        role,
        work,
      });
      assert.equal(account?.role ?? null, expected);
      assert.equal(hashes, expectedHashes);
      if (account !== null) assert.doesNotMatch(account.credential, /long one|one too|scrypt/);
    });
  }

  it('tells a user that they are switched off only for their right password, after the same one hash', async () => {
    hashes = 0;
    const check = { admin, userByUsername: users, role: 'any', work } as const;
    await assert.rejects(
      checkCredentials('off', USER_PASSWORD, check),
      (error) =>
        error instanceof HttpError && error.status === 401 && /switched off/.test(error.error.message),
    );
    assert.equal(hashes, 1);
  });

  it('hands out the fingerprints that sessions are bound to', async () => {
    const check = { userByUsername: users, role: 'any', work } as const;
    const asAdmin = await checkCredentials('admin', ADMIN_PASSWORD, { ...check, admin });
    assert.equal(asAdmin?.credential, await admin.fingerprint());
    assert.equal(asAdmin?.user, null);
    const asUser = await checkCredentials('ann', USER_PASSWORD, { ...check, admin });
    assert.equal(asUser?.user, users.get('ann'));
    assert.equal(asUser?.credential, userFingerprint(users.get('ann')?.passwordHash ?? ''));
  });

  it('lets both in where a user bears the name that the admin has now', async () => {
    const check = { admin: adminBob, userByUsername: users, work };
    assert.equal((await checkCredentials('bob', ADMIN_PASSWORD, { ...check, role: 'any' }))?.role, 'admin');
    assert.equal((await checkCredentials('bob', USER_PASSWORD, { ...check, role: 'any' }))?.role, 'user');
    assert.equal(await checkCredentials('bob', USER_PASSWORD, { ...check, role: 'admin' }), null);
    assert.equal(await checkCredentials('bob', ADMIN_PASSWORD, { ...check, role: 'user' }), null);
  });
});
