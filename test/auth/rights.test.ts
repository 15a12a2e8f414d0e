import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { digestKey } from '../../src/auth/api-keys.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { type AppUnderTest, expectStatus, jsonRequest, startApp } from '../helpers/start-app.ts';
import { addUser, openSession, stateOf } from './quick-users.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 1_000 : 60;
const SEED = 20_260_301;
const MODELS = ['a', 'ab', 'ab/c', 'b', 'b:1'] as const;

async function startWithModels(t: TestContext): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider(
    { id: 'up', baseUrl: 'http://127.0.0.1:9' },
    MODELS.map((id) => ({ id })),
  );
  return app;
}

function idOfKey(app: AppUnderTest, key: string): string {
  return app.services.store.config.view().apiKeyByDigest.get(digestKey(key))?.id ?? assert.fail();
}

test('what is another’s is answered as what is not there', { timeout: 20_000 }, async (t) => {
  const app = await startWithModels(t);
  const ann = await addUser(app, { id: 'user_ann', models: ['a'] });
  await addUser(app, { id: 'user_bob' });
  const ids = [
    idOfKey(app, await app.addKey({ userId: 'user_bob' })),
    idOfKey(app, await app.addKey({})),
    ...['master', 'user_bob', 'user_ann', 'up', '__proto__', 'constructor', 'toString'],
  ];
  const before = stateOf(app);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? { name: 'stolen', enabled: false, userId: 'user_ann' } : undefined;
    const ask = async (path: string, id: string): Promise<string> => {
      const answer = await fetch(app.origin + path + id, jsonRequest(method, `Bearer ${ann}`, body));
      return `${answer.status} ${await answer.text()}`;
    };
    const absent = await ask('/api/user/apikeys/', 'key_nope');
    assert.match(absent, /^404 .*"not_found"/);
    for (const id of ids) assert.equal(await ask('/api/user/apikeys/', id), absent, `${method} ${id}`);
    // What is the admin's is refused whether it is there or not.
    for (const kind of ['users', 'apikeys', 'models', 'providers']) {
      const refused = await ask(`/api/admin/${kind}/`, 'nope');
      assert.match(refused, /^403 .*"forbidden"/);
      for (const id of [...ids, 'a']) assert.equal(await ask(`/api/admin/${kind}/`, id), refused);
    }
  }
  assert.equal(stateOf(app), before);
  const key = await app.addKey({ userId: 'user_ann' });
  const model = async (id: string): Promise<string> => {
    const answer = await fetch(`${app.origin}/v1/models/${id}`, jsonRequest('GET', `Bearer ${key}`));
    return `${answer.status} ${(await answer.text()).replaceAll(id, 'ID')}`;
  };
  assert.match(await model('a'), /^200 /);
  assert.equal(await model('ab'), await model('nope'));
});

/** What nobody may set. As text, since `__proto__` in an object literal is no member. */
const FORBIDDEN = `
  "__proto__":{"role":"admin","models":null,"enabled":true},"constructor":{"prototype":{"role":"admin"}},
  "prototype":{"role":"admin"},"role":"admin","isAdmin":true,"admin":true,"kind":"admin","id":"stolen",
  "ownerId":"user_bob","owner":"user_bob","user":"user_bob","digest":"${'0'.repeat(64)}","keyHint":"sk-...hint",
  "usage":{"requests":0},"lastUsedAt":"2000-01-01T00:00:00Z","createdAt":"2000-01-01T00:00:00Z",
  "updatedAt":"2000-01-01T00:00:00Z","passwordHash":"scrypt$","hash":"x","salt":"x","instanceId":"x",
  "sessions":[],"masterKey":"x","keys":[{"id":"x","secret":"x"}],"apiKeyHint":"x","generation":9,"schemaVersion":9`;

interface Assignment {
  readonly name: string;
  readonly by: 'user' | 'admin';
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  /** Sent beside what is forbidden. */
  readonly fields: string;
  /** What the answer must have, and the store where it keeps it. */
  readonly expected: Record<string, unknown>;
}

/** KEY: a key of the user's; `userId` is the admin's to set, nobody else's. */
const ASSIGNMENTS: readonly Assignment[] = [
  {
    name: 'a user making a key',
    by: 'user',
    method: 'POST',
    path: '/api/user/apikeys',
    fields: '"name":"n","userId":"user_bob"',
    expected: { name: 'n', userId: 'user_ann', enabled: true },
  },
  {
    name: 'a user changing a key',
    by: 'user',
    method: 'PUT',
    path: '/api/user/apikeys/KEY',
    fields: '"name":"n","userId":"user_bob","key":"sk-another-0123456789abcdefghij"',
    expected: { name: 'n', userId: 'user_ann', enabled: true },
  },
  {
    name: 'the admin changing a key',
    by: 'admin',
    method: 'PUT',
    path: '/api/admin/apikeys/KEY',
    fields: '"name":"n","key":"sk-another-0123456789abcdefghij"',
    expected: { name: 'n', userId: 'user_ann' },
  },
  {
    name: 'the admin changing a user',
    by: 'admin',
    method: 'PUT',
    path: '/api/admin/users/user_ann',
    fields: '"name":"n"',
    expected: { id: 'user_ann', username: 'user_ann', name: 'n', models: ['a*'], enabled: true },
  },
  {
    name: 'the admin changing a model',
    by: 'admin',
    method: 'PUT',
    path: '/api/admin/models/a',
    fields: '"name":"n"',
    expected: { id: 'a', name: 'n', providerId: 'up', enabled: true },
  },
  {
    name: 'the admin changing a provider',
    by: 'admin',
    method: 'PUT',
    path: '/api/admin/providers/up',
    fields: '"name":"n"',
    expected: { id: 'up', name: 'n', apiKeyHint: null, apiKeyUnreadable: false, enabled: true },
  },
];

test('fields that are nobody’s to set change nothing', { timeout: 30_000 }, async (t) => {
  const app = await startWithModels(t);
  const ann = await addUser(app, { id: 'user_ann', models: ['a*'] });
  await addUser(app, { id: 'user_bob' });
  const key = idOfKey(app, await app.addKey({ userId: 'user_ann', models: ['a'] }));
  const { config } = app.services.store;
  const initial = config.view();
  for (const { name, by, method, path, fields, expected } of ASSIGNMENTS) {
    const place = path.replace('KEY', key);
    const body = `{${FORBIDDEN},${fields}}`;
    const answer =
      by === 'admin'
        ? await app.admin(method, place, body)
        : await fetch(app.origin + place, jsonRequest(method, `Bearer ${ann}`, body));
    const shown = (await expectStatus(method === 'POST' ? 201 : 200, answer)) as Record<string, unknown>;
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(shown[field], value, `${name}: ${field}`);
    assert.deepEqual(strangeMembers(app), [], name);
    // Apart from the name and the time of the change, all is as it was.
    const changed = stateOf(app).replaceAll(/"(name|updatedAt)":"[^"]*"/g, '"$1":""');
    await changeConfig(config, () => ({ state: initial, result: null }));
    if (method === 'PUT')
      assert.equal(changed, stateOf(app).replaceAll(/"(name|updatedAt)":"[^"]*"/g, '"$1":""'), name);
  }
  const password = `{${FORBIDDEN},"currentPassword":"wrong one","newPassword":"long enough","userId":"user_bob"}`;
  const refused = await fetch(
    `${app.origin}/api/user/password`,
    jsonRequest('PUT', `Bearer ${ann}`, password),
  );
  assert.equal(refused.status, 401);
  assert.equal(
    config.view().users.get('user_bob')?.passwordHash,
    initial.users.get('user_bob')?.passwordHash,
  );
  assert.equal(Reflect.get({}, 'role'), undefined);
});

/** Members that no record of the store has. */
function strangeMembers(app: AppUnderTest): string[] {
  const { apiKeys, users, models, providers } = app.services.store.config.view();
  const records = [apiKeys, users, models, providers].flatMap((map) => [...map.values()]);
  const strange = [
    'role',
    'isAdmin',
    'ownerId',
    'usage',
    'lastUsedAt',
    '__proto__',
    'constructor',
    'key',
    'apiKeyHint',
  ];
  return records.flatMap((record) => strange.filter((name) => Object.hasOwn(record, name)));
}

type Edit =
  | { readonly kind: 'owner'; readonly owner: 0 | 1; readonly models: string[] | null }
  | { readonly kind: 'switch'; readonly owner: 0 | 1; readonly enabled: boolean }
  | { readonly kind: 'key'; readonly by: 'admin' | 'user'; readonly models: string[] | null }
  | { readonly kind: 'make'; readonly models: string[] | null }
  | { readonly kind: 'give'; readonly owner: 0 | 1; readonly models: string[] | null | undefined };

const list = fc.option(
  fc.uniqueArray(fc.constantFrom('*', 'a', 'a*', 'ab*', 'ab/*', 'b', 'b:1', 'nope'), { maxLength: 4 }),
);
const owner = fc.constantFrom(0 as const, 1 as const);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('owner' as const), owner, models: list }),
  fc.record({ kind: fc.constant('switch' as const), owner, enabled: fc.boolean() }),
  fc.record({
    kind: fc.constant('key' as const),
    by: fc.constantFrom('admin' as const, 'user' as const),
    models: list,
  }),
  fc.record({ kind: fc.constant('make' as const), models: list }),
  fc.record({ kind: fc.constant('give' as const), owner, models: fc.option(list, { nil: undefined }) }),
);

const OWNERS = ['user_ann', 'user_bob'] as const;

test('no order of edits makes a key wider than its owner', { timeout: 60_000 }, async (t) => {
  const app = await startWithModels(t);
  for (const id of OWNERS) await addUser(app, { id });
  const initial = app.services.store.config.view();
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
      await changeConfig(app.services.store.config, () => ({ state: initial, result: null }));
      const keys = [await app.addKey({ userId: OWNERS[0] })];
      for (const step of edits) {
        const made = await apply(app, step, idOfKey(app, keys[0] ?? ''));
        if (made !== null) keys.push(made);
        for (const key of keys) await checkKey(app, key);
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

/** Makes an edit, or is refused; returns the key that it made. */
async function apply(app: AppUnderTest, step: Edit, keyId: string): Promise<string | null> {
  const asUser = async (method: string, path: string, body: unknown): Promise<Response> => {
    // A new session each time: being disabled ends them.
    const user = app.services.store.config.view().users.get(OWNERS[0]) ?? assert.fail();
    return fetch(app.origin + path, jsonRequest(method, `Bearer ${await openSession(app, user)}`, body));
  };
  const send = (): Promise<Response> => {
    switch (step.kind) {
      case 'owner':
        return app.admin('PUT', `/api/admin/users/${OWNERS[step.owner]}`, { models: step.models });
      case 'switch':
        return app.admin('PUT', `/api/admin/users/${OWNERS[step.owner]}`, { enabled: step.enabled });
      case 'key': {
        const body = { models: step.models, userId: step.by === 'user' ? null : undefined };
        const path = `/api/${step.by}/apikeys/${keyId}`;
        return step.by === 'user' ? asUser('PUT', path, body) : app.admin('PUT', path, body);
      }
      case 'make':
        return asUser('POST', '/api/user/apikeys', { name: 'made', models: step.models, userId: null });
      case 'give':
        return app.admin('PUT', `/api/admin/apikeys/${keyId}`, {
          userId: OWNERS[step.owner],
          models: step.models,
        });
    }
  };
  const answer = await send();
  assert.ok([200, 201, 400, 401, 404].includes(answer.status), `${answer.status} to ${JSON.stringify(step)}`);
  const body = (await answer.json()) as { key?: string };
  return body.key ?? null;
}

/** By rules written anew: an entry allows the ids that it equals, or with `*` at its end those that begin so. */
async function checkKey(app: AppUnderTest, key: string): Promise<void> {
  const state = app.services.store.config.view();
  const record = state.apiKeyByDigest.get(digestKey(key)) ?? assert.fail();
  const user = state.users.get(record.userId ?? '') ?? assert.fail('a user’s key stays a user’s');
  const allows = (models: readonly string[] | null, id: string): boolean =>
    models === null || models.some((entry) => new RegExp(`^${entry.replace('*', '.*')}$`).test(id));
  const answer = await fetch(`${app.origin}/v1/models`, jsonRequest('GET', `Bearer ${key}`));
  if (!user.enabled) {
    assert.equal(answer.status, 401);
    return;
  }
  const { data } = (await expectStatus(200, answer)) as { data: { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    MODELS.filter((id) => allows(user.models, id) && allows(record.models, id)),
  );
}

test('a key whose owner may do less by now can still be renamed and disabled', async (t) => {
  const app = await startWithModels(t);
  const ann = await addUser(app, { id: 'user_ann' });
  const id = idOfKey(app, await app.addKey({ userId: 'user_ann', models: ['a', 'b'] }));
  await app.admin('PUT', '/api/admin/users/user_ann', { models: ['a'] });
  const models = ['a', 'b'];
  const asAnn = (body: unknown): Promise<Response> =>
    fetch(`${app.origin}/api/user/apikeys/${id}`, jsonRequest('PUT', `Bearer ${ann}`, body));
  assert.equal((await asAnn({ name: 'renamed', models })).status, 200);
  assert.equal((await asAnn({ models: ['b'] })).status, 400);
  assert.equal((await app.admin('PUT', `/api/admin/apikeys/${id}`, { enabled: false })).status, 200);
  assert.equal((await app.admin('PUT', `/api/admin/apikeys/${id}`, { models: ['b'] })).status, 400);
  assert.equal(app.services.store.config.view().apiKeys.get(id)?.enabled, false);
});
