import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import {
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  MASTER_KEY,
  signIn,
  startApp,
} from '../helpers/start-app.ts';

export type Role = 'nobody' | 'user key' | 'master key' | 'user' | 'admin';
export const ROLES: readonly Role[] = ['nobody', 'user key', 'master key', 'user', 'admin'];

/** One request to `/api` and what its answer must hold. Each begins with the state of the fixture. */
export interface Scenario {
  readonly name: string;
  readonly as?: Role;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** The error's code and param, for a status from 400 on. */
  readonly code?: string;
  readonly param?: string | null;
  /** Members of the answer. */
  readonly has?: Record<string, unknown>;
  /** Texts that must stand, or must not stand, anywhere in the answer. */
  readonly contains?: readonly string[];
  readonly lacks?: readonly string[];
  /** Looks at the state after. */
  readonly after?: (fixture: Fixture) => void | Promise<void>;
}

export interface Fixture {
  readonly app: AppUnderTest;
  readonly userId: string;
  /** The id of a key of the admin's, and of one of the user's. */
  readonly keyId: string;
  readonly userKeyId: string;
  readonly as: (role: Role, method: string, path: string, body?: unknown) => Promise<Response>;
}

export const PROVIDER_KEY = 'provider-secret-4711-abcd';
export const USER_PASSWORD = 'anna has a password';
/** Never in any answer of `/api`. */
const SECRETS = [
  PROVIDER_KEY,
  USER_PASSWORD,
  MASTER_KEY,
  'passwordHash',
  'scrypt$',
  '"digest"',
  '"secret":',
  '"unreadable":',
  '"apiKey"',
];

/** A server with providers `up` (with a key) and `bare`, the models `m` and `a/b:1`, a user and a few keys. */
export async function startFixture(t: TestContext): Promise<Fixture> {
  const app = await startApp(t);
  await app.addProvider(
    { id: 'up', name: 'Upstream', baseUrl: 'http://127.0.0.1:9/v1', apiKey: PROVIDER_KEY },
    [{ id: 'm' }, { id: 'a/b:1' }],
  );
  await app.addProvider({ id: 'bare', baseUrl: 'http://127.0.0.1:9' }, []);
  const user = { username: 'anna', password: USER_PASSWORD, models: ['m', 'a/*'] };
  const { id: userId } = (await expectStatus(201, await app.admin('POST', '/api/admin/users', user))) as {
    id: string;
  };
  await app.addKey({ name: 'admin’s' });
  const userKey = await app.addKey({ name: 'anna’s', userId });
  const token = await signIn(app.origin, user);
  const authorizations: Record<Role, string | null> = {
    nobody: null,
    'user key': `Bearer ${userKey}`,
    'master key': `Bearer ${MASTER_KEY}`,
    user: `Bearer ${token}`,
    admin: '',
  };
  const [keyId = '', userKeyId = ''] = [...app.services.store.config.view().apiKeys.keys()];
  return {
    app,
    userId,
    keyId,
    userKeyId,
    as: (role, method, path, body) =>
      role === 'admin'
        ? app.admin(method, path, body)
        : fetch(`${app.origin}${path}`, jsonRequest(method, authorizations[role], body)),
  };
}

/** Runs scenarios, each on the fixture's state. In paths `KEY`, `USERKEY` and `USER` stand for their ids. */
export async function runScenarios(
  t: TestContext,
  fixture: Fixture,
  scenarios: readonly Scenario[],
): Promise<void> {
  const { config } = fixture.app.services.store;
  const initial = config.view();
  for (const scenario of scenarios) {
    await t.test(`${scenario.name}: ${scenario.status}`, async () => {
      await runScenario(fixture, scenario);
      const state = config.view();
      if (scenario.status >= 400)
        assert.deepEqual(
          { ...state, version: 0 },
          { ...initial, version: 0 },
          'a refused request changes nothing',
        );
      await changeConfig(config, () => ({ state: initial, result: null }));
    });
  }
  assert.ok(!fixture.app.logs.some((line) => line.includes('internal error')));
}

async function runScenario(fixture: Fixture, scenario: Scenario): Promise<void> {
  const path = scenario.path
    .replace('USERKEY', fixture.userKeyId)
    .replace('KEY', fixture.keyId)
    .replace('USER', fixture.userId);
  const answer = await fixture.as(scenario.as ?? 'admin', scenario.method, path, scenario.body);
  const text = await answer.text();
  assert.equal(answer.status, scenario.status, text.slice(0, 500));
  for (const part of scenario.contains ?? []) assert.ok(text.includes(part), `${part} is not in ${text}`);
  for (const part of [...SECRETS, ...(scenario.lacks ?? [])]) {
    if (part === '"apiKey"' && text.includes('"param":"apiKey"')) continue;
    assert.ok(!text.includes(part), `${part} is in ${text}`);
  }
  if (answer.status === 204) assert.equal(text, '');
  else checkBody(JSON.parse(text), scenario);
  await scenario.after?.(fixture);
}

function checkBody(body: Record<string, unknown>, scenario: Scenario): void {
  if (scenario.status < 400) {
    for (const [name, value] of Object.entries(scenario.has ?? {})) assert.deepEqual(body[name], value, name);
    return;
  }
  const error = body['error'] as Record<string, unknown>;
  assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
  if (scenario.code !== undefined) assert.equal(error['code'], scenario.code);
  if (scenario.param !== undefined) assert.equal(error['param'], scenario.param);
}

/** The rows that say who may: the admin alone. */
export function onlyAdmin(method: string, path: string, body?: unknown): Scenario[] {
  const refusals: readonly (readonly [Role, number, string])[] = [
    ['nobody', 401, 'not_signed_in'],
    ['user key', 401, 'not_signed_in'],
    ['master key', 401, 'not_signed_in'],
    ['user', 403, 'forbidden'],
  ];
  return refusals.map(([as, status, code]) => ({
    name: `${method} ${path} as ${as}`,
    as,
    method,
    path,
    body,
    status,
    code,
    lacks: ['127.0.0.1', 'anna'],
  }));
}

/** Values of wrong types for a field. */
const WRONG_VALUES: readonly unknown[] = [
  null,
  [],
  ['x'],
  [null],
  0,
  -1,
  1.5,
  1e308,
  true,
  false,
  {},
  { a: 1 },
  '',
  ' ',
  'x'.repeat(1_000_000),
  '__proto__',
  'constructor',
  'toString',
  'a\nb',
  'a\0b',
  '\ud800',
  '../../etc/passwd',
  '<script>',
  JSON.parse('{"__proto__":{"enabled":false}}'),
];

/** Sends each wrong value in each field: never 500, never a changed prototype, and a refusal names a field. */
export async function sweepFields(
  fixture: Fixture,
  method: string,
  path: string,
  sweep: { valid: Record<string, unknown>; fields: readonly string[] },
): Promise<void> {
  const { config } = fixture.app.services.store;
  const initial = config.view();
  const place = path
    .replace('USERKEY', fixture.userKeyId)
    .replace('KEY', fixture.keyId)
    .replace('USER', fixture.userId);
  for (const field of sweep.fields) {
    for (const value of WRONG_VALUES) {
      const answer = await fixture.as('admin', method, place, { ...sweep.valid, [field]: value });
      const text = await answer.text();
      const label = `${method} ${path} ${field}=${JSON.stringify(value)?.slice(0, 40)}: ${answer.status} ${text.slice(0, 300)}`;
      assert.ok([200, 201, 400, 409].includes(answer.status), label);
      assert.ok(text.length < 5_000, label);
      if (answer.status === 400) assert.ok(JSON.parse(text).error.param !== null, label);
      for (const secret of SECRETS) assert.ok(secret === '"apiKey"' || !text.includes(secret), label);
      await changeConfig(config, () => ({ state: initial, result: null }));
    }
  }
  assert.equal(({} as Record<string, unknown>)['enabled'], undefined);
  assert.ok(!fixture.app.logs.some((line) => line.includes('internal error')));
}
