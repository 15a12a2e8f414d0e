import assert from 'node:assert/strict';
import { randomBytes, scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPasswordWork, type PasswordWork } from '../../src/auth/password-work.ts';
import { hashPassword, hashWithSalt, parseNewPassword, verifyPassword } from '../../src/auth/passwords.ts';
import { HttpError } from '../../src/errors.ts';

const PASSWORD = 'correct horse 🐎 battery';

/** A stored hash of small cost, so that many can be verified in little time. */
function cheapHash(
  password: string,
  change: Partial<Record<'n' | 'r' | 'p' | 'salt' | 'hash', string>> = {},
): string {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 1, p: 1 }).toString('base64url');
  const parts = { n: '1024', r: '1', p: '1', salt: salt.toString('base64url'), hash, ...change };
  return `scrypt$${parts.n}$${parts.r}$${parts.p}$${parts.salt}$${parts.hash}`;
}

/** Runs the work at once and counts it. */
function countingWork(): { work: PasswordWork; count: () => number } {
  let count = 0;
  return {
    count: () => count,
    work: (job) => {
      count += 1;
      return job();
    },
  };
}

describe('hashPassword() and verifyPassword()', () => {
  it('stores scrypt with N=2^14, r=8, p=5, a salt of 16 bytes, and knows the password again', async () => {
    const work = createPasswordWork();
    const stored = await hashPassword(PASSWORD, { work, randomBytes });
    assert.match(stored, /^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
    assert.doesNotMatch(stored, /correct|horse/);
    const [, , , , salt = '', hash] = stored.split('$');
    const witness = scryptSync(PASSWORD, Buffer.from(salt, 'base64url'), 32, { N: 2 ** 14, r: 8, p: 5 });
    assert.equal(hash, witness.toString('base64url'));
    assert.equal(await verifyPassword(PASSWORD, stored, { work }), true);
    assert.equal(await verifyPassword(`${PASSWORD}x`, stored, { work }), false);
  });

  it('takes a new salt every time', async () => {
    const { work } = countingWork();
    const salts: string[] = [];
    const spy = (size: number): Buffer => {
      const salt = randomBytes(size);
      salts.push(salt.toString('base64url'));
      return salt;
    };
    const first = await hashPassword('x', { work, randomBytes: spy });
    const second = await hashPassword('x', { work, randomBytes: spy });
    assert.notEqual(first, second);
    assert.deepEqual([first.split('$')[4], second.split('$')[4]], salts);
    assert.equal(await hashWithSalt('x', Buffer.from(salts[0] ?? '', 'base64url'), { work }), first);
  });

  const pairs: readonly (readonly [name: string, password: string, typed: string, expected: boolean])[] = [
    ['the same', 'secret-1', 'secret-1', true],
    ['another case', 'secret-1', 'Secret-1', false],
    ['a space more', 'secret-1', 'secret-1 ', false],
    ['the empty one', 'secret-1', '', false],
    ['a NUL at the end, which HMAC would swallow', 'secret-1', 'secret-1\0', false],
    ['a NUL in both', 'secret\0-1', 'secret\0-1', false],
    ['composed and decomposed', 'pässwörd', 'pa\u0308sswo\u0308rd', true],
    ['look-alikes of compatibility', 'ﬁnally-ok', 'finally-ok', false],
    ['a lone surrogate for U+FFFD', 'secret-\ufffd', 'secret-\ud800', false],
    ['an empty password', '', '', true],
    ['a very long one', 'a'.repeat(4096), 'a'.repeat(4096), true],
    ['a longer one', 'a'.repeat(4097), 'a'.repeat(4097), false],
  ];
  for (const [name, password, typed, expected] of pairs) {
    it(`${name}: ${expected}`, async () => {
      const { work, count } = countingWork();
      const stored = cheapHash(password.normalize('NFC'));
      assert.equal(await verifyPassword(typed, stored, { work }), expected);
      assert.equal(count(), 1);
    });
  }

  it('reads the parameters back from what is stored', async () => {
    const { work } = countingWork();
    const salt = Buffer.alloc(9, 1);
    for (const [N, r, p, length] of [
      [2048, 8, 1, 64],
      [1024, 3, 7, 16],
      [4096, 1, 2, 33],
    ] as const) {
      const hash = scryptSync('pw', salt, length, { N, r, p });
      const stored = `scrypt$${N}$${r}$${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
      assert.equal(await verifyPassword('pw', stored, { work }), true);
      assert.equal(await verifyPassword('pW', stored, { work }), false);
    }
  });
});

describe('verifyPassword() with damaged or hostile stored texts', () => {
  const bad: readonly (readonly [name: string, stored: string | null])[] = [
    ['none', null],
    ['empty', ''],
    ['plain text', 'pw'],
    ['another scheme', cheapHash('pw').replace('scrypt', 'bcrypt')],
    ['N not a power of two', cheapHash('pw', { n: '1023' })],
    ['N too small', cheapHash('pw', { n: '2' })],
    ['N zero', cheapHash('pw', { n: '0' })],
    ['N negative', cheapHash('pw', { n: '-1024' })],
    ['N enormous', cheapHash('pw', { n: String(2 ** 40) })],
    ['memory over the bound', cheapHash('pw', { n: String(2 ** 17), r: '8' })],
    ['time over the bound', cheapHash('pw', { n: String(2 ** 14), r: '8', p: '999' })],
    ['r zero', cheapHash('pw', { r: '0' })],
    ['p zero', cheapHash('pw', { p: '0' })],
    ['p missing', cheapHash('pw', { p: '' })],
    ['no salt', cheapHash('pw', { salt: '' })],
    ['a short salt', cheapHash('pw', { salt: 'AAAA' })],
    ['no hash', cheapHash('pw', { hash: '' })],
    ['a cut hash', cheapHash('pw', { hash: 'AAAA' })],
    ['a long hash', cheapHash('pw', { hash: 'A'.repeat(200) })],
    ['an enormous text', cheapHash('pw', { salt: 'A'.repeat(1_000_000) })],
    ['something after it', `${cheapHash('pw')}$`],
    ['a line break after it', `${cheapHash('pw')}\n`],
  ];
  it('says no to all of them, and does one hash for each', async () => {
    let count = 0;
    const work: PasswordWork = (job) => {
      count += 1;
      // Most times the hash of nobody's password is handed out, all zeros: the answer must be no even then.
      return count % 8 === 0 ? job() : (Promise.resolve(Buffer.alloc(32)) as ReturnType<typeof job>);
    };
    for (const [name, stored] of bad) {
      assert.equal(await verifyPassword('pw', stored, { work }), false, name);
    }
    assert.equal(count, bad.length);
  });

  it('takes anything for a stored text without throwing', async () => {
    const work: PasswordWork = (job) => Promise.resolve(Buffer.alloc(32)) as ReturnType<typeof job>;
    await fc.assert(
      fc.asyncProperty(fc.string(), async (stored) => {
        assert.equal(await verifyPassword('pw', stored, { work }), false);
      }),
    );
  });
});

describe('parseNewPassword()', () => {
  for (const password of [
    '12345678',
    'a'.repeat(128),
    '🐎'.repeat(8),
    '🐎'.repeat(128),
    '        ',
    'pässwörd',
  ]) {
    it(`takes ${[...password].length} characters`, () =>
      assert.equal(parseNewPassword(password, 'password'), password));
  }
  const bad: readonly unknown[] = [
    '',
    '1234567',
    '🐎'.repeat(7),
    'a'.repeat(129),
    '🐎'.repeat(129),
    'a'.repeat(10_000_000),
    'abcdefgh\ud800',
    'abcdefgh\0',
    null,
    undefined,
    12345678,
    ['12345678'],
    { length: 20 },
  ];
  for (const value of bad) {
    it(`refuses ${(JSON.stringify(value) ?? 'undefined').slice(0, 30)} without repeating it`, () => {
      assert.throws(
        () => parseNewPassword(value, 'newPassword'),
        (error) => {
          assert.ok(error instanceof HttpError);
          assert.equal(error.error.code, 'invalid_value');
          assert.equal(error.error.param, 'newPassword');
          assert.doesNotMatch(error.message, /1234|aaaa|abcd|🐎/);
          return true;
        },
      );
    });
  }
});
