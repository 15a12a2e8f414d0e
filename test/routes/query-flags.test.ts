import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

const WRONG = ['yes', 'TRUE', 'on', '2', '', '%20true', 'true,true', 'null'];

interface Refused {
  readonly error: { readonly code: string; readonly param: string };
}

async function assertRefused(app: AppUnderTest, method: string, path: string, body?: unknown): Promise<void> {
  const { error } = (await expectStatus(400, await app.admin(method, path, body))) as Refused;
  const [, param] = /\?(\w+)=/.exec(path) ?? [];
  assert.deepEqual([error.code, error.param], ['invalid_value', param], path);
}

const userNames = (app: AppUnderTest): string[] =>
  [...app.services.store.config.view().users.values()].map(({ username }) => username);

describe('flags in the query', { timeout: 30_000 }, () => {
  test('A12: dryRun=1 only reports, dryRun=0 restores, and anything unclear is refused', async (t) => {
    const app = await startApp(t);
    const backup = await (await app.admin('GET', '/api/admin/backup?secrets=omit')).text();
    const ann = { username: 'ann', password: 'open sesame 1' };
    await expectStatus(201, await app.admin('POST', '/api/admin/users', ann));
    for (const value of WRONG) await assertRefused(app, 'POST', `/api/admin/restore?dryRun=${value}`, backup);
    for (const value of ['1', 'true']) {
      await expectStatus(200, await app.admin('POST', `/api/admin/restore?dryRun=${value}`, backup));
      assert.deepEqual(userNames(app), ['ann'], value);
    }
    await expectStatus(200, await app.admin('POST', '/api/admin/restore?dryRun=0', backup));
    assert.deepEqual(userNames(app), []);
  });

  test('A12: an unclear acceptUnboundKeys is refused', async (t) => {
    const app = await startApp(t);
    const backup = await (await app.admin('GET', '/api/admin/backup?secrets=omit')).text();
    await assertRefused(app, 'POST', '/api/admin/restore?acceptUnboundKeys=yes', backup);
  });

  test('A12: cascade takes the four words, and nothing is deleted for another one', async (t) => {
    const app = await startApp(t);
    const providers = (): string[] => [...app.services.store.config.view().providers.keys()];
    const before = providers();
    for (const id of ['p', 'q'])
      await app.addProvider({ id, baseUrl: 'https://p.example' }, [{ id: `model-${id}` }]);
    for (const value of WRONG) await assertRefused(app, 'DELETE', `/api/admin/providers/p?cascade=${value}`);
    for (const value of ['0', 'false'])
      await expectStatus(409, await app.admin('DELETE', `/api/admin/providers/p?cascade=${value}`));
    assert.deepEqual(providers(), [...before, 'p', 'q']);
    await expectStatus(204, await app.admin('DELETE', '/api/admin/providers/p?cascade=1'));
    await expectStatus(204, await app.admin('DELETE', '/api/admin/providers/q?cascade=true'));
    assert.deepEqual(providers(), before);
  });

  test('A12: a backup is never made in another form than was asked for', async (t) => {
    const app = await startApp(t, { env: { ENCRYPTION_KEY: 'sixteen characters' } });
    for (const value of ['none', 'OMIT', ''])
      await assertRefused(app, 'GET', `/api/admin/backup?secrets=${value}`);
    assert.equal((await app.admin('GET', '/api/admin/backup?secrets=omit')).status, 200);
  });
});
