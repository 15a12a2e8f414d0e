import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { createSealer } from '../../src/store/secrets.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { secretOf } from '../helpers/records.ts';
import { ADMIN, type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

const ENCRYPTION_KEY = 'sixteen characters';
const SECRET = 'sk-secret-of-the-provider';

interface BackupFile {
  checksum?: string;
  providers: { id: string; baseUrl: string; keys: unknown }[];
  apiKeys: { id: string }[];
  users: { id: string; username: string }[];
}

interface Refused {
  readonly error: { readonly code: string; readonly param: string | null; readonly message: string };
}

/** A backup with the provider `p` and its model `m`, changed with an editor. */
async function alteredBackup(t: TestContext, edit: (file: BackupFile) => void): Promise<BackupFile> {
  const app = await startApp(t, { env: { ENCRYPTION_KEY } });
  await app.addProvider({ id: 'p', baseUrl: 'https://api.example/v1', apiKey: SECRET }, [{ id: 'm' }]);
  await expectStatus(201, await app.admin('POST', '/api/admin/apikeys', { name: 'a key' }));
  const user = { username: 'ann', password: 'open sesame 1' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
  const file = (await expectStatus(200, await app.admin('GET', '/api/admin/backup'))) as BackupFile;
  delete file.checksum;
  edit(file);
  return file;
}

const fresh = (t: TestContext, env: Environment = {}): Promise<AppUnderTest> =>
  startApp(t, { env: { ENCRYPTION_KEY, ...env } });
const restore = (app: AppUnderTest, file: BackupFile, query = ''): Promise<Response> =>
  app.admin('POST', `/api/admin/restore${query}`, file);

async function assertUnchanged(app: AppUnderTest): Promise<void> {
  const { providers, apiKeys, users } = app.services.store.config.view();
  assert.deepEqual([[...providers.keys()], apiKeys.size, users.size], [['chutes-dots-ocr'], 0, 0]);
}

const PLACE = { record: 'provider', field: 'apiKey' };

/** As earlier versions sealed it: bound to no address. */
function sealAsBefore(file: BackupFile): void {
  const sealer = createSealer({ key: ENCRYPTION_KEY, previousKey: null, randomBytes });
  for (const one of file.providers)
    if (one.id === 'p')
      one.keys = [{ id: 'key_1', secret: { sealed: sealer.seal(SECRET, { ...PLACE, id: 'p' }) } }];
}

describe('a backup that somebody has altered', { timeout: 30_000 }, () => {
  test('B6: sends no key to the host that it names, on a fresh machine with the same ENCRYPTION_KEY', async (t) => {
    const evil = await startUpstream(t, json(CHAT_ANSWER));
    const file = await alteredBackup(t, ({ providers }) => {
      for (const one of providers) one.baseUrl = evil.origin;
    });
    const app = await fresh(t);
    for (const query of ['?dryRun=true', '', '?acceptUnboundKeys=true']) {
      const report = await expectStatus(200, await restore(app, file, query));
      const { providersWithoutKey } = report as { providersWithoutKey: unknown };
      assert.deepEqual(providersWithoutKey, [{ id: 'p', name: 'p' }]);
    }
    const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
    assert.equal(((await expectStatus(503, answer)) as Refused).error.code, 'provider_not_configured');
    await app.admin('POST', '/api/admin/providers/p/test');
    assert.equal(evil.received.length, 0);
    const status = (await expectStatus(200, await app.admin('GET', '/api/admin/status'))) as {
      warnings: { code: string; message: string }[];
    };
    const warning = status.warnings.find(({ code }) => code === 'unreadable_provider_keys');
    assert.match(warning?.message ?? '', /keys of p cannot.*base URL/);
  });

  test('B6: with keys of an earlier version, nothing happens before somebody accepts their addresses', async (t) => {
    const file = await alteredBackup(t, sealAsBefore);
    const app = await fresh(t);
    const dry = (await expectStatus(200, await restore(app, file, '?dryRun=1'))) as { unboundKeys: unknown };
    assert.deepEqual(dry.unboundKeys, [{ id: 'p', name: 'p', origin: 'https://api.example' }]);
    const { error } = (await expectStatus(400, await restore(app, file))) as Refused;
    assert.deepEqual([error.code, error.param], ['missing_required_parameter', 'acceptUnboundKeys']);
    assert.match(
      error.message,
      /^Nothing was changed\..*p: https:\/\/api\.example\..*\?acceptUnboundKeys=true/,
    );
    assert.doesNotMatch(error.message, /sk-secret/);
    await assertUnchanged(app);
    const keyOf = (): string | null | undefined =>
      secretOf(app.services.store.config.view().providers.get('p'));
    await expectStatus(200, await restore(app, file, '?acceptUnboundKeys=false'));
    assert.equal(keyOf(), null);
    await expectStatus(200, await restore(app, file, '?acceptUnboundKeys=1'));
    assert.equal(keyOf(), SECRET);
    await expectStatus(200, await restore(app, file));
    assert.equal(keyOf(), SECRET, 'the same key for the same address needs no question');
  });

  for (const id of ['master', '.', '..', '\ud800']) {
    test(`B6: plants no API key of the id ${JSON.stringify(id)}, which the panel could not delete`, async (t) => {
      const file = await alteredBackup(t, ({ apiKeys }) => {
        for (const key of apiKeys) key.id = id;
      });
      const app = await fresh(t);
      const { error } = (await expectStatus(400, await restore(app, file))) as Refused;
      assert.equal(error.code, 'invalid_body');
      assert.match(error.message, /apiKeys\[0\]\.id is not/);
      await assertUnchanged(app);
    });
  }

  test('B1: plants no default password, which would work from everywhere', async (t) => {
    const file = await alteredBackup(t, () => {});
    const app = await fresh(t);
    for (const password of ['admin', 'your-password']) {
      const adminPasswordHash = await app.services.credentials.hashPassword(password);
      for (const query of ['', '?dryRun=true']) {
        const answer = await restore(app, { ...file, adminPasswordHash } as BackupFile, query);
        const { error } = (await expectStatus(400, answer)) as Refused;
        assert.equal(error.param, 'adminPasswordHash');
      }
    }
    const adminPasswordHash = await app.services.credentials.hashPassword('a password of its own');
    await expectStatus(200, await restore(app, { ...file, adminPasswordHash } as BackupFile));
  });

  test('B6: plants no user of an id that the panel could not delete', async (t) => {
    const file = await alteredBackup(t, ({ users }) => {
      for (const user of users) user.id = '..';
    });
    const { error } = (await expectStatus(400, await restore(await fresh(t), file))) as Refused;
    assert.match(error.message, /users\[0\]\.id is not/);
  });

  test("B6: plants no user with the admin's name", async (t) => {
    const file = await alteredBackup(t, ({ users }) => {
      for (const user of users) user.username = ADMIN.username.toUpperCase();
    });
    const app = await fresh(t);
    for (const query of ['?dryRun=1', '']) {
      const { error } = (await expectStatus(409, await restore(app, file, query))) as Refused;
      assert.deepEqual([error.code, error.param], ['already_exists', 'username']);
      await assertUnchanged(app);
    }
    const other = await fresh(t, { UI_USERNAME: 'somebody' });
    await expectStatus(200, await restore(other, file));
  });
});
