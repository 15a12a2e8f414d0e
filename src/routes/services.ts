import type { AdminCredential } from '../auth/credentials.ts';
import type { LocalAccess } from '../auth/local-access.ts';
import type { LoginThrottle } from '../auth/login-throttle.ts';
import type { PasswordWork } from '../auth/password-work.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { Config } from '../config.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { SnapshotStatus } from '../offsite/status.ts';
import type { ConnectionOptions } from '../providers/connection.ts';
import type { Upstreams } from '../providers/upstream.ts';
import type { Changed } from '../store/change-config.ts';
import type { MasterKey } from '../store/entities.ts';
import type { CredentialCodec } from '../store/migrations.ts';
import type { ConfigState, Store } from '../store/store.ts';

/** What the routes call. Made once, when the store is open. */
export interface Services {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: Store;
  /**
   * Changes the configuration. `change` is pure: it gets the newest configuration and may run more than once. Resolves
   * when the change is durable. @throws whatever `change` throws; HttpError `storage_unavailable`.
   */
  readonly changeConfig: <T>(change: (state: ConfigState) => Changed<T>) => Promise<T>;
  /** Returns the current master key. */
  readonly masterKey: () => MasterKey;
  readonly upstreams: Upstreams;
  readonly connectionOptions: ConnectionOptions;
  readonly gateway: Gateway;
  readonly budget: InflightBudget;
  readonly admin: AdminCredential;
  /** Decides who may use the default password and the sample keys. */
  readonly localAccess: LocalAccess;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly throttle: LoginThrottle;
  readonly passwordWork: PasswordWork;
  readonly snapshotStatus: () => SnapshotStatus;
  readonly metrics: ServerMetrics;
  /** Makes what the store keeps instead of keys and passwords. */
  readonly credentials: CredentialCodec;
  /** Every request that is not answered yet. */
  readonly running: ReadonlySet<unknown>;
  readonly lifecycle: Lifecycle;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
}
