export type SnapshotResult = 'written' | 'unreachable' | 'refused' | 'conflict';

/** How snapshots stand, for panel and metrics; holds no secret. */
export interface SnapshotStatus {
  readonly enabled: boolean;
  /** The host that keeps them; null: none is set. */
  readonly target: string | null;
  /** When one was last tried, ISO 8601, and what came of it. */
  readonly lastAt: string | null;
  readonly lastResult: SnapshotResult | null;
  /** When one was last written or loaded, ISO 8601. */
  readonly lastWrittenAt: string | null;
  /** True where the target keeps a second writer from replacing a snapshot unnoticed; null: not known yet. */
  readonly protected: boolean | null;
  /** One sentence or two: what it means and what to do. */
  readonly message: string;
}

/** Where no snapshots are kept. */
export const SNAPSHOTS_OFF: SnapshotStatus = {
  enabled: false,
  target: null,
  lastAt: null,
  lastResult: null,
  lastWrittenAt: null,
  protected: null,
  message: 'No snapshot is kept off this machine. Set SNAPSHOT_URL and SNAPSHOT_KEY to keep one.',
};

/** What a second writer could do where the target does not help against it. */
export function unprotectedNotice(host: string): string {
  return `${host} takes no notice of If-Match and If-None-Match: a second instance that writes at the same moment could replace this snapshot, so let one instance only use this SNAPSHOT_URL.`;
}
