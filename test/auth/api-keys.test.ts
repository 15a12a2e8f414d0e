import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import {
  digestKey,
  generateKey,
  isExpired,
  isSameDigest,
  type PresentedKey,
  parseCustomKey,
  readBearerToken,
  readPresentedKey,
} from '../../src/auth/api-keys.ts';
import { HttpError } from '../../src/errors.ts';
import { keyHint } from '../../src/redaction.ts';

const KEY = 'sk-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
const OTHER = 'sk-0123456789abcdefghijklmnopqrstuvwxyzABCDEFH';

describe('generateKey()', () => {
  it('is sk- and 256 bits in base64url', () => {
    const key = generateKey(randomBytes);
    assert.match(key, /^sk-[\w-]{43}$/);
    assert.equal(Buffer.from(key.slice(3), 'base64url').length, 32);
    assert.notEqual(generateKey(randomBytes), key);
  });
  it('uses all the bits it is given', () => {
    assert.equal(
      generateKey((size) => Buffer.alloc(size, 0xff)),
      `sk-${'_'.repeat(42)}8`,
    );
  });
});

describe('digestKey() and isSameDigest()', () => {
  it('is the SHA-256 in hex, the whole key being in it', () => {
    assert.equal(digestKey(KEY), createHash('sha256').update(KEY).digest('hex'));
    assert.notEqual(digestKey(KEY), digestKey(OTHER));
  });
  it('compares any two texts without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        assert.equal(isSameDigest(a, a), true);
        assert.equal(isSameDigest('é', 'e'), false);
        assert.equal(isSameDigest(digestKey(a), digestKey(b)), a === b);
        assert.equal(isSameDigest(a, `${a}x`), false);
      }),
    );
  });
});

describe('keyHint()', () => {
  const cases: readonly (readonly [key: string, hint: string])[] = [
    [KEY, 'sk-012...DEFG'],
    ['abcdefghijklmnopqrstuvwx', 'abcd...uvwx'],
    ['sk-123', 's...3'],
    ['abc', 'a...'],
    ['ab', '...'],
    ['', '...'],
  ];
  for (const [key, hint] of cases) {
    it(`is ${hint} for ${key.length} characters`, () => assert.equal(keyHint(key), hint));
  }
  it('never shows more than a third, nor more than ten characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (key) => {
        const shown = keyHint(key).length - 3;
        assert.ok(shown <= key.length / 3 && shown <= 10);
      }),
    );
  });
});

describe('parseCustomKey()', () => {
  const good = [
    'a'.repeat(24),
    'a'.repeat(256),
    '~!{}[]"\\,;=$%&/()=?`|<>^-',
    'my own key with some spaces',
    KEY,
  ];
  for (const key of good) {
    it(`takes ${key.slice(0, 30)} (${key.length})`, () => assert.equal(parseCustomKey(key), key));
  }
  const bad: readonly unknown[] = [
    'a'.repeat(23),
    'a'.repeat(257),
    ` ${'a'.repeat(24)}`,
    `${'a'.repeat(24)} `,
    `${'a'.repeat(24)}\n`,
    `${'a'.repeat(12)}\t${'a'.repeat(12)}`,
    `${'a'.repeat(12)}\r\n${'a'.repeat(12)}`,
    `${'a'.repeat(24)}é`,
    `${'a'.repeat(24)}\u{1f511}`,
    `${'a'.repeat(24)}\0`,
    `${'a'.repeat(24)}\x7f`,
    '',
    ' '.repeat(30),
    'a'.repeat(1_000_000),
    null,
    undefined,
    42,
    [KEY],
    { toString: () => KEY },
  ];
  for (const value of bad) {
    it(`refuses ${(JSON.stringify(value) ?? 'undefined').slice(0, 40)} without repeating it`, () => {
      assert.throws(
        () => parseCustomKey(value),
        (error) => {
          assert.ok(error instanceof HttpError);
          assert.equal(error.status, 400);
          assert.equal(error.error.code, 'invalid_value');
          assert.equal(error.error.param, 'key');
          assert.doesNotMatch(error.message, /aaaa|0123|\p{Cc}/u);
          return true;
        },
      );
    });
  }
  it('takes nothing that would not come back from a header', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 20, maxLength: 40 }), (text) => {
        let key: string;
        try {
          key = parseCustomKey(text);
        } catch {
          return;
        }
        assert.deepEqual(readPresentedKey(['Authorization', `Bearer ${key}`], '/'), { kind: 'key', key });
        assert.deepEqual(readPresentedKey(['X-Api-Key', key], '/'), { kind: 'key', key });
      }),
    );
  });
});

describe('isExpired()', () => {
  const cases: readonly (readonly [expiresAt: string | null, now: number, expected: boolean])[] = [
    [null, Number.MAX_SAFE_INTEGER, false],
    ['1970-01-01T00:00:01.000Z', 999, false],
    ['1970-01-01T00:00:01.000Z', 1000, true],
    ['1970-01-01T00:00:01.000Z', 1001, true],
    ['1970-01-01T02:00:01.000+02:00', 999, false],
    ['', 0, true],
    ['never', 0, true],
    ['9999-99-99', 0, true],
  ];
  for (const [expiresAt, now, expected] of cases) {
    it(`says ${expected} for ${JSON.stringify(expiresAt)} at ${now}`, () => {
      assert.equal(isExpired(expiresAt, now), expected);
    });
  }
});

interface Presented {
  readonly name: string;
  readonly headers: readonly string[];
  readonly target?: string;
  readonly expected: 'none' | 'invalid' | string;
}

const PRESENTED: readonly Presented[] = [
  { name: 'nothing', headers: [], expected: 'none' },
  { name: 'other headers', headers: ['Host', 'a', 'x-api-keys', KEY, 'apikey', KEY], expected: 'none' },
  { name: 'Bearer', headers: ['Authorization', `Bearer ${KEY}`], expected: KEY },
  { name: 'bearer', headers: ['authorization', `bearer ${KEY}`], expected: KEY },
  { name: 'BEARER', headers: ['AUTHORIZATION', `BEARER ${KEY}`], expected: KEY },
  { name: 'a tab after the scheme', headers: ['Authorization', `Bearer\t${KEY}`], expected: KEY },
  { name: 'spaces around', headers: ['Authorization', `  Bearer    ${KEY}  `], expected: KEY },
  { name: 'spaces inside', headers: ['Authorization', 'Bearer a key of words'], expected: 'a key of words' },
  { name: 'a comma inside', headers: ['Authorization', 'Bearer a,b'], expected: 'a,b' },
  {
    name: 'Bearer twice in one',
    headers: ['Authorization', `Bearer Bearer ${KEY}`],
    expected: `Bearer ${KEY}`,
  },
  { name: 'x-api-key', headers: ['X-API-Key', KEY], expected: KEY },
  { name: 'api-key', headers: ['Api-Key', ` ${KEY} `], expected: KEY },
  { name: 'Bearer in x-api-key', headers: ['x-api-key', `Bearer ${KEY}`], expected: `Bearer ${KEY}` },
  {
    name: 'the same in all three',
    headers: ['Authorization', `Bearer ${KEY}`, 'x-api-key', KEY, 'api-key', KEY],
    expected: KEY,
  },
  {
    name: 'the same Authorization twice',
    headers: ['Authorization', `Bearer ${KEY}`, 'Authorization', `bearer  ${KEY}`],
    expected: KEY,
  },
  {
    name: 'two Authorizations',
    headers: ['Authorization', `Bearer ${KEY}`, 'Authorization', `Bearer ${OTHER}`],
    expected: 'invalid',
  },
  {
    name: 'two Authorizations, one Basic',
    headers: ['Authorization', 'Basic YTpi', 'Authorization', `Bearer ${KEY}`],
    expected: 'invalid',
  },
  {
    name: 'two Authorizations, one empty',
    headers: ['Authorization', `Bearer ${KEY}`, 'Authorization', ''],
    expected: 'invalid',
  },
  { name: 'two x-api-keys', headers: ['x-api-key', KEY, 'X-Api-Key', OTHER], expected: 'invalid' },
  {
    name: 'different keys',
    headers: ['Authorization', `Bearer ${KEY}`, 'x-api-key', OTHER],
    expected: 'invalid',
  },
  {
    name: 'different keys, other order',
    headers: ['api-key', OTHER, 'Authorization', `Bearer ${KEY}`],
    expected: 'invalid',
  },
  {
    name: 'a third that differs',
    headers: ['x-api-key', KEY, 'api-key', KEY, 'Authorization', `Bearer ${OTHER}`],
    expected: 'invalid',
  },
  {
    name: 'different in letter case',
    headers: ['x-api-key', KEY, 'api-key', KEY.toLowerCase()],
    expected: 'invalid',
  },
  {
    name: 'empty beside a key',
    headers: ['x-api-key', '', 'Authorization', `Bearer ${KEY}`, 'api-key', ' '],
    expected: KEY,
  },
  {
    name: 'empty beside two keys',
    headers: ['x-api-key', KEY, 'Authorization', 'Bearer', 'api-key', OTHER],
    expected: 'invalid',
  },
  { name: 'Bearer alone', headers: ['Authorization', 'Bearer'], expected: 'invalid' },
  { name: 'Bearer and a space', headers: ['Authorization', 'Bearer '], expected: 'invalid' },
  { name: 'an empty Authorization', headers: ['Authorization', ''], expected: 'invalid' },
  { name: 'an empty x-api-key', headers: ['x-api-key', ''], expected: 'invalid' },
  { name: 'the key without scheme', headers: ['Authorization', KEY], expected: 'invalid' },
  { name: 'an unknown scheme', headers: ['Authorization', `Token ${KEY}`], expected: 'invalid' },
  { name: 'a scheme that begins alike', headers: ['Authorization', `Bearerx ${KEY}`], expected: 'invalid' },
  {
    name: 'an unknown scheme beside a key',
    headers: ['x-api-key', KEY, 'Authorization', `Token ${KEY}`],
    expected: 'invalid',
  },
  { name: "a proxy's Basic", headers: ['Authorization', 'Basic YTpi'], expected: 'none' },
  {
    name: "a proxy's Basic beside a key",
    headers: ['Authorization', 'Basic YTpi', 'x-api-key', KEY],
    expected: KEY,
  },
  { name: 'an odd list', headers: ['Authorization'], expected: 'none' },
  { name: 'names of object members', headers: ['__proto__', KEY, 'constructor', KEY], expected: 'none' },
  {
    name: 'a harmless query',
    headers: ['x-api-key', KEY],
    target: '/v1/models?api-version=1&beta=true',
    expected: KEY,
  },
  {
    name: 'a query that only looks alike',
    headers: [],
    target: '/v1/models?monkey=1&q=key',
    expected: 'none',
  },
  ...[
    'key',
    'api_key',
    'api-key',
    'apikey',
    'access_token',
    'API_KEY',
    'Key',
    '%6bey',
    'ap%69_key',
    'a=1&key',
  ].flatMap((query): Presented[] => [
    { name: `?${query}=`, headers: [], target: `/v1/models?${query}=${KEY}`, expected: 'invalid' },
    {
      name: `?${query}= beside a key`,
      headers: ['x-api-key', KEY],
      target: `/v1/models?${query}=${KEY}`,
      expected: 'invalid',
    },
  ]),
  { name: '?key without value', headers: ['x-api-key', KEY], target: '/v1/models?key', expected: 'invalid' },
  { name: 'broken escapes', headers: ['x-api-key', KEY], target: '/v1/models?%zz=%&%', expected: KEY },
];

describe('readPresentedKey()', () => {
  for (const { name, headers, target, expected } of PRESENTED) {
    it(`${name}: ${expected === 'none' || expected === 'invalid' ? expected : 'the key'}`, () => {
      const presented = readPresentedKey(headers, target ?? '/v1/models');
      if (presented.kind === 'key') assert.equal(presented.key, expected);
      else assert.equal(presented.kind, expected);
      if (presented.kind === 'invalid') assert.doesNotMatch(presented.message, /sk-0123/);
    });
  }

  it('never answers with a key that is not there, whatever the headers', () => {
    const name = fc.constantFrom(
      'Authorization',
      'authorization',
      'x-api-key',
      'Api-Key',
      'Host',
      '__proto__',
    );
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(KEY, OTHER, `Bearer ${KEY}`, `bearer ${OTHER}`, 'Bearer', '', 'Basic eDp5'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const presented = readPresentedKey(pairs.flat(), '/');
        const keys = new Set(
          pairs
            .filter(([header]) => /^(authorization|x-api-key|api-key)$/i.test(header))
            .map(
              ([header, text]) =>
                (/^auth/i.test(header) ? /^\s*bearer[ \t]+(.*)/is.exec(text)?.[1] : text)?.trim() ?? '',
            )
            .filter((key) => key !== ''),
        );
        if (presented.kind === 'key') assert.deepEqual([...keys], [presented.key]);
        if (keys.size > 1) assert.equal(presented.kind, 'invalid');
      }),
    );
  });

  it('sees what Node would hide: a second Authorization, and __proto__ as a name', async (t) => {
    const answers = await presentRaw(t, [
      `Authorization: Bearer ${KEY}\r\n`,
      `Authorization: Bearer ${KEY}\r\nAuthorization: Bearer ${OTHER}\r\n`,
      `__proto__: x\r\nx-api-key: ${KEY}\r\n`,
      `x-api-key: ${KEY}\r\nX-API-KEY: ${OTHER}\r\n`,
      `Authorization: Bearer \xe9\xff\r\n`,
    ]);
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['key', 'invalid', 'key', 'invalid', 'key'],
    );
  });
});

describe('readBearerToken()', () => {
  const cases: readonly (readonly [name: string, headers: readonly string[], expected: string])[] = [
    ['nothing', [], 'none'],
    ['a token', ['Authorization', 'Bearer tok'], 'tok'],
    ['keys in other headers', ['x-api-key', KEY, 'api-key', OTHER], 'none'],
    ['a token beside keys in other headers', ['x-api-key', KEY, 'AUTHORIZATION', 'bearer tok'], 'tok'],
    ['two tokens', ['Authorization', 'Bearer tok', 'Authorization', 'Bearer kot'], 'invalid'],
    ["a proxy's Basic", ['Authorization', 'Basic YTpi'], 'none'],
    ['an empty token', ['Authorization', 'Bearer '], 'invalid'],
  ];
  for (const [name, headers, expected] of cases) {
    it(`${name}: ${expected}`, () => {
      const presented = readBearerToken(headers);
      assert.equal(presented.kind === 'key' ? presented.key : presented.kind, expected);
    });
  }
});

/** Sends header blocks to a real server that answers with what readPresentedKey() makes of them. */
async function presentRaw(t: TestContext, blocks: readonly string[]): Promise<PresentedKey[]> {
  const server = createServer((req, res) => {
    res.end(JSON.stringify(readPresentedKey(req.rawHeaders, req.url ?? '')));
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Promise.all(
    blocks.map(async (block) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${block}\r\n`, 'latin1');
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      const body = /\{.*\}/.exec(answer)?.[0] ?? '{"kind":"none"}';
      return JSON.parse(body) as PresentedKey;
    }),
  );
}
