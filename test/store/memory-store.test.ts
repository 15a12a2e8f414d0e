import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { describeStore } from './store-contract.ts';

const options = { now: () => 1_750_000_000_000, randomBytes };

describeStore('memory store', { open: async () => createMemoryStore(options) });

test('createMemoryStore() takes what is to differ from a fresh store', () => {
  const store = createMemoryStore({ ...options, initial: { providers: new Map(), models: new Map() } });
  assert.equal(store.config.view().providers.size, 0);
  assert.equal(store.status().state, 'volatile');
});
