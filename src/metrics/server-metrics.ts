import type { Lifecycle } from '../lifecycle.ts';
import type { SnapshotStatus } from '../offsite/status.ts';
import type { StorageState } from '../store/store.ts';
import { Registry, type Sample } from './registry.ts';

export interface ServerMetricsOptions {
  readonly lifecycle: Lifecycle;
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

/** The metrics of the server itself. */
export function createServerMetrics(options: ServerMetricsOptions): ServerMetrics {
  const registry = new Registry();
  const answers = new Map<number, Map<string, number>>();
  const gauge = (name: string, help: string, read: () => readonly Sample[]): void =>
    registry.register({ name, type: 'gauge', help, read });
  registry.register({
    name: 'ipin_requests_total',
    type: 'counter',
    help: 'Requests, by status and by how the answer ended. Status 499: the client left first.',
    read: () =>
      [...answers].flatMap(([status, byOutcome]) =>
        [...byOutcome].map(([outcome, value]) => ({ labels: { status: String(status), outcome }, value })),
      ),
  });
  gauge('ipin_running_requests', 'Requests that are not answered yet.', () => [
    { value: options.runningRequests() },
  ]);
  gauge('ipin_upstream_requests', 'Requests to providers that have not ended yet.', () => [
    { value: options.openUpstreamRequests() },
  ]);
  gauge('ipin_inflight_bytes', 'Bytes that all requests together hold in memory.', () => [
    { value: options.inflightBytes() },
  ]);
  gauge('ipin_uptime_seconds', 'Seconds since the start.', () => [
    { value: Math.floor((options.now() - options.lifecycle.startedAt) / 1000) },
  ]);
  gauge('ipin_storage_state', 'State of the database: 1 for the present state, 0 for the others.', () => {
    const present = options.storage();
    return STORAGE_STATES.map((state) => ({ labels: { state }, value: state === present ? 1 : 0 }));
  });
  gauge(
    'ipin_snapshot_last_written_seconds',
    'When an off-site snapshot was last written or loaded, Unix time.',
    () => {
      const { lastWrittenAt } = options.snapshot();
      return lastWrittenAt === null ? [] : [{ value: Date.parse(lastWrittenAt) / 1000 }];
    },
  );
  gauge('ipin_snapshot_ok', '1 if the last off-site snapshot was written, else 0.', () => {
    const { lastResult } = options.snapshot();
    return lastResult === null ? [] : [{ value: lastResult === 'written' ? 1 : 0 }];
  });
  return {
    registry,
    countRequest({ status, outcome }) {
      const byOutcome = answers.get(status) ?? new Map<string, number>();
      if (byOutcome.size === 0) answers.set(status, byOutcome);
      byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + 1);
    },
  };
}
