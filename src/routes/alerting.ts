import type { Health } from '../gateway/health.ts';
import type { Logger } from '../logger.ts';
import type { SnapshotStatus } from '../offsite/status.ts';
import type { ConnectionOptions } from '../providers/connection.ts';
import { createWebhookSender } from '../providers/webhook.ts';
import { keyHint } from '../redaction.ts';
import type { Provider } from '../store/entities.ts';
import type { ConfigView, Store } from '../store/store.ts';
import { AlertMemory } from '../usage/alert-memory.ts';
import { AlertWatch, type WatchedProvider } from '../usage/alert-watch.ts';
import { Alerts } from '../usage/alerts.ts';
import { createBudgetAlerts, type NoteBudget } from '../usage/budget-alerts.ts';
import { priceOf } from '../usage/prices.ts';

export interface AlertingOptions {
  readonly store: Store;
  readonly health: Health;
  readonly connectionOptions: ConnectionOptions;
  readonly snapshotStatus: () => SnapshotStatus;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  readonly logger: Logger;
  /** True where this instance tells of what all of them see. */
  readonly mayWatch: () => boolean;
  /** The waits before the second and the third try, if not those of `Alerts`. */
  readonly alertRetryWaitsMs?: readonly number[];
}

/** What tells the owner of trouble. */
export interface Alerting {
  readonly alerts: Alerts;
  /** Takes a note of a budget after a call. */
  readonly noteBudget: NoteBudget;
  /** Looks at providers, storage, snapshots and prices, and tells of what is new. */
  look(): void;
  /** Looks every few seconds. Returns the function that ends it and everything that is being sent. */
  start(): () => Promise<void>;
}

const LOOK_MS = 2_000;

/** Creates the alerts of a server. Nothing runs before `start`. */
export function createAlerting(options: AlertingOptions): Alerting {
  const { store, connectionOptions, now, randomBytes, logger, alertRetryWaitsMs } = options;
  const alerts = new Alerts({
    webhook: () => store.config.view().settings.alertWebhook,
    post: createWebhookSender(connectionOptions),
    now,
    randomBytes,
    logger,
    ...(alertRetryWaitsMs === undefined ? {} : { retryWaitsMs: alertRetryWaitsMs }),
  });
  const memory = new AlertMemory(store.lastUse, now);
  const watch = new AlertWatch(alerts, memory);
  const look = (): void => {
    if (alerts.isOn && options.mayWatch()) lookOnce(watch, options);
  };
  return {
    alerts,
    noteBudget: createBudgetAlerts(alerts, memory),
    look,
    start() {
      const timer = setInterval(look, LOOK_MS).unref();
      return () => {
        clearInterval(timer);
        return alerts.stop();
      };
    },
  };
}

function lookOnce(watch: AlertWatch, { store, health, snapshotStatus, now }: AlertingOptions): void {
  const view = store.config.view();
  const enabled = [...view.providers.values()].filter((provider) => provider.enabled);
  watch.look({
    providers: enabled.map((provider) => watchedProvider(provider, health)),
    storage: store.status(),
    snapshot: snapshotStatus(),
    countListedPrices: () => countListedPrices(view),
    nowMs: now(),
  });
}

function watchedProvider(provider: Provider, health: Health): WatchedProvider {
  const { id, name, keys } = provider;
  const { state, lastError } = health.evidenceOf(id);
  const refused = keys.filter((key) => key.enabled && health.isKeyRefused(id, key.id));
  const refusedKeys = refused.map((key) => ({
    id: key.id,
    hint: key.secret === null ? null : keyHint(key.secret),
  }));
  return { id, name, state, lastError: lastError === null ? null : { ...lastError }, refusedKeys };
}

/** The enabled models with a target at an enabled provider whose price comes from the shipped list. */
function countListedPrices({ models, providers }: ConfigView): number {
  let count = 0;
  for (const model of models.values()) {
    if (!model.enabled) continue;
    const isListed = [model, ...model.fallbacks].some(({ providerId, upstreamModel, price }) => {
      const provider = providers.get(providerId);
      if (provider?.enabled !== true) return false;
      return priceOf({ own: price, provider, upstreamModel: upstreamModel ?? model.id })?.source === 'list';
    });
    if (isListed) count += 1;
  }
  return count;
}
