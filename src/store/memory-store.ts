import { Engine } from './engine.ts';
import { createPresetConfig, type PresetOptions } from './preset.ts';
import type { ConfigState, Store } from './store.ts';

export interface MemoryStoreOptions extends PresetOptions {
  /** What differs from a fresh store. */
  readonly initial?: Partial<ConfigState>;
}

/** Makes a store that lives in memory alone, for tests and the demo; it behaves as the one on disk does. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const engine = new Engine({
    config: { ...createPresetConfig(options), ...options.initial },
    commit: async () => {},
  });
  return {
    config: engine.config,
    sessions: engine.sessions,
    counters: engine.counters,
    status: () => ({
      state: 'volatile',
      message: 'Everything is kept in memory and is gone when the process ends.',
      encrypted: false,
    }),
    findPlainCopies: async () => [],
    onChange: (listener) => engine.onChange(listener),
    close: () => engine.flush(),
  };
}
