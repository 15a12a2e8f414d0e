import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  clearedSessionCookie,
  readCookie,
  sessionCookie,
  sessionCookieName,
} from '../../src/http/cookies.ts';

describe('readCookie()', () => {
  const cases: readonly (readonly [header: string | undefined, expected: string | null])[] = [
    [undefined, null],
    ['', null],
    ['sid=abc', 'abc'],
    ['sid=', ''],
    ['sid', null],
    ['a=1; sid=abc; b=2', 'abc'],
    ['a=1;sid=abc;b=2', 'abc'],
    ['  sid  =  abc  ;', 'abc'],
    ['sid=first; sid=second', 'first'],
    ['SID=abc', null],
    ['xsid=abc', null],
    ['sidx=abc', null],
    ['a=sid=abc', null],
    ['a="; sid=abc', 'abc'],
    ['sid=a=b', 'a=b'],
    [';;;=;sid=abc', 'abc'],
    ['novalue; sid=abc', 'abc'],
    ['__proto__=x; constructor=y', null],
    [`${'a=b;'.repeat(100_000)}sid=abc`, null],
  ];
  for (const [header, expected] of cases) {
    it(`finds ${JSON.stringify(expected)} in ${JSON.stringify(header)?.slice(0, 60)}`, () => {
      assert.equal(readCookie(header, 'sid'), expected);
    });
  }
  it('takes names of object members for what they are', () => {
    assert.equal(readCookie('a=1', '__proto__'), null);
    assert.equal(readCookie('__proto__=x', '__proto__'), 'x');
    assert.equal(readCookie('a=1', 'toString'), null);
  });
  it('finds a session between whatever other cookies there are', () => {
    const other = fc.string().map((text) => text.replaceAll(/[;=]/g, ''));
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            other,
            fc.string().map((text) => text.replaceAll(';', '')),
          ),
        ),
        (others) => {
          const name = sessionCookieName('3f9a', false);
          fc.pre(others.every(([otherName]) => otherName.trim() !== name));
          const header = [...others.map(([a, b]) => `${a}=${b}`), `${name}=tok-en_1`].join('; ');
          assert.equal(readCookie(header, name), 'tok-en_1');
        },
      ),
    );
  });
});

describe('sessionCookie()', () => {
  const instanceId = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
  const token = 'A'.repeat(43);

  it('has every flag without TLS but the two that need it', () => {
    const cookie = sessionCookie({ instanceId, secure: false, token, maxAgeSeconds: 43_200 });
    assert.equal(cookie, `ipin_0a1b2c3d4e5f=${token}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict`);
    assert.doesNotMatch(cookie, /Secure|Domain|__Host-/);
  });
  it('is Secure with the __Host- prefix behind TLS', () => {
    const cookie = sessionCookie({ instanceId, secure: true, token, maxAgeSeconds: 43_200 });
    assert.match(cookie, /^__Host-ipin_0a1b2c3d4e5f=A{43}; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
    assert.doesNotMatch(cookie, /Domain/);
  });
  it('can be read back under its name and no other', () => {
    for (const secure of [true, false]) {
      const [pair] = sessionCookie({ instanceId, secure, token, maxAgeSeconds: 1 }).split(';');
      assert.equal(readCookie(pair, sessionCookieName(instanceId, secure)), token);
      assert.equal(readCookie(pair, sessionCookieName(instanceId, !secure)), null);
      assert.equal(readCookie(pair, sessionCookieName('ffffffff-0000', secure)), null);
    }
  });
  it('refuses a token that would add to the header', () => {
    for (const bad of ['a; Domain=evil.example', 'a\r\nSet-Cookie: b=c', 'a,b', 'a b', 'ü', '"a"']) {
      assert.throws(
        () => sessionCookie({ instanceId, secure: false, token: bad, maxAgeSeconds: 1 }),
        TypeError,
      );
    }
  });
  it('keeps what an instance id must not bring into a header out of it', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (id, secure) => {
        assert.match(sessionCookieName(id, secure), /^(__Host-)?ipin_[A-Za-z0-9]{0,12}$/);
      }),
    );
  });
  it('clearedSessionCookie() removes it, with the same attributes', () => {
    assert.equal(
      clearedSessionCookie('ab', true),
      '__Host-ipin_ab=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure',
    );
    assert.equal(clearedSessionCookie('ab', false), 'ipin_ab=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict');
  });
});
