import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { chutesAdapter } from '../../src/providers/chutes.ts';
import { compileProvider, Providers } from '../../src/providers/compile.ts';
import type { ConnectionOptions } from '../../src/providers/connection.ts';
import { openaiAdapter } from '../../src/providers/openai.ts';
import { firstKeyOf } from '../../src/providers/usable-key.ts';
import { makeKey, makeProvider } from '../helpers/records.ts';

const OPTIONS: ConnectionOptions = {
  timeouts: { connectTimeoutMs: 1_000, headersTimeoutMs: 2_000, idleTimeoutMs: 3_000 },
  blockPrivate: false,
};
const RECORD = makeProvider({ id: 'up', baseUrl: 'https://api.example.com', apiKey: 'secret key' });

describe('compileProvider()', () => {
  test('derives adapter, headers, paths, timeouts and secrets from a record', () => {
    const options = { idleTimeoutMs: 9, pathMode: 'append-v1' } as const;
    const compiled = compileProvider({ ...RECORD, options }, OPTIONS);
    assert.equal(compiled.adapter, openaiAdapter);
    assert.deepEqual(compiled.keys, [
      {
        id: 'key_1',
        hint: 'se...y',
        headers: ['authorization', 'Bearer secret key'],
        ownHeaders: ['authorization', 'Bearer secret key'],
      },
    ]);
    assert.ok(!compiled.headers.includes('authorization'));
    assert.equal(compiled.pathOf('chat/completions'), '/v1/chat/completions');
    assert.deepEqual(compiled.connection.timeouts.idleTimeoutMs, 9);
    assert.ok(compiled.secrets.includes('secret%20key'), 'the key as a URL spells it');
    assert.equal(compileProvider({ ...RECORD, type: 'chutes' }, OPTIONS).adapter, chutesAdapter);
  });

  test('takes the keys that can be sent, in their order, and knows the secrets of all', () => {
    const keys = [
      makeKey({ id: 'off', secret: 'key-off', enabled: false }),
      makeKey({ id: 'locked', unreadable: 'v1:x' }),
      makeKey({ id: 'odd', secret: 'a\r\nx-evil: 1' }),
      makeKey({ id: 'good', secret: 'key-good' }),
      makeKey({ id: 'better', secret: 'key-better' }),
    ];
    const compiled = compileProvider({ ...RECORD, keys }, OPTIONS);
    assert.deepEqual(
      compiled.keys.map(({ id, headers }) => [id, headers]),
      [
        ['good', ['authorization', 'Bearer key-good']],
        ['better', ['authorization', 'Bearer key-better']],
      ],
    );
    assert.equal(firstKeyOf(compiled)?.id, 'good');
    for (const secret of ['key-off', 'key-good', 'key-better', 'a%0D%0Ax-evil%3A+1'])
      assert.ok(compiled.secrets.includes(secret), secret);
  });

  for (const [name, keys, message] of [
    ['is disabled', [makeKey({ secret: 'x', enabled: false })], /Every key of provider up is disabled\./],
    ['cannot be read', [makeKey({ unreadable: 'v1:x' })], /cannot be decrypted/],
    ['no header can carry', [makeKey({ secret: 'ключ' })], /characters not allowed in HTTP headers/],
  ] as const) {
    test(`has keys, but none to send, if the only one ${name}`, () => {
      const compiled = compileProvider({ ...RECORD, keys }, OPTIONS);
      assert.deepEqual([compiled.keys, compiled.hasKeys], [[], true]);
      assert.throws(() => firstKeyOf(compiled), message);
    });
  }

  test('needs no key if there is none', () => {
    const compiled = compileProvider({ ...RECORD, keys: [] }, OPTIONS);
    assert.deepEqual([compiled.keys, compiled.hasKeys, firstKeyOf(compiled)], [[], false, null]);
  });

  for (const [name, fields, code] of [
    ['an invalid base URL', { baseUrl: 'ftp://x' }, 'upstream_unreachable'],
    ['an address that is never allowed', { baseUrl: 'http://169.254.169.254' }, 'upstream_unreachable'],
  ] as const) {
    test(`refuses ${name}`, () => {
      assert.throws(
        () => compileProvider({ ...RECORD, ...fields }, OPTIONS),
        (error) => error instanceof HttpError && error.error.code === code,
      );
    });
  }
});

describe('Providers', () => {
  test('compiles once per version of a record; an equal record that is read again keeps its quirks', () => {
    const providers = new Providers(OPTIONS);
    const first = providers.of(RECORD);
    first.quirks.add('no_embedding_model');
    assert.equal(providers.of(RECORD), first);
    assert.equal(providers.of({ ...RECORD, options: {} }), first, 'an equal record');
    const changed = providers.of({ ...RECORD, keys: [makeKey({ secret: 'another' })] });
    assert.notEqual(changed, first);
    assert.notEqual(changed.connection, first.connection);
    assert.equal(changed.quirks.size, 0, 'a changed provider may have other quirks');
  });

  test('forgets deleted providers', () => {
    const providers = new Providers(OPTIONS);
    const first = providers.of(RECORD);
    providers.keepOnly(new Map([[RECORD.id, RECORD]]));
    assert.equal(providers.of(RECORD), first);
    providers.keepOnly(new Map());
    assert.notEqual(providers.of(RECORD), first);
  });
});
