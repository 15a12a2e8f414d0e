import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { findStartWarnings, findWarnings } from '../../src/routes/admin/warnings.ts';
import { expectStatus, startApp } from '../helpers/start-app.ts';
import { makeFolder, openStore } from '../store/fixture.ts';

const ROWS: readonly (readonly [env: Environment, code: string, expected: boolean])[] = [
  [{}, 'short_password', false],
  [{ UI_PASSWORD: 'short' }, 'short_password', true],
  [{ UI_PASSWORD: 'just 8 ch' }, 'short_password', false],
  [{ UI_PASSWORD: 'admin' }, 'short_password', false],
  [{ MASTER_API_KEY: 'sk-too-short' }, 'short_master_key', true],
  [{}, 'small_inflight_limit', false],
  [{ MAX_BODY_MB: '65' }, 'small_inflight_limit', true],
  [{ MAX_BODY_MB: '65', MAX_INFLIGHT_MB: '130' }, 'small_inflight_limit', false],
  [{}, 'keys_not_encrypted', false],
  [{ UI_PASSWORD: 'admin' }, 'default_password', true],
];

test('a small memory for bodies: the warning says what to set', async (t) => {
  const { services } = await startApp(t, { env: { MAX_BODY_MB: '65' } });
  const warning = findWarnings(services, []).find(({ code }) => code === 'small_inflight_limit');
  assert.match(warning?.message ?? '', /Set MAX_INFLIGHT_MB to 130 or more/);
});

for (const [env, code, expected] of ROWS) {
  test(`${JSON.stringify(env)}: ${expected ? '' : 'no '}${code}`, async (t) => {
    const app = await startApp(t, { env });
    const status = await expectStatus(200, await app.admin('GET', '/api/admin/status'));
    const { warnings } = status as { warnings: { code: string }[] };
    assert.equal(
      warnings.some((warning) => warning.code === code),
      expected,
    );
  });
}

test('keys in a file are to be encrypted; those in memory are gone with the server', async (t) => {
  const store = await openStore(join(makeFolder(), 'db.json'));
  t.after(() => store.close());
  const { services } = await startApp(t, { store });
  assert.ok(findWarnings(services, []).some(({ code }) => code === 'keys_not_encrypted'));
});

for (const [env, cannotSeeOwners, expected] of [
  [{ UI_PASSWORD: '' }, true, true],
  [{ UI_PASSWORD: '' }, false, false],
  [{ MASTER_API_KEY: 'sk-123' }, true, true],
  [{}, true, false],
] as const) {
  const owners = cannotSeeOwners ? 'unknown' : 'known';
  test(`B1: ${JSON.stringify(env)}, owners of connections ${owners}: ${expected ? 'a' : 'no'} warning at the start`, async (t) => {
    const { services } = await startApp(t, { env });
    const localAccess = { ...services.localAccess, cannotSeeOwners: async () => cannotSeeOwners };
    const warnings = await findStartWarnings({ ...services, localAccess });
    const found = warnings.filter(({ code }) => code === 'connection_owners_unreadable');
    assert.equal(found.length, expected ? 1 : 0);
    if (expected) assert.match(found[0]?.message ?? '', /Set UI_PASSWORD and MASTER_API_KEY/);
  });
}
