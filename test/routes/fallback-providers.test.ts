import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fallback } from '../../src/store/entities.ts';
import { startApp } from '../helpers/start-app.ts';
import { type Fixture, runScenarios, type Scenario, startFixture } from './scenarios.ts';

const BASE = '/api/admin/providers';
const to = (providerId: string, upstreamModel: string | null = null): Fallback => ({
  providerId,
  upstreamModel,
  weight: null,
  price: null,
});

/** The models after a scenario, each with the providers that it has left. */
const leaves =
  (expected: Readonly<Record<string, readonly string[]>>) =>
  ({ app }: Fixture): void => {
    const { models } = app.services.store.config.view();
    const shown = [...models.values()].map(({ id, providerId, fallbacks }): [string, string[]] => [
      id,
      [providerId, ...fallbacks.map((fallback) => fallback.providerId)],
    ]);
    assert.deepEqual(Object.fromEntries(shown.filter(([id]) => id !== 'dots-ocr')), expected);
  };

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'delete one that is a fallback only',
    method: 'DELETE',
    path: `${BASE}/helper`,
    status: 409,
    code: 'provider_in_use',
    contains: ['2 models have it as a fallback. Remove the fallbacks first'],
  },
  {
    name: 'delete one that is both',
    method: 'DELETE',
    path: `${BASE}/bare?cascade=false`,
    status: 409,
    code: 'provider_in_use',
    contains: ['1 model uses this provider, 1 model has it as a fallback. Delete the models first'],
  },
  {
    name: 'delete one with its fallbacks: the models stay',
    method: 'DELETE',
    path: `${BASE}/helper?cascade=true`,
    status: 204,
    after: leaves({ m: ['up'], 'a/b:1': ['up'], one: ['up', 'bare'], two: ['bare', 'up'] }),
  },
  {
    name: 'delete one with its models and its fallbacks',
    method: 'DELETE',
    path: `${BASE}/bare?cascade=1`,
    status: 204,
    after: leaves({ m: ['up'], 'a/b:1': ['up'], one: ['up', 'helper', 'helper'] }),
  },
  {
    name: 'delete one that a model has as its fallback to itself',
    method: 'DELETE',
    path: `${BASE}/up?cascade=true`,
    status: 204,
    after: leaves({ two: ['bare', 'helper'] }),
  },
];

test('providers that are fallbacks', { timeout: 30_000 }, async (t) => {
  const fixture = await startFixture(t);
  const baseUrl = 'http://127.0.0.1:9';
  await fixture.app.addProvider({ id: 'helper', baseUrl }, [
    { id: 'one', providerId: 'up', fallbacks: [to('helper'), to('bare'), to('helper', 'other')] },
    { id: 'two', providerId: 'bare', fallbacks: [to('up'), to('helper')] },
  ]);
  await runScenarios(t, fixture, SCENARIOS);
});

test('an edit that leaves the price of a fallback out keeps it; null removes it', async (t) => {
  const app = await startApp(t);
  await app.addProvider({ id: 'one', baseUrl: 'http://127.0.0.1:9/v1' }, []);
  await app.addProvider({ id: 'two', baseUrl: 'http://127.0.0.1:9/v1' }, []);
  const fallback = { providerId: 'two', upstreamModel: 'x', price: { inputPerMTok: 1 } };
  await app.admin('POST', '/api/admin/models', { id: 'm', providerId: 'one', fallbacks: [fallback] });
  const edit = async (price: object): Promise<number | null | undefined> => {
    const { price: _price, ...target } = fallback;
    const answer = await app.admin('PUT', '/api/admin/models/m', { fallbacks: [{ ...target, ...price }] });
    assert.equal(answer.status, 200);
    const [stored] = app.services.store.config.view().models.get('m')?.fallbacks ?? [];
    return stored?.price?.inputPerMTok ?? null;
  };
  assert.equal(await edit({}), 1);
  assert.equal(await edit({ upstreamModel: 'another model' }), null);
  assert.equal(await edit({ price: { inputPerMTok: 2 } }), 2);
  assert.equal(await edit({ price: null }), null);
});
