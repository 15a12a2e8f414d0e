/** Result of a run. `conflict` also stands for a snapshot that cannot be opened: both stop the snapshots. */
export type SnapshotResult = 'written' | 'unreachable' | 'refused' | 'conflict';

/** Status of the copy of the usage statistics. */
export interface UsageCopyStatus {
  /** When it was last tried, ISO 8601, and the result. */
  readonly lastAt: string | null;
  readonly lastResult: SnapshotResult | null;
  readonly message: string;
}

/** Status of the offsite snapshots, for panel and metrics; holds no secret. Apart, because many rooms read it. */
export interface SnapshotStatus {
  readonly enabled: boolean;
  /** The host that keeps the snapshot; null if none is set. */
  readonly target: string | null;
  /** When a snapshot was last tried, ISO 8601, and the result. */
  readonly lastAt: string | null;
  readonly lastResult: SnapshotResult | null;
  /** When a snapshot was last written or loaded, ISO 8601. */
  readonly lastWrittenAt: string | null;
  /** True if no second writer can replace a snapshot unnoticed; null: not known yet. */
  readonly protected: boolean | null;
  /** One or two sentences: what the status means and what to do. */
  readonly message: string;
  /** Omitted if none is kept. */
  readonly usage?: UsageCopyStatus;
}

/** The status if no snapshots are kept. */
export const SNAPSHOTS_OFF: SnapshotStatus = {
  enabled: false,
  target: null,
  lastAt: null,
  lastResult: null,
  lastWrittenAt: null,
  protected: null,
  message: 'No snapshot is kept off this machine. Set SNAPSHOT_URL and SNAPSHOT_KEY to keep one.',
};
