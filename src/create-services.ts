import { createAdminCredential, createCredentialCodec } from './auth/credentials.ts';
import { createLocalAccess } from './auth/local-access.ts';
import { createLoginThrottle } from './auth/login-throttle.ts';
import { createPasswordWork, PASSWORD_COST } from './auth/password-work.ts';
import { createSessions } from './auth/sessions.ts';
import { createSignIn } from './auth/sign-in.ts';
import type { Config } from './config.ts';
import { createGateway } from './gateway/gateway.ts';
import type { InflightBudget } from './inflight-budget.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import { createServerMetrics } from './metrics/server-metrics.ts';
import { SNAPSHOTS_OFF, type SnapshotStatus } from './offsite/status.ts';
import { Providers } from './providers/compile.ts';
import { createUpstreams } from './providers/upstream.ts';
import type { Services } from './routes/services.ts';
import { changeConfig } from './store/change-config.ts';
import type { MasterKey } from './store/entities.ts';
import type { Store } from './store/store.ts';

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
  readonly masterKey: () => MasterKey;
  readonly running: ReadonlySet<unknown>;
  readonly budget: InflightBudget;
}

/** Creates the services that routes call. Needs an open store. */
export function createServices(options: ServicesOptions): Services {
  const { config, now, randomBytes, store, running, budget, lifecycle } = options;
  const { view } = store.config;
  const upstreams = createUpstreams();
  const connectionOptions = { timeouts: config.upstreamTimeouts, blockPrivate: config.blockPrivateUpstreams };
  const providers = new Providers(connectionOptions);
  store.onChange((change) => {
    if (change === 'config') providers.keepOnly(view().providers);
  });
  const passwordWork = createPasswordWork({ cost: options.passwordCost ?? PASSWORD_COST });
  const admin = createAdminCredential({
    username: config.uiUsername,
    password: config.uiPassword,
    storedHash: () => view().adminPasswordHash,
    instanceId: view().instanceId,
    work: passwordWork,
  });
  const sessions = createSessions({
    store: store.sessions,
    now,
    randomBytes,
    adminFingerprint: () => admin.fingerprint(),
    userById: (id) => view().users.get(id),
  });
  const throttle = createLoginThrottle({ now, lastUse: store.lastUse, attempts: store.attempts });
  const signIn = createSignIn({
    admin,
    userByUsername: () => view().userByUsername,
    throttle,
    work: passwordWork,
    sessions,
  });
  const gateway = createGateway({ upstreams, providers, budget, now });
  const snapshotStatus = options.snapshotStatus ?? (() => SNAPSHOTS_OFF);
  const metrics = createServerMetrics({
    lifecycle,
    now,
    storage: () => store.status().state,
    inflightBytes: () => budget.usedBytes,
    runningRequests: () => running.size,
    openUpstreamRequests: upstreams.openRequests,
    snapshot: snapshotStatus,
  });
  return {
    ...options,
    changeConfig: (change) => changeConfig(store.config, change),
    upstreams,
    connectionOptions,
    gateway,
    admin,
    localAccess: createLocalAccess({ trustProxyHops: config.trustProxyHops }),
    sessions,
    signIn,
    throttle,
    passwordWork,
    snapshotStatus,
    metrics,
    credentials: createCredentialCodec({ work: passwordWork, randomBytes }),
  };
}
