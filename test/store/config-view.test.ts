import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { viewConfig } from '../../src/store/config-view.ts';
import { createNewConfig } from '../../src/store/new-config.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { makeModel } from '../helpers/records.ts';

function withModels(...models: readonly { id: string; enabled?: boolean }[]): ConfigState {
  const records = models.map((fields) => makeModel({ providerId: 'p', ...fields }));
  return {
    ...createNewConfig({ now: () => 0, randomBytes }),
    models: new Map(records.map((model) => [model.id, model])),
  };
}

test('wildcard models stand in the order in which they are asked: most literal characters, then alphabet', () => {
  const ids = ['*', 'b-*', 'gpt-*', 'exact', 'a-*', '*-b', 'gpt-*-mini', '*a', 'two-*-*'];
  const state = withModels(...ids.map((id) => ({ id })), { id: 'disabled-one-*', enabled: false });
  assert.deepEqual(
    viewConfig(state, 1).wildcardModels.map(({ id }) => id),
    ['gpt-*-mini', 'gpt-*', '*-b', 'a-*', 'b-*', '*a', '*'],
  );
});

test('the indexes of an earlier view are kept while their maps do not change', () => {
  const first = viewConfig(withModels({ id: '*' }), 1);
  const next = viewConfig({ ...first, providers: new Map() }, 2, first);
  assert.equal(next.wildcardModels, first.wildcardModels);
  const changed = viewConfig(withModels({ id: 'a*' }), 3, next);
  assert.deepEqual(
    changed.wildcardModels.map(({ id }) => id),
    ['a*'],
  );
});
