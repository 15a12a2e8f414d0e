import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ApiKey, Session } from '../../src/store/entities.ts';
import type { Changed, ConfigState, Store } from '../../src/store/store.ts';

export const TIME = '2026-03-01T12:00:00.000Z';

export function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

export function makeApiKey(id: string, fields: Partial<ApiKey> = {}): ApiKey {
  return {
    id,
    name: `Key ${id}`,
    digest: digestOf(id),
    keyHint: 'sk-ab...yz',
    enabled: true,
    models: null,
    userId: null,
    expiresAt: null,
    createdAt: TIME,
    ...fields,
  };
}

export function makeSession(digest: string, fields: Partial<Session> = {}): Session {
  return {
    digest,
    role: 'admin',
    userId: null,
    credential: 'fingerprint',
    createdAt: 1000,
    lastSeenAt: 1000,
    ...fields,
  };
}

export function withApiKey(apiKey: ApiKey): (state: ConfigState) => Changed<string> {
  return (state) => ({
    state: { ...state, apiKeys: new Map(state.apiKeys).set(apiKey.id, apiKey) },
    result: apiKey.id,
  });
}

/** What every driver must do; `open` makes a fresh store, `reopen` (where there is a disk) opens it once more. */
export function describeStore(
  name: string,
  drive: { open: () => Promise<Store>; reopen?: (store: Store) => Promise<Store> },
): void {
  describe(`${name}: the store's contract`, () => {
    configTests(drive.open);
    queueTests(drive.open);
    sessionTests(drive.open);
    if (drive.reopen !== undefined) durabilityTests(drive.open, drive.reopen);
  });
}

function configTests(open: () => Promise<Store>): void {
  test('a fresh store holds the preset provider, closed, and its model', async () => {
    const store = await open();
    const { providers, models, apiKeys, users, masterKey, instanceId } = store.config.view();
    assert.deepEqual([...providers.keys()], ['chutes-dots-ocr']);
    assert.equal(providers.get('chutes-dots-ocr')?.enabled, false);
    assert.equal(providers.get('chutes-dots-ocr')?.apiKey, null);
    assert.equal(models.get('dots-ocr')?.providerId, 'chutes-dots-ocr');
    assert.deepEqual([apiKeys.size, users.size, masterKey], [0, 0, null]);
    assert.match(instanceId, /^[0-9a-f]{16}$/);
    await store.close();
  });

  test('update() changes the view and its indexes; an older view stays as it was', async () => {
    const store = await open();
    const before = store.config.view();
    const id = await store.config.update(withApiKey(makeApiKey('a')));
    assert.equal(id, 'a');
    assert.equal(store.config.view().apiKeyByDigest.get(digestOf('a'))?.id, 'a');
    assert.equal(before.apiKeys.size, 0);
    assert.equal(before.apiKeyByDigest.size, 0);
    await store.close();
  });

  test('update() is not visible before it resolves', async () => {
    const store = await open();
    const done = store.config.update(withApiKey(makeApiKey('a')));
    assert.equal(store.config.view().apiKeys.size, 0);
    await done;
    assert.equal(store.config.view().apiKeys.size, 1);
    await store.close();
  });

  test('a list keeps the order of insertion', async () => {
    const store = await open();
    for (const id of ['z', 'm', 'a']) await store.config.update(withApiKey(makeApiKey(id)));
    assert.deepEqual([...store.config.view().apiKeys.keys()], ['z', 'm', 'a']);
    await store.close();
  });
}

function queueTests(open: () => Promise<Store>): void {
  test('update() passes on what a change throws, alone, and keeps the state', async () => {
    const store = await open();
    const failure = new Error('no');
    const results = await Promise.allSettled([
      store.config.update(withApiKey(makeApiKey('a'))),
      store.config.update(() => {
        throw failure;
      }),
      store.config.update(withApiKey(makeApiKey('b'))),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason)),
      ['a', failure, 'b'],
    );
    assert.deepEqual([...store.config.view().apiKeys.keys()], ['a', 'b']);
    await store.close();
  });

  test('parallel updates each see the ones before them', async () => {
    const store = await open();
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => store.config.update(withApiKey(makeApiKey(`k${index}`)))),
    );
    assert.equal(store.config.view().apiKeys.size, 50);
    await store.close();
  });

  test('listeners hear of durable changes of configuration and sessions, not of failed or soft ones', async () => {
    const store = await open();
    let heard = 0;
    store.onChange(() => {
      heard += 1;
    });
    await store.config.update(withApiKey(makeApiKey('a')));
    assert.equal(heard, 1);
    await store.sessions.put(makeSession('s'));
    assert.equal(heard, 2);
    await store.config.update((state) => ({ state, result: null }));
    await assert.rejects(
      store.config.update(() => {
        throw new Error('no');
      }),
    );
    store.counters.set('used', 1);
    store.sessions.touch(makeSession('s', { lastSeenAt: 2000 }));
    await store.close();
    assert.equal(heard, 2);
  });
}

function sessionTests(open: () => Promise<Store>): void {
  test('sessions are found at once, replaced by touch and removed by predicate', async () => {
    const store = await open();
    const put = store.sessions.put(makeSession('s1'));
    assert.equal(store.sessions.find('s1')?.digest, 's1');
    await put;
    await store.sessions.put(makeSession('s2', { role: 'user', userId: 'u' }));
    store.sessions.touch(makeSession('s1', { lastSeenAt: 5000 }));
    assert.equal(store.sessions.find('s1')?.lastSeenAt, 5000);
    const removed = store.sessions.remove((session) => session.userId === 'u');
    assert.equal(store.sessions.find('s2'), undefined);
    await removed;
    assert.equal(store.sessions.find('s1')?.digest, 's1');
    await store.close();
  });

  test('touch() does not bring a removed session back', async () => {
    const store = await open();
    await store.sessions.put(makeSession('s1'));
    await store.sessions.remove(() => true);
    store.sessions.touch(makeSession('s1'));
    assert.equal(store.sessions.find('s1'), undefined);
    await store.close();
  });

  test('counters are bounded: the names set longest ago are forgotten first', async () => {
    const store = await open();
    for (let index = 0; index < 20_001; index += 1) {
      store.counters.set(`n${index}`, index);
      if (index % 1000 === 0) store.counters.set('kept', index);
    }
    assert.equal(store.counters.get('n0'), undefined);
    assert.equal(store.counters.get('n20000'), 20_000);
    assert.equal(store.counters.get('kept'), 20_000);
    await store.close();
  });
}

function durabilityTests(open: () => Promise<Store>, reopen: (store: Store) => Promise<Store>): void {
  test('configuration, sessions and counters are there after close and open', async () => {
    const store = await open();
    await store.config.update(withApiKey(makeApiKey('a', { models: ['gpt-*'], expiresAt: TIME })));
    await store.sessions.put(makeSession('s'));
    store.sessions.touch(makeSession('s', { lastSeenAt: 7000 }));
    store.counters.set('used', 42);
    const before = store.config.view();
    const again = await reopen(store);
    const after = again.config.view();
    assert.deepEqual(after, before);
    assert.deepEqual(again.sessions.find('s'), makeSession('s', { lastSeenAt: 7000 }));
    assert.equal(again.counters.get('used'), 42);
    await again.close();
  });
}
