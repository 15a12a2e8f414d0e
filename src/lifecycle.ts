/** The phase of the server: before its store is open, serving, shutting down. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface Lifecycle {
  phase: Phase;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
}
