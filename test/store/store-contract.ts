import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Changed, changeConfig } from '../../src/store/change-config.ts';
import type { ApiKey, Session } from '../../src/store/entities.ts';
import {
  type ConfigState,
  type ConfigStore,
  type ConfigView,
  type SessionStore,
  type Store,
  VersionConflictError,
} from '../../src/store/store.ts';
import { secretOf } from '../helpers/records.ts';

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
    passThrough: false,
    limits: null,
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

/** The configuration without its version, which is not kept over a restart. */
export function stateOf(store: Store): Omit<ConfigView, 'version'> {
  const { version: _, ...state } = store.config.view();
  return state;
}

/** What every driver must do; `open` makes a fresh store, `reopen` (where there is a disk) opens it once more. */
export function describeStore(
  name: string,
  drive: { open: () => Promise<Store>; reopen?: (store: Store) => Promise<Store> },
): void {
  describe(`${name}: the store's contract`, () => {
    configTests(drive.open);
    queueTests(drive.open);
    compareAndSetTests(drive.open);
    eventTests(drive.open);
    sessionTests(drive.open);
    useTests(drive.open);
    if (drive.reopen !== undefined) durabilityTests(drive.open, drive.reopen);
  });
}

function configTests(open: () => Promise<Store>): void {
  test('a fresh store holds the preset provider, closed, and its model', async () => {
    const store = await open();
    const { providers, models, apiKeys, users, masterKey, instanceId } = store.config.view();
    assert.deepEqual([...providers.keys()], ['chutes-dots-ocr']);
    assert.equal(providers.get('chutes-dots-ocr')?.enabled, false);
    assert.equal(secretOf(providers.get('chutes-dots-ocr')), null);
    assert.equal(models.get('dots-ocr')?.providerId, 'chutes-dots-ocr');
    assert.deepEqual([apiKeys.size, users.size, masterKey], [0, 0, null]);
    assert.match(instanceId, /^[0-9a-f]{16}$/);
    await store.close();
  });

  test('update() changes the view and its indexes; an older view stays as it was', async () => {
    const store = await open();
    const before = store.config.view();
    const id = await changeConfig(store.config, withApiKey(makeApiKey('a')));
    assert.equal(id, 'a');
    assert.equal(store.config.view().apiKeyByDigest.get(digestOf('a'))?.id, 'a');
    assert.equal(before.apiKeys.size, 0);
    assert.equal(before.apiKeyByDigest.size, 0);
    await store.close();
  });

  test('update() is not visible before it resolves', async () => {
    const store = await open();
    const done = changeConfig(store.config, withApiKey(makeApiKey('a')));
    assert.equal(store.config.view().apiKeys.size, 0);
    await done;
    assert.equal(store.config.view().apiKeys.size, 1);
    await store.close();
  });

  test('a list keeps the order of insertion', async () => {
    const store = await open();
    for (const id of ['z', 'm', 'a']) await changeConfig(store.config, withApiKey(makeApiKey(id)));
    assert.deepEqual([...store.config.view().apiKeys.keys()], ['z', 'm', 'a']);
    await store.close();
  });
}

function queueTests(open: () => Promise<Store>): void {
  test('update() passes on what a change throws, alone, and keeps the state', async () => {
    const store = await open();
    const failure = new Error('no');
    const results = await Promise.allSettled([
      changeConfig(store.config, withApiKey(makeApiKey('a'))),
      changeConfig(store.config, () => {
        throw failure;
      }),
      changeConfig(store.config, withApiKey(makeApiKey('b'))),
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
      Array.from({ length: 50 }, (_, index) =>
        changeConfig(store.config, withApiKey(makeApiKey(`k${index}`))),
      ),
    );
    assert.equal(store.config.view().apiKeys.size, 50);
    await store.close();
  });
}

/** A second handle on the same configuration, with a queue of changes of its own, as another process has. */
function otherHandle({ config }: Store): ConfigStore {
  return { view: () => config.view(), replace: (replacement) => config.replace(replacement) };
}

function compareAndSetTests(open: () => Promise<Store>): void {
  test('replace() stores a state once for each version: the slower one is told, and nothing is lost', async () => {
    const store = await open();
    const { version: expectedVersion } = store.config.view();
    const replaceWith = (id: string): Promise<void> => {
      const { state } = withApiKey(makeApiKey(id))(store.config.view());
      return store.config.replace({ expectedVersion, state });
    };
    const outcomes = await Promise.allSettled([replaceWith('a'), replaceWith('b'), replaceWith('c')]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.name)),
      ['stored', 'VersionConflictError', 'VersionConflictError'],
    );
    assert.deepEqual([...store.config.view().apiKeys.keys()], ['a']);
    assert.ok(store.config.view().version > expectedVersion);
    await assert.rejects(replaceWith('d'), VersionConflictError);
    await store.close();
  });

  test('a state that changes nothing keeps its version', async () => {
    const store = await open();
    const { version } = store.config.view();
    await store.config.replace({ expectedVersion: version, state: store.config.view() });
    assert.equal(store.config.view().version, version);
    await store.close();
  });

  test('changes through two handles at once are all stored: a conflict is tried again', async () => {
    const store = await open();
    const other = otherHandle(store);
    let applied = 0;
    const change = (config: ConfigStore, id: string): Promise<string> =>
      changeConfig(config, (state) => {
        applied += 1;
        return withApiKey(makeApiKey(id))(state);
      });
    const ids = Array.from({ length: 20 }, (_, index) => `k${index}`);
    await Promise.all(ids.map((id, index) => change(index % 2 === 0 ? store.config : other, id)));
    assert.deepEqual([...store.config.view().apiKeys.keys()].sort(), ids.sort());
    assert.ok(applied > ids.length, 'at least one handle met a conflict');
    await store.close();
  });

  test('whoever loses every time is told to try again, and the change is not stored', async () => {
    const store = await open();
    let count = 0;
    const losing: ConfigStore = {
      view: () => store.config.view(),
      replace: async (replacement) => {
        count += 1;
        await changeConfig(store.config, withApiKey(makeApiKey(`faster-${count}`)));
        await store.config.replace(replacement);
      },
    };
    await assert.rejects(changeConfig(losing, withApiKey(makeApiKey('slow'))), {
      status: 503,
      message: /same time.*Try again/,
    });
    assert.ok(count > 1 && count <= 20);
    assert.equal(store.config.view().apiKeys.has('slow'), false);
    await store.close();
  });
}

function eventTests(open: () => Promise<Store>): void {
  test('a listener sees in the view what another handle has changed, until it unsubscribes', async () => {
    const store = await open();
    const seen: string[] = [];
    const unsubscribe = store.onChange((change) => {
      seen.push(`${change} ${[...store.config.view().apiKeys.keys()].join('')}`);
    });
    await changeConfig(otherHandle(store), withApiKey(makeApiKey('a')));
    assert.deepEqual(seen, ['config a']);
    unsubscribe();
    unsubscribe();
    await changeConfig(otherHandle(store), withApiKey(makeApiKey('b')));
    assert.deepEqual(seen, ['config a']);
    await store.close();
  });

  test('listeners hear of durable changes of configuration and sessions, not of failed or soft ones', async () => {
    const store = await open();
    const heard: string[] = [];
    store.onChange((change) => {
      heard.push(change);
    });
    await changeConfig(store.config, withApiKey(makeApiKey('a')));
    assert.deepEqual(heard, ['config']);
    await store.sessions.put(makeSession('s'));
    assert.deepEqual(heard, ['config', 'sessions']);
    await changeConfig(store.config, (state) => ({ state, result: null }));
    await assert.rejects(
      changeConfig(store.config, () => {
        throw new Error('no');
      }),
    );
    await store.lastUse.note('used', 1);
    await store.sessions.touch('s', 2000);
    await store.close();
    assert.deepEqual(heard, ['config', 'sessions']);
  });
}

function sessionTests(open: () => Promise<Store>): void {
  test('sessions are found at once, replaced by touch and ended by account', async () => {
    const store = await open();
    const put = store.sessions.put(makeSession('s1'));
    assert.equal((await store.sessions.get('s1'))?.digest, 's1');
    await put;
    await store.sessions.put(makeSession('s2', { role: 'user', userId: 'u' }));
    await store.sessions.touch('s1', 5000);
    assert.equal((await store.sessions.get('s1'))?.lastSeenAt, 5000);
    const removed = store.sessions.deleteByUser('u');
    assert.equal(await store.sessions.get('s2'), undefined);
    await removed;
    assert.equal((await store.sessions.get('s1'))?.digest, 's1');
    await store.close();
  });

  test('touch() and rebind() do not bring an ended session back', async () => {
    const store = await open();
    await store.sessions.put(makeSession('s1'));
    await store.sessions.deleteAll();
    await store.sessions.touch('s1', 5000);
    await store.sessions.rebind('s1', 'other');
    assert.equal(await store.sessions.get('s1'), undefined);
    await store.close();
  });

  test('rebind() changes the credentials alone, touch() the time alone', async () => {
    const store = await open();
    await store.sessions.put(makeSession('s1'));
    await store.sessions.rebind('s1', 'other');
    await store.sessions.touch('s1', 5000);
    const expected = makeSession('s1', { credential: 'other', lastSeenAt: 5000 });
    assert.deepEqual(await store.sessions.get('s1'), expected);
    await store.close();
  });

  type Row = readonly [string, (sessions: SessionStore) => Promise<void>, string];
  const endings: readonly Row[] = [
    ['delete()', (sessions) => sessions.delete(['a1', 'u1', 'nobody']), 'a2 u2 v1'],
    ['delete() of none', (sessions) => sessions.delete([]), 'a1 a2 u1 u2 v1'],
    ['deleteByUser() of a user', (sessions) => sessions.deleteByUser('u'), 'a1 a2 v1'],
    ['deleteByUser() of the admin but one', (sessions) => sessions.deleteByUser(null, 'a2'), 'a2 u1 u2 v1'],
    ['deleteAll() but one', (sessions) => sessions.deleteAll('u2'), 'u2'],
    ['deleteIdle()', (sessions) => sessions.deleteIdle(2000), 'a2 u2'],
  ];
  for (const [name, end, left] of endings) {
    test(`${name} ends the sessions that it names`, async () => {
      const store = await open();
      const late = { lastSeenAt: 2000 };
      await Promise.all([
        store.sessions.put(makeSession('a1')),
        store.sessions.put(makeSession('a2', late)),
        store.sessions.put(makeSession('u1', { userId: 'u' })),
        store.sessions.put(makeSession('u2', { userId: 'u', ...late })),
        store.sessions.put(makeSession('v1', { userId: 'v' })),
      ]);
      await end(store.sessions);
      const digests = (await store.sessions.list()).map(({ digest }) => digest);
      assert.equal(digests.sort().join(' '), left);
      const ofUser = (await store.sessions.listByUser('u')).map(({ digest }) => digest);
      assert.deepEqual(
        ofUser.sort(),
        digests.filter((digest) => digest.startsWith('u')),
      );
      await store.close();
    });
  }
}

function useTests(open: () => Promise<Store>): void {
  test('times of last use are bounded: the names noted longest ago are forgotten first', async () => {
    const store = await open();
    for (let index = 0; index < 20_001; index += 1) {
      await store.lastUse.note(`n${index}`, index);
      if (index % 1000 === 0) await store.lastUse.note('kept', index * 60);
    }
    const known = await store.lastUse.read(['n0', 'n20000', 'kept']);
    assert.deepEqual(known, [undefined, 20_000, 1_200_000]);
    await store.close();
  });

  test('a last use is exact to a minute, and an earlier one changes nothing', async () => {
    const store = await open();
    for (const atMs of [600_000, 0, 660_000, 690_000]) await store.lastUse.note('key', atMs);
    assert.deepEqual(await store.lastUse.read(['key', 'other']), [660_000, undefined]);
    await store.close();
  });

  test('attempts count in all windows or in none, also when they come at once', async () => {
    const store = await open();
    const windows = [
      { kind: 'pair', name: 'p', limit: 3, windowMs: 1000, refuses: true },
      { kind: 'address', name: 'a', limit: 2, windowMs: 1000, refuses: false },
    ];
    const taken = await Promise.all([1, 2, 3, 4].map(() => store.attempts.take(windows, 100)));
    assert.deepEqual(
      taken.map(({ waitMs, counted }) => [waitMs, counted.map(({ kind }) => kind).join(' ')]),
      [
        [0, 'pair address'],
        [0, 'pair address'],
        [0, 'pair'],
        [1000, ''],
      ],
    );
    await store.attempts.giveBack(taken[2]?.counted ?? [], 100);
    assert.equal((await store.attempts.take(windows, 500)).waitMs, 0);
    assert.equal((await store.attempts.take(windows, 500)).waitMs, 600);
    assert.equal((await store.attempts.take(windows, 1100)).waitMs, 0);
    const [, address] = windows.map((window) => ({ ...window, name: 'fresh', refuses: true }));
    const full = windows.map((window) => ({ ...window, limit: 1, refuses: true }));
    assert.ok(address !== undefined && full[0] !== undefined);
    for (let again = 0; again < 5; again += 1) {
      assert.ok((await store.attempts.take([full[0], address], 1100)).waitMs > 0);
    }
    assert.equal((await store.attempts.take([address], 1100)).waitMs, 0, 'a refused attempt counts nowhere');
    await store.close();
  });
}

function durabilityTests(open: () => Promise<Store>, reopen: (store: Store) => Promise<Store>): void {
  test('configuration, sessions and last uses are there after close and open', async () => {
    const store = await open();
    await changeConfig(store.config, withApiKey(makeApiKey('a', { models: ['gpt-*'], expiresAt: TIME })));
    await store.sessions.put(makeSession('s'));
    await store.sessions.touch('s', 7000);
    await store.lastUse.note('used', 42);
    const before = stateOf(store);
    const again = await reopen(store);
    assert.deepEqual(stateOf(again), before);
    assert.deepEqual(await again.sessions.get('s'), makeSession('s', { lastSeenAt: 7000 }));
    assert.deepEqual(await again.lastUse.read(['used']), [42]);
    await again.close();
  });
}
