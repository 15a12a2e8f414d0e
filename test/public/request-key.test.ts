import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Shown {
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly status: number;
  readonly code: string | null;
}
const file = new URL('../../public/js/views/traffic-names.js', import.meta.url).href;
const { keyOf, OWN_NAMES }: { keyOf: (request: Shown, names: unknown) => string; OWN_NAMES: unknown } =
  await import(file);

for (const [what, request, expected] of [
  ['a key', { keyId: 'k', keyName: 'Laptop', status: 200, code: null }, 'Laptop'],
  ['a key without a name', { keyId: 'k', keyName: null, status: 429, code: 'rate_limit_exceeded' }, 'k'],
  ['a session', { keyId: null, keyName: null, status: 200, code: null }, 'Signed in, no key'],
  [
    'a key that is refused',
    { keyId: null, keyName: null, status: 401, code: 'invalid_api_key' },
    'Unknown key',
  ],
  ['no key at all', { keyId: null, keyName: null, status: 401, code: null }, 'No key'],
] as const)
  test(`a request with ${what} shows ${expected}`, () => assert.equal(keyOf(request, OWN_NAMES), expected));
