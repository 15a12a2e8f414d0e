import { Engine } from './engine.ts';
import { createNewConfig, type NewConfigOptions } from './new-config.ts';
import type { ConfigState, Store } from './store.ts';

export interface MemoryStoreOptions extends NewConfigOptions {
  /** What differs from a fresh store. */
  readonly initial?: Partial<ConfigState>;
}

/** Makes a store that lives in memory alone, for tests and the demo; it behaves as the one on disk does. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const config = { ...createNewConfig(options), ...options.initial };
  const engine = new Engine({ content: { config, sessions: [], numbers: [] }, commit: async () => {} });
  const { sessions, lastUse, attempts } = engine;
  return {
    config: engine.config,
    sessions,
    lastUse,
    attempts,
    status: () => ({
      state: 'volatile',
      message: 'Everything is kept in memory and is gone when the process ends.',
      encrypted: false,
    }),
    findPlainCopies: async () => [],
    onChange: (listener) => engine.onChange(listener),
    close: async () => {
      await engine.flush();
    },
  };
}
