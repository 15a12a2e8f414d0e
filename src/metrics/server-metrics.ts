import type { Lifecycle } from '../lifecycle.ts';
import type { SnapshotStatus } from '../offsite/status.ts';
import type { StorageState } from '../store/store.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import { CallMetrics, type CallMetricsOptions } from './call-metrics.ts';
import { LabelCounter } from './label-sets.ts';
import { Registry, type Sample } from './registry.ts';

export interface ServerMetricsOptions extends CallMetricsOptions {
  readonly lifecycle: Lifecycle;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly storage: () => StorageState;
  readonly inflightBytes: () => number;
  readonly runningRequests: () => number;
  readonly openUpstreamRequests: () => number;
  /** The state of each provider, by id. */
  readonly providerStates: () => Iterable<readonly [id: string, state: string]>;
  /** How many keys of each provider rest, by the provider's id. */
  readonly restingKeys: () => Iterable<readonly [id: string, count: number]>;
  readonly snapshot: () => SnapshotStatus;
  readonly requestLog: () => RequestLogState;
  readonly ledger: () => LedgerState;
}

/** What is shown of the counted usage. */
export interface LedgerState {
  /** A part of its files could not be read and is set aside. */
  readonly isDamaged: boolean;
  /** The disk refuses it. */
  readonly isFailing: boolean;
}

/** What is shown of the request log. */
export interface RequestLogState {
  readonly sizeBytes: number;
  readonly isWritable: boolean;
  readonly lostEntries: number;
}

export interface ServerMetrics {
  readonly registry: Registry;
  /** Counts a request by its status and by how it ended, and its attempts by provider and result. */
  countRequest(closed: CountedRequest): void;
  /** Counts a finished call, its times, tokens and cost. Entries that are no calls are not counted. */
  countCall(entry: CallEntry): void;
}

/** What is counted of a request. */
export interface CountedRequest {
  readonly status: number;
  readonly outcome: string;
  readonly attempts: readonly { readonly providerId: string; readonly result: string }[];
}

/** The most values of a label, so that a scrape stays small. */
const LABELS_LIMIT = 200;
const SETS_LIMIT = 2_000;

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
    'ipin_provider_state',
    'The state of each provider, as in the panel; always 1.',
    ({ providerStates }) =>
      [...providerStates()].slice(0, LABELS_LIMIT).map(([provider, state]) => {
        return { labels: { provider, state }, value: 1 };
      }),
  ],
  [
    'ipin_resting_provider_keys',
    'How many keys of each provider rest.',
    ({ restingKeys }) =>
      [...restingKeys()].slice(0, LABELS_LIMIT).map(([provider, value]) => ({ labels: { provider }, value })),
  ],
  [
    'ipin_request_log_bytes',
    'The size of the request log on the disk.',
    ({ requestLog }) => [{ value: requestLog().sizeBytes }],
  ],
  [
    'ipin_request_log_writable',
    '1 unless the disk refuses the request log, else 0.',
    ({ requestLog }) => [{ value: requestLog().isWritable ? 1 : 0 }],
  ],
  [
    'ipin_ledger_writable',
    '1 unless the disk refuses the counted usage, else 0.',
    ({ ledger }) => [{ value: ledger().isFailing ? 0 : 1 }],
  ],
  [
    'ipin_ledger_damaged',
    '1 if a part of the counted usage could not be read and is set aside, else 0.',
    ({ ledger }) => [{ value: ledger().isDamaged ? 1 : 0 }],
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
  const names = ['status', 'outcome'];
  const requests = new LabelCounter({ names, open: names, limit: SETS_LIMIT });
  const attempts = new LabelCounter({ names: ['provider', 'result'], open: ['provider'], limit: SETS_LIMIT });
  registry.register({
    name: 'ipin_requests_total',
    type: 'counter',
    help: 'Requests, by status and by how the answer ended. Status 499: the client left first.',
    read: () => requests.samples(),
  });
  registry.register({
    name: 'ipin_attempts_total',
    type: 'counter',
    help: 'Requests to providers, by their result: ok, or what kind of failure it was.',
    read: () => attempts.samples(),
  });
  const calls = new CallMetrics(registry, options);
  for (const [name, help, read] of GAUGES) {
    registry.register({ name, type: 'gauge', help, read: () => read(options) });
  }
  registry.register({
    name: 'ipin_request_log_lost_entries_total',
    type: 'counter',
    help: 'Entries of the request log that could not be written.',
    read: () => [{ value: options.requestLog().lostEntries }],
  });
  return {
    registry,
    countRequest(closed) {
      requests.add([String(closed.status), closed.outcome]);
      for (const { providerId, result } of closed.attempts) attempts.add([providerId, result]);
    },
    countCall: (entry) => calls.count(entry),
  };
}
