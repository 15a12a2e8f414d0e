import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { findModel, planTargets, withServedFirst } from '../../src/gateway/routing.ts';
import { compileProvider } from '../../src/providers/compile.ts';
import { viewConfig } from '../../src/store/config-view.ts';
import type { Model, Provider } from '../../src/store/entities.ts';
import { NEW_SETTINGS } from '../../src/store/new-records.ts';
import type { ConfigView } from '../../src/store/store.ts';
import { makeKey, makeModel, makeProvider } from '../helpers/records.ts';

const TIMEOUTS = { connectTimeoutMs: 1, headersTimeoutMs: 1, idleTimeoutMs: 1 };
const BASE = 'http://127.0.0.1:9/v1';

function viewOf(providers: readonly Provider[], models: readonly Model[]): ConfigView {
  const byId = <T extends { id: string }>(list: readonly T[]) => new Map(list.map((one) => [one.id, one]));
  return viewConfig(
    {
      instanceId: 'test',
      masterKey: null,
      adminPasswordHash: null,
      settings: NEW_SETTINGS,
      providers: byId(providers),
      models: byId(models),
      apiKeys: new Map(),
      users: new Map(),
    },
    1,
  );
}

function namesOf(view: ConfigView, modelId: string, random = (): number => 0): string[] {
  const options = {
    providers: {
      of: (record: Provider) => compileProvider(record, { timeouts: TIMEOUTS, blockPrivate: false }),
    },
    health: { inTurn: <K>(_id: string, keys: readonly K[]) => keys },
    random,
  };
  const targets = planTargets({ found: findModel(view, modelId), modelId, view }, options);
  return targets.map(({ provider, upstreamModel }) => `${provider.id}/${upstreamModel}`);
}

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof HttpError) return `${error.status} ${error.error.code}`;
  }
  return 'no error';
}

const ONE = makeProvider({ id: 'one', baseUrl: BASE });
const TWO = makeProvider({ id: 'two', baseUrl: BASE });
const THREE = makeProvider({ id: 'three', baseUrl: BASE });
const OFF = makeProvider({ id: 'off', baseUrl: BASE, enabled: false });
const UNREADABLE = makeProvider({ id: 'unreadable', baseUrl: BASE, unreadable: 'v2.x' });
const KEYS_OFF = makeProvider({
  id: 'keys-off',
  baseUrl: BASE,
  keys: [makeKey({ secret: 'k', enabled: false })],
});
const PROVIDERS = [ONE, TWO, THREE, OFF, UNREADABLE, KEYS_OFF];

describe('the model that serves a name', () => {
  const models = ['gpt-*', 'gpt-4*', '*-mini', '*', 'gpt-4o'].map((id) =>
    makeModel({ id, providerId: 'one' }),
  );
  const view = viewOf(PROVIDERS, models);
  const rows: readonly (readonly [name: string, id: string, wildcard: string | null])[] = [
    ['gpt-4o', 'gpt-4o', null],
    ['gpt-4o-x', 'gpt-4*', 'o-x'],
    ['gpt-3', 'gpt-*', '3'],
    // `gpt-4*` has as many literal characters; the alphabet decides.
    ['gpt-4-mini', '*-mini', 'gpt-4'],
    ['o-mini', '*-mini', 'o'],
    ['-mini', '*', '-mini'],
    ['gpt-', '*', 'gpt-'],
    ['$&', '*', '$&'],
  ];
  for (const [name, id, wildcard] of rows) {
    it(`${name} is served by ${id}`, () => {
      const found = findModel(view, name);
      assert.deepEqual([found.model.id, found.wildcard], [id, wildcard]);
    });
  }

  it('a disabled one neither serves nor hides the next', () => {
    const some = [
      makeModel({ id: 'a', providerId: 'one', enabled: false }),
      makeModel({ id: 'a*', providerId: 'one', enabled: false }),
    ];
    assert.equal(
      errorOf(() => findModel(viewOf(PROVIDERS, some), 'a')),
      '404 model_not_found',
    );
    const more = [...some, makeModel({ id: '*', providerId: 'one' })];
    assert.equal(findModel(viewOf(PROVIDERS, more), 'a').model.id, '*');
  });

  it('what fitted goes into the name at the provider', () => {
    const model = makeModel({ id: 'my-*', providerId: 'one', upstreamModel: 'vendor/*-v1' });
    assert.deepEqual(namesOf(viewOf(PROVIDERS, [model]), 'my-$1'), ['one/vendor/$1-v1']);
    const named = makeModel({ id: 'my-*', providerId: 'one' });
    assert.deepEqual(namesOf(viewOf(PROVIDERS, [named]), 'my-x'), ['one/my-x']);
  });
});

describe('the order of targets', () => {
  const to = (providerId: string, weight: number | null = null) => ({
    providerId,
    upstreamModel: null,
    weight,
    price: null,
  });

  it('fallbacks without weight keep their order', () => {
    const model = makeModel({ id: 'm', providerId: 'one', fallbacks: [to('three'), to('two')] });
    for (const random of [() => 0, () => 0.999]) {
      assert.deepEqual(namesOf(viewOf(PROVIDERS, [model]), 'm', random), ['one/m', 'three/m', 'two/m']);
    }
  });

  it('a target that is named twice is one target', () => {
    const fallbacks = [
      to('two'),
      { ...to('one'), upstreamModel: 'm' },
      to('two'),
      { ...to('two'), upstreamModel: 'n' },
    ];
    const model = makeModel({ id: 'm', providerId: 'one', fallbacks });
    assert.deepEqual(namesOf(viewOf(PROVIDERS, [model]), 'm'), ['one/m', 'two/m', 'two/n']);
  });

  it('targets that are missing, off or without a usable key are skipped', () => {
    const fallbacks = [to('gone'), to('unreadable'), to('keys-off'), to('two')];
    const model = makeModel({ id: 'm', providerId: 'off', fallbacks });
    assert.deepEqual(namesOf(viewOf(PROVIDERS, [model]), 'm'), ['two/m']);
    for (const providerId of ['off', 'unreadable', 'keys-off']) {
      const alone = viewOf(PROVIDERS, [makeModel({ id: 'm', providerId })]);
      assert.equal(
        errorOf(() => namesOf(alone, 'm')),
        '503 provider_not_configured',
      );
    }
  });

  it('targets with a weight are drawn by it, before all others', () => {
    const fallbacks = [to('three'), to('two', 3)];
    const view = viewOf(PROVIDERS, [makeModel({ id: 'm', providerId: 'one', fallbacks })]);
    const counts = new Map<string, number>();
    for (let step = 0; step < 400; step++) {
      const order = namesOf(view, 'm', () => step / 400).join(' ');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.deepEqual(Object.fromEntries(counts), {
      'one/m two/m three/m': 100,
      'two/m one/m three/m': 300,
    });
  });

  it('the target that served the conversation comes first among equals, with its key', () => {
    const keys = ['k1', 'k2'].map((id) => makeKey({ id, secret: id }));
    const options = { timeouts: TIMEOUTS, blockPrivate: false };
    const target = (id: string, isShared: boolean) => {
      const provider = compileProvider(makeProvider({ id, baseUrl: BASE, keys }), options);
      return { provider, upstreamModel: 'm', isShared, keys: provider.keys, price: null };
    };
    const targets = [target('one', true), target('two', true), target('three', false)];
    const shown = (providerId: string): string[] =>
      withServedFirst(targets, { providerId, upstreamModel: 'm', keyId: 'k2' }).map(
        ({ provider, keys: order }) => `${provider.id} ${order.map((key) => key?.id).join(' ')}`,
      );
    assert.deepEqual(shown('two'), ['two k2 k1', 'one k1 k2', 'three k1 k2']);
    assert.deepEqual(shown('three'), ['one k1 k2', 'two k1 k2', 'three k2 k1']);
    assert.deepEqual(shown('gone'), ['one k1 k2', 'two k1 k2', 'three k1 k2']);
  });
});
