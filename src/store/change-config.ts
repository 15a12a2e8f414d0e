import { HttpError } from '../errors.ts';
import { isSameConfig } from './config-view.ts';
import { type ConfigState, type ConfigStore, VersionConflictError } from './store.ts';

/** How many changes may wait for the disk; over it new ones are refused. */
const WAITING_LIMIT = 1000;
/** How many changes are applied in one turn of the event loop: each copies a map, which may be large. */
const CHANGES_PER_TURN = 8;
/** How often a batch of changes is tried before its callers are told to try again. */
const ATTEMPTS_LIMIT = 10;

/** What a change makes of a state: the state to store, and the value for the caller. */
export interface Changed<T> {
  readonly state: ConfigState;
  readonly result: T;
}

/**
 * Applies a change to the newest configuration; resolves to its result when the new state is durable and visible. After
 * a conflict with another process the change is applied again, so it must be pure.
 * Changes that wait while others are being stored go out together in the next write.
 * @throws whatever `change` throws, and the state stays; HttpError `storage_unavailable` if the write failed, or if
 * others kept changing the configuration.
 * @example
 * const user = await changeConfig(store.config, (state) => {
 *   const changed = { ...requireEntity(state, 'users', id), enabled: false };
 *   return { state: withEntity(state, 'users', changed), result: changed };
 * });
 */
export function changeConfig<T>(config: ConfigStore, change: (state: ConfigState) => Changed<T>): Promise<T> {
  let queue = QUEUES.get(config);
  if (queue === undefined) {
    queue = new ChangeQueue(config);
    QUEUES.set(config, queue);
  }
  return queue.add(change);
}

/** One queue per store: a write waits for the disk, and all changes that come meanwhile share the next write. */
const QUEUES = new WeakMap<ConfigStore, ChangeQueue>();

interface Waiter {
  readonly change: (state: ConfigState) => Changed<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A waiter whose change was applied; `settle` reports the result to its caller after the write. */
interface Applied {
  readonly waiter: Waiter;
  readonly settle: () => void;
}

class ChangeQueue {
  readonly #config: ConfigStore;
  readonly #waiting: Waiter[] = [];
  #isRunning = false;

  constructor(config: ConfigStore) {
    this.#config = config;
  }

  add<T>(change: (state: ConfigState) => Changed<T>): Promise<T> {
    if (this.#waiting.length >= WAITING_LIMIT) {
      return Promise.reject(tryAgain('Too many changes wait to be saved.'));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ change, resolve: (result) => resolve(result as T), reject });
      if (!this.#isRunning) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    // Changes of the same turn of the event loop go out in the same write.
    await null;
    while (this.#waiting.length > 0) await this.#store(this.#waiting.splice(0));
    this.#isRunning = false;
  }

  async #store(batch: readonly Waiter[]): Promise<void> {
    let left = batch;
    for (let attempt = 1; attempt <= ATTEMPTS_LIMIT; attempt += 1) {
      try {
        const base = this.#config.view();
        const { state, applied } = await applyAll(left, base);
        left = applied.map(({ waiter }) => waiter);
        if (!isSameConfig(state, base)) {
          await this.#config.replace({ expectedVersion: base.version, state });
        }
        for (const { settle } of applied) settle();
        return;
      } catch (error) {
        if (error instanceof VersionConflictError) continue;
        for (const waiter of left) waiter.reject(error);
        return;
      }
    }
    for (const waiter of left) waiter.reject(tryAgain('Others change the configuration at the same time.'));
  }
}

/**
 * Applies changes one after another. A change that throws is rejected alone: at once, unless it saw changes that are
 * not yet durable and may still fail.
 */
async function applyAll(
  waiters: readonly Waiter[],
  base: ConfigState,
): Promise<{ readonly state: ConfigState; readonly applied: readonly Applied[] }> {
  const applied: Applied[] = [];
  let state = base;
  for (const [index, waiter] of waiters.entries()) {
    if (index % CHANGES_PER_TURN === CHANGES_PER_TURN - 1) await new Promise(setImmediate);
    try {
      const changed = waiter.change(state);
      state = changed.state;
      applied.push({ waiter, settle: () => waiter.resolve(changed.result) });
    } catch (error) {
      if (isSameConfig(state, base)) waiter.reject(error);
      else applied.push({ waiter, settle: () => waiter.reject(error) });
    }
  }
  return { state, applied };
}

function tryAgain(problem: string): HttpError {
  const headers = { 'retry-after': '1' };
  return new HttpError('storage_unavailable', `${problem} Try again in a moment.`, { headers });
}
