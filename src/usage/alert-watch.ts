import type { SnapshotStatus } from '../offsite/status.ts';
import type { StorageStatus } from '../store/store.ts';
import type { AlertMemory } from './alert-memory.ts';
import type { AlertOutlet } from './alerts.ts';
import { DAY_MS } from './ledger/calendar.ts';
import { PRICE_LIST_AS_OF } from './price-list.ts';

/** How a provider works, as alerts tell it. */
export interface WatchedProvider {
  readonly id: string;
  readonly name: string;
  /** From its attempts alone: whether it rests does not matter. */
  readonly state: 'untested' | 'ok' | 'slow' | 'failing';
  readonly lastError: Readonly<Record<string, unknown>> | null;
  /** Its keys in use that it refuses. */
  readonly refusedKeys: readonly { readonly id: string; readonly hint: string | null }[];
}

/** What is looked at. */
export interface WatchedState {
  readonly providers: Iterable<WatchedProvider>;
  readonly storage: StorageStatus;
  readonly snapshot: SnapshotStatus;
  /** How many models in use have their price from the shipped list; called only if the list is old. */
  readonly countListedPrices: () => number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const STALE_MS = 90 * DAY_MS;
/** How often models are counted. */
const PRICES_LOOK_MS = 60 * 60 * 1000;
const STALE_FROM_MS = Date.parse(PRICE_LIST_AS_OF) + STALE_MS;

/** Compares each look with the one before, and sends alerts about what changed. */
export class AlertWatch {
  readonly #alerts: AlertOutlet;
  readonly #memory: AlertMemory;
  /** The ids of the providers whose last alert was `provider.failing`. */
  #failing: ReadonlySet<string> = new Set();
  /** The keys that `key.refused` was sent for, as `PROVIDER\nKEY`. */
  #refused: ReadonlySet<string> = new Set();
  #isStorageFailing = false;
  #isSnapshotFailing = false;
  #nextPricesLookMs = STALE_FROM_MS;

  constructor(alerts: AlertOutlet, memory: AlertMemory) {
    this.#alerts = alerts;
    this.#memory = memory;
  }

  /** Sends what is new since the last look. */
  look({ providers, storage, snapshot, countListedPrices, nowMs }: WatchedState): void {
    this.#lookAtProviders(providers);
    this.#lookAtStorage(storage);
    this.#lookAtSnapshot(snapshot);
    if (nowMs <= this.#nextPricesLookMs) return;
    this.#nextPricesLookMs = nowMs + PRICES_LOOK_MS;
    this.#lookAtPrices(countListedPrices);
  }

  #lookAtProviders(providers: Iterable<WatchedProvider>): void {
    const failing = new Set<string>();
    const refused = new Set<string>();
    for (const provider of providers) {
      if (this.#isFailing(provider)) failing.add(provider.id);
      for (const key of provider.refusedKeys) {
        const name = `${provider.id}\n${key.id}`;
        refused.add(name);
        if (this.#refused.has(name)) continue;
        this.#alerts.send('key.refused', { ...named(provider), keyId: key.id, keyHint: key.hint });
      }
    }
    // Deleted and disabled providers are forgotten.
    this.#failing = failing;
    this.#refused = refused;
  }

  /** A provider that failed has recovered once it is `ok`: not while it is merely slow, or not asked any more. */
  #isFailing(provider: WatchedProvider): boolean {
    const { id, state, lastError } = provider;
    const wasFailing = this.#failing.has(id);
    if (state === 'failing' && !wasFailing)
      this.#alerts.send('provider.failing', { ...named(provider), lastError });
    if (state === 'ok' && wasFailing) this.#alerts.send('provider.recovered', named(provider));
    return state === 'failing' || (wasFailing && state !== 'ok');
  }

  #lookAtStorage({ state, message }: StorageStatus): void {
    const isFailing = state === 'failing';
    if (isFailing !== this.#isStorageFailing)
      this.#alerts.send(isFailing ? 'storage.failing' : 'storage.recovered', { state, message });
    this.#isStorageFailing = isFailing;
  }

  #lookAtSnapshot({ lastResult, message }: SnapshotStatus): void {
    const isFailing = lastResult !== null && lastResult !== 'written';
    if (isFailing && !this.#isSnapshotFailing)
      this.#alerts.send('snapshot.failing', { result: lastResult, message });
    this.#isSnapshotFailing = isFailing;
  }

  #lookAtPrices(countListedPrices: () => number): void {
    this.#memory.once('prices.stale', STALE_FROM_MS, () => {
      const models = countListedPrices();
      return models > 0 && this.#alerts.send('prices.stale', { asOf: PRICE_LIST_AS_OF, models });
    });
  }
}

function named({ id, name }: WatchedProvider): {
  readonly providerId: string;
  readonly providerName: string;
} {
  return { providerId: id, providerName: name };
}
