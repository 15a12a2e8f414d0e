import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Changed, changeConfig } from '../../src/store/change-config.ts';
import type { ApiKey, Provider } from '../../src/store/entities.ts';
import type { ConfigState } from '../../src/store/store.ts';
import { makeProvider } from '../helpers/records.ts';
import { makeFolder, openStore } from './fixture.ts';
import { makeApiKey, makeSession, stateOf, TIME, withApiKey } from './store-contract.ts';

const PROVIDERS = 200;
const KEYS = 5000;

function fill(state: ConfigState): Changed<null> {
  const providers = new Map<string, Provider>();
  for (let index = 0; index < PROVIDERS; index += 1) {
    const id = `provider-${index}`;
    const apiKey = randomBytes(24).toString('hex');
    const times = { createdAt: TIME, updatedAt: TIME };
    providers.set(id, makeProvider({ id, baseUrl: `https://${id}.example/v1`, apiKey, ...times }));
  }
  const apiKeys = new Map<string, ApiKey>();
  for (let index = 0; index < KEYS; index += 1) apiKeys.set(`key-${index}`, makeApiKey(`key-${index}`));
  return { state: { ...state, providers, apiKeys }, result: null };
}

test('50 parallel writes on 200 providers and 5,000 keys are all on the disk once acknowledged', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path, { encryptionKey: 'an encryption key' });
  await changeConfig(store.config, fill);
  for (let index = 0; index < 200; index += 1) await store.lastUse.note(`key-${index}`, index);
  for (let index = 0; index < 50; index += 1) await store.sessions.put(makeSession(`s${index}`));

  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      // As they come in from connections: not all in one turn.
      await new Promise((resolve) => setTimeout(resolve, index % 10));
      await changeConfig(store.config, withApiKey(makeApiKey(`new-${index}`)));
    }),
  );
  assert.equal(store.config.view().apiKeys.size, KEYS + 50);
  await store.close();

  const again = await openStore(path, { encryptionKey: 'an encryption key' });
  assert.deepEqual(stateOf(again), stateOf(store));
  await again.close();
});

test('a database that would be too large to be read again is not written', { timeout: 60_000 }, async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  await changeConfig(store.config, fill);
  const before = store.config.view();
  const models = Array.from({ length: 800 }, () => randomBytes(32).toString('hex'));
  const growing = changeConfig(store.config, (state) => {
    const apiKeys = new Map(state.apiKeys);
    for (let index = 0; index < 1000; index += 1) {
      const key = makeApiKey(`large-${index}`);
      apiKeys.set(key.id, { ...key, models });
    }
    return { state: { ...state, apiKeys }, result: null };
  });
  await assert.rejects(growing, /The change was not saved: the database would be larger than 48 MB/);
  assert.deepEqual(store.config.view(), before);
  await changeConfig(store.config, withApiKey(makeApiKey('one-more')));
  await store.close();
  const again = await openStore(path);
  assert.equal(again.config.view().apiKeys.size, KEYS + 1);
  await again.close();
});
