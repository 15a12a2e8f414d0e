import assert from 'node:assert/strict';
import { randomBytes, scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPasswordWork, type PasswordWork } from '../../src/auth/password-work.ts';
import { hashPassword, hashWithSalt, parseNewPassword, verifyPassword } from '../../src/auth/passwords.ts';
import { HttpError } from '../../src/errors.ts';
import { passwordWorkOf } from '../helpers/password-work.ts';

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
    work: passwordWorkOf((job) => {
      count += 1;
      return job();
    }),
  };
}

/** Hands out 32 zero bytes instead of hashing, where a test is about the text around the hash. */
const zeroWork = passwordWorkOf((job) => Promise.resolve(Buffer.alloc(32)) as ReturnType<typeof job>);

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

  it('takes a new salt every time, or the one that it is given', async () => {
    const stored = [
      await hashPassword('x', { work: zeroWork, randomBytes }),
      await hashPassword('x', { work: zeroWork, randomBytes }),
      await hashWithSalt('x', Buffer.alloc(16, 255), { work: zeroWork }),
    ];
    const salts = stored.map((text) => text.split('$')[4]);
    assert.equal(new Set(salts).size, 3);
    assert.equal(salts[2], `${'_'.repeat(21)}w`);
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
  // Their hash is all zeros, and so is what the work hands out instead of hashing: whatever is read as a stored hash
  // would be found right.
  const zeros = 'A'.repeat(43);
  const storedWith = (change: Parameters<typeof cheapHash>[1] = {}): string =>
    cheapHash('pw', { hash: zeros, ...change });
  const bad: readonly (readonly [name: string, stored: string | null])[] = [
    ['none', null],
    ['empty', ''],
    ['plain text', 'pw'],
    ['another scheme', storedWith().replace('scrypt', 'bcrypt')],
    ['N not a power of two', storedWith({ n: '1023' })],
    ['N too small', storedWith({ n: '2' })],
    ['N zero', storedWith({ n: '0' })],
    ['N negative', storedWith({ n: '-1024' })],
    ['N enormous', storedWith({ n: String(2 ** 40) })],
    ['memory over the bound', storedWith({ n: String(2 ** 17), r: '8' })],
    ['time over the bound', storedWith({ n: String(2 ** 14), r: '8', p: '999' })],
    ['r zero', storedWith({ r: '0' })],
    ['p zero', storedWith({ p: '0' })],
    ['p missing', storedWith({ p: '' })],
    ['no salt', storedWith({ salt: '' })],
    ['a short salt', storedWith({ salt: 'AAAA' })],
    ['no hash', storedWith({ hash: '' })],
    ['a cut hash', storedWith({ hash: 'AAAA' })],
    ['a long hash', storedWith({ hash: 'A'.repeat(200) })],
    ['an enormous text', storedWith({ salt: 'A'.repeat(1_000_000) })],
    ['something after it', `${storedWith()}$`],
    ['a line break after it', `${storedWith()}\n`],
  ];
  for (const [name, stored] of bad) {
    it(`${name}: no`, async () => {
      assert.equal(await verifyPassword('pw', stored, { work: zeroWork }), false);
    });
  }
  it('would say yes to these otherwise, up to the bounds', async () => {
    const good = [
      storedWith(),
      storedWith({ n: String(2 ** 16), r: '8' }),
      storedWith({ n: String(2 ** 14), r: '8', p: '40' }),
    ];
    for (const stored of good) assert.equal(await verifyPassword('pw', stored, { work: zeroWork }), true);
  });
  it('does one real hash for those too, at the cost of a good one', async () => {
    const { work, count } = countingWork();
    assert.equal(await verifyPassword('pw', null, { work }), false);
    assert.equal(await verifyPassword('pw', 'damaged', { work }), false);
    assert.equal(count(), 2);
  });

  it('takes anything for a stored text without throwing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (stored) => {
        assert.equal(await verifyPassword('pw', stored, { work: zeroWork }), false);
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
