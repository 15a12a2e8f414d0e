/** What the server is doing as a whole: before its state is known, in service, on its way out. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface Lifecycle {
  phase: Phase;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}
