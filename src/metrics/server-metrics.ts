import type { Lifecycle } from '../lifecycle.ts';
import type { SnapshotStatus } from '../offsite/status.ts';
import type { StorageState } from '../store/store.ts';
import { Registry, type Sample } from './registry.ts';

export interface ServerMetricsOptions {
  readonly lifecycle: Lifecycle;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly storage: () => StorageState;
  readonly inflightBytes: () => number;
  readonly runningRequests: () => number;
  readonly openUpstreamRequests: () => number;
  readonly snapshot: () => SnapshotStatus;
}

export interface ServerMetrics {
  readonly registry: Registry;
  /** Counts a request by its status and by how it ended. */
  countRequest(closed: { readonly status: number; readonly outcome: string }): void;
}

const STORAGE_STATES: readonly StorageState[] = ['ok', 'recovered', 'volatile', 'read-only', 'failing'];

type Gauge = readonly [
  name: string,
  help: string,
  read: (options: ServerMetricsOptions) => readonly Sample[],
];

/** What is measured at each scrape. */
const GAUGES: readonly Gauge[] = [
  [
    'ipin_running_requests',
    'Requests that are not answered yet.',
    ({ runningRequests }) => [{ value: runningRequests() }],
  ],
  [
    'ipin_upstream_requests',
    'Requests to providers that have not ended yet.',
    ({ openUpstreamRequests }) => [{ value: openUpstreamRequests() }],
  ],
  [
    'ipin_inflight_bytes',
    'Bytes that all requests together hold in memory.',
    ({ inflightBytes }) => [{ value: inflightBytes() }],
  ],
  [
    'ipin_uptime_seconds',
    'Seconds since the start.',
    ({ now, lifecycle }) => [{ value: Math.floor((now() - lifecycle.startedAtMs) / 1000) }],
  ],
  [
    'ipin_storage_state',
    'State of the database: 1 for the current state, 0 for the others.',
    ({ storage }) => {
      const current = storage();
      return STORAGE_STATES.map((state) => ({ labels: { state }, value: state === current ? 1 : 0 }));
    },
  ],
  [
    'ipin_snapshot_last_written_seconds',
    'When an off-site snapshot was last written or loaded, Unix time.',
    ({ snapshot }) => {
      const { lastWrittenAt } = snapshot();
      return lastWrittenAt === null ? [] : [{ value: Date.parse(lastWrittenAt) / 1000 }];
    },
  ],
  [
    'ipin_snapshot_ok',
    '1 if the last off-site snapshot was written, else 0.',
    ({ snapshot }) => {
      const { lastResult } = snapshot();
      return lastResult === null ? [] : [{ value: lastResult === 'written' ? 1 : 0 }];
    },
  ],
];

/** Makes the metrics of the server itself. */
export function createServerMetrics(options: ServerMetricsOptions): ServerMetrics {
  const registry = new Registry();
  const requests = new Map<number, Map<string, number>>();
  registry.register({
    name: 'ipin_requests_total',
    type: 'counter',
    help: 'Requests, by status and by how the answer ended. Status 499: the client left first.',
    read: () =>
      [...requests].flatMap(([status, byOutcome]) =>
        [...byOutcome].map(([outcome, value]) => ({ labels: { status: String(status), outcome }, value })),
      ),
  });
  for (const [name, help, read] of GAUGES) {
    registry.register({ name, type: 'gauge', help, read: () => read(options) });
  }
  return {
    registry,
    countRequest({ status, outcome }) {
      const byOutcome = requests.get(status) ?? new Map<string, number>();
      requests.set(status, byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + 1));
    },
  };
}
