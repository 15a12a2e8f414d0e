import { AllowedAddresses } from '../auth/allowed-addresses.ts';
import { createAdminCredential, createCredentialCodec } from '../auth/credentials.ts';
import { createLocalAccess } from '../auth/local-access.ts';
import { createLoginThrottle } from '../auth/login-throttle.ts';
import { createPasswordWork, PASSWORD_COST } from '../auth/password-work.ts';
import { Sessions } from '../auth/sessions.ts';
import { createSignIn } from '../auth/sign-in.ts';
import type { Config } from '../config.ts';
import { createGateway } from '../gateway/gateway.ts';
import { Health } from '../gateway/health.ts';
import type { ClosedRecord } from '../gateway/record.ts';
import type { FoundModel } from '../gateway/routing.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { budgetsInMemory, type KeptBudgets } from '../limits/budgets.ts';
import { LimitGate } from '../limits/limits.ts';
import type { Logger } from '../logger.ts';
import { createServerMetrics } from '../metrics/server-metrics.ts';
import { SNAPSHOTS_OFF, type SnapshotStatus } from '../offsite/status.ts';
import { Providers } from '../providers/compile.ts';
import { createUpstreams } from '../providers/upstream.ts';
import { type Changed, changeConfig } from '../store/change-config.ts';
import { MASTER_ID, type MasterKey, type Price } from '../store/entities.ts';
import type { ConfigState, Store } from '../store/store.ts';

export interface ServicesOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** Status of the off-site snapshots; omitted when they are off. */
  readonly snapshotStatus?: () => SnapshotStatus;
  /** scrypt's N, if not `PASSWORD_COST`: tests sign in hundreds of times. */
  readonly passwordCost?: number;
  readonly store: Store;
  /** Returns the current master key. */
  readonly masterKey: () => MasterKey;
  /** Every request that is not answered yet. */
  readonly running: ReadonlySet<unknown>;
  readonly budget: InflightBudget;
  /** What keys and users have used; omitted: it ends with the process. */
  readonly budgets?: KeptBudgets;
}

/** What the routes call. */
export type Services = ReturnType<typeof createServices>;

/** Creates the services that the routes call. Needs an open store. */
export function createServices(options: ServicesOptions) {
  const { config, logger, lifecycle, version, now, randomBytes, store, masterKey, budget } = options;
  const outgoing = createOutgoing(options);
  const snapshotStatus = options.snapshotStatus ?? (() => SNAPSHOTS_OFF);
  const metrics = createServerMetrics({
    lifecycle,
    now,
    storage: () => store.status().state,
    inflightBytes: () => budget.usedBytes,
    runningRequests: () => options.running.size,
    openUpstreamRequests: outgoing.upstreams.openRequests,
    providerStates: () => {
      const providers = [...store.config.view().providers.values()];
      return providers.map((provider) => [provider.id, outgoing.health.ofProvider(provider).state]);
    },
    snapshot: snapshotStatus,
  });
  const counting = createLimits(options);
  return {
    config,
    logger,
    store,
    /**
     * Changes the configuration. `change` is pure: it gets the newest configuration and may run more than once. Resolves
     * when the change is durable. @throws whatever `change` throws; HttpError `storage_unavailable`.
     */
    changeConfig: <T>(change: (state: ConfigState) => Changed<T>): Promise<T> =>
      changeConfig(store.config, change),
    /** Returns the current master key. */
    masterKey,
    ...outgoing,
    budget,
    ...createAccess(options),
    ...counting,
    /** The price by which a call reserves money. */
    priceOf: ({ model }: FoundModel): Price | null => model.price,
    /** Counts a finished request. */
    onClosed(closed: ClosedRecord): void {
      if (closed.reservation !== null) counting.limits.settle(closed.reservation, closed.used);
      metrics.countRequest(closed);
    },
    snapshotStatus,
    metrics,
    lifecycle,
    version,
    /** Milliseconds since the epoch. */
    now,
    randomBytes,
  };
}

/** What requests to providers need. */
function createOutgoing({ config, store, budget, now }: ServicesOptions) {
  const upstreams = createUpstreams();
  const health = new Health(now);
  const connectionOptions = { timeouts: config.upstreamTimeouts, blockPrivate: config.blockPrivateUpstreams };
  const providers = new Providers(connectionOptions);
  store.onChange((change) => {
    if (change !== 'config') return;
    providers.keepOnly(store.config.view().providers);
    health.keepOnly(store.config.view().providers);
  });
  health.keepOnly(store.config.view().providers);
  const gateway = createGateway({
    upstreams,
    providers,
    health,
    retries: config.upstreamRetries,
    budget,
    now,
    random: Math.random,
  });
  return { upstreams, connectionOptions, health, gateway };
}

/** What decides how much keys and users may use. */
function createLimits(options: ServicesOptions) {
  const { config, store, now } = options;
  const kept = options.budgets ?? budgetsInMemory(now);
  const { budgets } = kept;
  const { view } = store.config;
  const allowedAddresses = new AllowedAddresses(config.trustProxyHops);
  budgets.setKnown((kind, id) => {
    return kind === 'key' ? id === MASTER_ID || view().apiKeys.has(id) : view().users.has(id);
  });
  store.onChange((change) => {
    if (change !== 'config') return;
    budgets.prune();
    allowedAddresses.keepOnly(view());
  });
  return {
    budgets,
    budgetsDamaged: kept.isDamaged,
    saveBudgets: () => kept.save(),
    limits: new LimitGate(budgets, now),
    allowedAddresses,
  };
}

/** What decides who may sign in, and who is signed in. */
function createAccess(options: ServicesOptions) {
  const { config, store, now, randomBytes } = options;
  const { view } = store.config;
  const passwordWork = createPasswordWork({ cost: options.passwordCost ?? PASSWORD_COST });
  const admin = createAdminCredential({
    username: config.uiUsername,
    password: config.uiPassword,
    storedHash: () => view().adminPasswordHash,
    instanceId: view().instanceId,
    work: passwordWork,
  });
  const sessions = new Sessions({
    store: store.sessions,
    now,
    randomBytes,
    adminFingerprint: () => admin.fingerprint(),
    userById: (id) => view().users.get(id),
  });
  const throttle = createLoginThrottle({ now, lastUse: store.lastUse, attempts: store.attempts });
  const userByUsername = () => view().userByUsername;
  return {
    admin,
    /** Decides who may use the default password and the sample keys. */
    localAccess: createLocalAccess({ trustProxyHops: config.trustProxyHops }),
    sessions,
    signIn: createSignIn({ admin, userByUsername, throttle, work: passwordWork, sessions }),
    throttle,
    passwordWork,
    /** Makes what the store keeps instead of keys and passwords. */
    credentials: createCredentialCodec({ work: passwordWork, randomBytes }),
  };
}
