import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Environment, loadConfig } from '../../src/config.ts';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { Snapshotter } from '../../src/offsite/snapshotter.ts';
import { openStore } from '../../src/open-store.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { FakeTimers } from './fake-timers.ts';
import { captureLog, databasePath, KEY, type Line } from './fixture.ts';

export interface Instance {
  readonly path: string;
  readonly store: JsonFileStore;
  readonly snapshotter: Snapshotter;
  readonly timers: FakeTimers;
  readonly lines: Line[];
  /** Resolves when the first write was waited for, as at the start of the server. */
  readonly started: Promise<void>;
  /** A durable change: one more model, by its id. */
  addModel(id: string): Promise<void>;
  modelIds(): string[];
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly url: string;
  /** Where its database is; a new folder if it is not given. */
  readonly path?: string;
  readonly env?: Environment;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the server does with a store and its snapshots, without the server; it ends with the test. */
export async function startInstance(t: TestContext, options: InstanceOptions): Promise<Instance> {
  const path = options.path ?? (await databasePath(t));
  const env = { DB_PATH: path, SNAPSHOT_URL: options.url, SNAPSHOT_KEY: KEY, ...options.env };
  const config = loadConfig(env);
  if (config.snapshot === null) throw new Error('There is no SNAPSHOT_URL.');
  const timers = new FakeTimers();
  const { lines, logger } = captureLog();
  const snapshotter = new Snapshotter({
    target: createSnapshotTarget(config.snapshot, { env, now: Date.now }),
    key: config.snapshot.key,
    logger,
    now: timers.now,
    randomBytes,
    timers,
  });
  const store = await openStore({ config, logger, root: ROOT, snapshotter });
  const started = snapshotter.start(store);
  started.catch(() => {});
  t.after(() => store.close());
  return {
    path,
    store,
    snapshotter,
    timers,
    lines,
    started,
    async addModel(id) {
      await changeConfig(store.config, (state) => {
        const [preset] = state.models.values();
        if (preset === undefined) throw new Error('The preset has no model.');
        return { state: withEntity(state, 'models', { ...preset, id }), result: null };
      });
    },
    modelIds: () => [...store.config.view().models.keys()],
    close: () => store.close(),
  };
}
