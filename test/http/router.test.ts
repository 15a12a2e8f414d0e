import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { decodeSegment, parseRequestTarget, queryValue } from '../../src/http/request-target.ts';
import { type Method, Router } from '../../src/http/router.ts';

const router = new Router(
  (
    [
      ['GET', '/'],
      ['GET', '/things'],
      ['POST', '/things'],
      ['GET', '/things/:id'],
      ['DELETE', '/things/:id'],
      ['POST', '/things/:id/test'],
      ['GET', '/files/*path'],
    ] satisfies [Method, string][]
  ).map(([method, path]) => [method, path, `${method} ${path}`] as const),
);

function find(method: string, path: string): string {
  const match = router.match(method, path);
  if (match.kind === 'wrong-method') return `405 ${match.allow}`;
  if (match.kind === 'unknown') return '404';
  return [match.route[2], ...[...match.params].map(([name, value]) => `${name}=${value}`)].join(' ');
}

describe('Router', () => {
  for (const [method, path, expected] of [
    ['GET', '/', 'GET /'],
    ['HEAD', '/', 'GET /'],
    ['GET', '/things', 'GET /things'],
    ['POST', '/things', 'POST /things'],
    ['PUT', '/things', '405 GET, HEAD, POST'],
    ['GET', '/things/', '404'],
    ['GET', '/Things', '404'],
    ['GET', '//things', '404'],
    ['GET', '/things/a', 'GET /things/:id id=a'],
    ['HEAD', '/things/a', 'GET /things/:id id=a'],
    ['PUT', '/things/a', '405 GET, HEAD, DELETE'],
    ['GET', '/things/a/test', '405 POST'],
    ['POST', '/things/a/test', 'POST /things/:id/test id=a'],
    ['POST', '/things/a/other', '404'],
    ['GET', '/things/a%2Fb', 'GET /things/:id id=a/b'],
    ['GET', '/things/a%2fb%3A1', 'GET /things/:id id=a/b:1'],
    ['GET', '/things/a/b', '404'],
    ['GET', '/things/%ff', '404'],
    ['GET', '/things/__proto__', 'GET /things/:id id=__proto__'],
    ['GET', '/files/', '404'],
    ['GET', '/files', '404'],
    ['GET', '/files/a/b%2Fc', 'GET /files/*path path=a/b/c'],
    ['GET', '/__proto__', '404'],
    ['GET', '/constructor', '404'],
    ['constructor', '/things', '405 GET, HEAD, POST'],
    ['', '', '404'],
  ] as const) {
    test(`${method} ${path} -> ${expected}`, () => {
      assert.equal(find(method, path), expected);
    });
  }

  test('refuses two rows for the same', () => {
    for (const path of ['/a/:b', '/a']) {
      const row = ['GET', path] as const;
      assert.throws(() => new Router([row, row]), /two routes/);
    }
  });
});

describe('parseRequestTarget()', () => {
  for (const [target, path, query] of [
    ['/', '/', ''],
    ['/a/b?c=d', '/a/b', 'c=d'],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a/../b', '/a/../b', ''],
    ['//evil.example', '//evil.example', ''],
    ['/a%2Fb', '/a%2Fb', ''],
    [`/"<>^\`{|}~!$&'()*+,;=:@`, `/"<>^\`{|}~!$&'()*+,;=:@`, ''],
  ] as const) {
    test(`splits ${target}`, () => {
      assert.deepEqual(parseRequestTarget(target), { path, query });
    });
  }
  for (const target of [
    '',
    'a',
    '*',
    'http://x/',
    '?a',
    '/%',
    '/%2',
    '/%zz',
    '/%00',
    '/a%00b',
    '/\\',
    '/a\\b',
    '/#',
    '/a b',
    '/\u00e9',
    '/\x7f',
    '/\x01',
    `/${'a'.repeat(8192)}`,
  ]) {
    test(`refuses ${JSON.stringify(target.slice(0, 20))}`, () => {
      assert.throws(
        () => parseRequestTarget(target),
        (error) => error instanceof HttpError && error.status === 400,
      );
    });
  }

  test('never throws anything but its own error, and never changes the path', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webPath(), fc.string({ unit: 'binary' })), (text) => {
        try {
          const { path, query } = parseRequestTarget(`/${text}`);
          assert.ok(`/${text}`.startsWith(path));
          assert.ok(query === '' || `/${text}` === `${path}?${query}`);
          for (const segment of path.split('/')) decodeSegment(segment);
        } catch (error) {
          assert.ok(error instanceof HttpError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('queryValue() reads the first value', () => {
    assert.equal(queryValue('a=1&a=2&b=%20', 'a'), '1');
    assert.equal(queryValue('a=1&b=%20', 'b'), ' ');
    assert.equal(queryValue('', 'a'), null);
    assert.equal(queryValue('%zz=%', '__proto__'), null);
  });
});
