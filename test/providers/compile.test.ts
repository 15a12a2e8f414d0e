import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { chutesAdapter } from '../../src/providers/chutes.ts';
import { compileProvider, Providers } from '../../src/providers/compile.ts';
import type { ConnectionOptions } from '../../src/providers/connection.ts';
import { openaiAdapter } from '../../src/providers/openai.ts';
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
      { id: 'key_1', hint: 'se...y', headers: ['authorization', 'Bearer secret key'] },
    ]);
    assert.ok(!compiled.headers.includes('authorization'));
    assert.equal(compiled.pathOf('chat/completions'), '/v1/chat/completions');
    assert.deepEqual(compiled.connection.timeouts.idleTimeoutMs, 9);
    assert.ok(compiled.secrets.includes('secret%20key'), 'the key as a URL spells it');
    assert.equal(compileProvider({ ...RECORD, type: 'chutes' }, OPTIONS).adapter, chutesAdapter);
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
