import { AllowedAddresses } from '../auth/allowed-addresses.ts';
import { createAdminCredential, createCredentialCodec } from '../auth/credentials.ts';
import { createLocalAccess } from '../auth/local-access.ts';
import { createLoginThrottle } from '../auth/login-throttle.ts';
import { createPasswordWork, PASSWORD_COST } from '../auth/password-work.ts';
import { Sessions } from '../auth/sessions.ts';
import { createSignIn } from '../auth/sign-in.ts';
import type { Books } from '../books.ts';
import type { Config } from '../config.ts';
import { ENDPOINTS } from '../gateway/endpoints.ts';
import { createGateway } from '../gateway/gateway.ts';
import { Health } from '../gateway/health.ts';
import { lookUpModel } from '../gateway/routing.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { LimitGate } from '../limits/limits.ts';
import type { Logger } from '../logger.ts';
import { createServerMetrics } from '../metrics/server-metrics.ts';
import { SNAPSHOTS_OFF, type SnapshotStatus } from '../offsite/status.ts';
import { Providers } from '../providers/compile.ts';
import { createUpstreams } from '../providers/upstream.ts';
import { type Changed, changeConfig } from '../store/change-config.ts';
import { MASTER_ID, type MasterKey } from '../store/entities.ts';
import type { ConfigState, Store } from '../store/store.ts';
import { createAlerting } from './alerting.ts';
import { createBookkeeping } from './bookkeeping.ts';

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
  /** The waits before further tries of an alert, for tests. */
  readonly alertRetryWaitsMs?: readonly number[];
  /** scrypt's N, if not `PASSWORD_COST`: tests sign in hundreds of times. */
  readonly passwordCost?: number;
  readonly store: Store;
  /** Returns the current master key. */
  readonly masterKey: () => MasterKey;
  /** Every request that is not answered yet. */
  readonly running: ReadonlySet<unknown>;
  readonly budget: InflightBudget;
  readonly books: Books;
}

/** What the routes call. */
export type Services = ReturnType<typeof createServices>;

/** Creates the services that the routes call. Needs an open store. */
export function createServices(options: ServicesOptions) {
  const { config, logger, lifecycle, version, now, randomBytes, store, masterKey, budget, books } = options;
  const outgoing = createOutgoing(options);
  const snapshotStatus = options.snapshotStatus ?? (() => SNAPSHOTS_OFF);
  const metrics = createMetrics(options, { ...outgoing, snapshotStatus, books });
  const counting = createLimits(options);
  const mayWatch = books.shared?.isFirst ?? (() => true);
  const alerting = createAlerting({ ...options, ...outgoing, snapshotStatus, mayWatch });
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
    alerting,
    ...counting,
    onClosed: createBookkeeping({ metrics, books, ...counting, ...alerting }),
    ledger: books.ledger,
    requestLog: books.requestLog,
    snapshotStatus,
    metrics,
    lifecycle,
    version,
    /** Milliseconds since the epoch. */
    now,
    randomBytes,
  };
}

interface MeasuredServices extends ReturnType<typeof createOutgoing> {
  readonly snapshotStatus: () => SnapshotStatus;
  readonly books: Books;
}

const ENDPOINT_PATHS: ReadonlySet<string> = new Set(ENDPOINTS.map(({ path }) => path));

function createMetrics(options: ServicesOptions, services: MeasuredServices) {
  const { lifecycle, now, store, budget, running } = options;
  const { health, upstreams, books, snapshotStatus } = services;
  const { view } = store.config;
  return createServerMetrics({
    lifecycle,
    now,
    storage: () => store.status().state,
    inflightBytes: () => budget.usedBytes,
    runningRequests: () => running.size,
    openUpstreamRequests: upstreams.openRequests,
    providerStates: () =>
      [...view().providers.values()].map((provider) => [provider.id, health.ofProvider(provider).state]),
    restingKeys: () =>
      [...view().providers.values()].map(({ id, keys }) => {
        return [id, keys.filter((key) => health.ofKey(id, key).restingUntil !== null).length];
      }),
    snapshot: snapshotStatus,
    requestLog: () => books.requestLog.status(),
    ledger: () => books.ledger.status(),
    modelOf: (name) => (view().models.has(name) ? name : (lookUpModel(view(), name)?.model.id ?? null)),
    isEndpoint: (path) => ENDPOINT_PATHS.has(path),
  });
}

/** What requests to providers need. */
function createOutgoing({ config, store, budget, now, books }: ServicesOptions) {
  const upstreams = createUpstreams();
  const health = new Health(now, books.shared?.health);
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
  return { upstreams, connectionOptions, health, providers, gateway };
}

/** What decides how much keys and users may use. */
function createLimits(options: ServicesOptions) {
  const { config, store, now } = options;
  const kept = options.books.budgets;
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
    keptBudgets: kept,
    limits: options.books.shared?.gate ?? new LimitGate(budgets, now),
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
