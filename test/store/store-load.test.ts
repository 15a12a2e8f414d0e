import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import type { ApiKey, Provider } from '../../src/store/entities.ts';
import type { Changed, ConfigState } from '../../src/store/store.ts';
import { makeFolder, openStore } from './fixture.ts';
import { makeApiKey, makeSession, TIME, withApiKey } from './store-contract.ts';

const PROVIDERS = 200;
const KEYS = 5000;

/** Times depend on the machine and on what else it does: the bounds hold on an idle one, here they are only shown. */
const isStrict = process.env['IPIN_LONG'] === '1';

function fill(state: ConfigState): Changed<null> {
  const providers = new Map<string, Provider>();
  for (let index = 0; index < PROVIDERS; index += 1) {
    const id = `provider-${index}`;
    const text = {
      id,
      name: id,
      baseUrl: `https://${id}.example/v1`,
      apiKey: randomBytes(24).toString('hex'),
    };
    const rest = { unreadableApiKey: null, type: 'openai', enabled: true, options: {} } as const;
    providers.set(id, { ...text, ...rest, createdAt: TIME, updatedAt: TIME });
  }
  const apiKeys = new Map<string, ApiKey>();
  for (let index = 0; index < KEYS; index += 1) apiKeys.set(`key-${index}`, makeApiKey(`key-${index}`));
  return { state: { ...state, providers, apiKeys }, result: null };
}

test('50 parallel writes on 200 providers and 5,000 keys', async (context) => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path, { encryptionKey: 'an encryption key' });
  await store.config.update(fill);
  for (let index = 0; index < 200; index += 1) store.counters.set(`counter-${index}`, index);
  for (let index = 0; index < 50; index += 1) await store.sessions.put(makeSession(`s${index}`));

  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const times = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      // As they come in from connections: not all in one turn.
      await new Promise((resolve) => setTimeout(resolve, index % 10));
      const start = performance.now();
      await store.config.update(withApiKey(makeApiKey(`new-${index}`)));
      return performance.now() - start;
    }),
  );
  loop.disable();
  const p99Ms = Math.max(...times);
  const stallMs = loop.max / 1e6;
  context.diagnostic(
    `slowest acknowledgement ${p99Ms.toFixed(0)} ms, longest stall ${stallMs.toFixed(0)} ms`,
  );
  assert.equal(store.config.snapshot().apiKeys.size, KEYS + 50);
  await store.close();

  const again = await openStore(path, { encryptionKey: 'an encryption key' });
  assert.deepEqual(again.config.snapshot(), store.config.snapshot());
  await again.close();
  if (!isStrict) return;
  assert.ok(p99Ms <= 250, `${p99Ms} ms`);
  assert.ok(stallMs <= 50, `${stallMs} ms`);
});
