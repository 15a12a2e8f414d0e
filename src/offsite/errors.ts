/**
 * Why a snapshot cannot be read or written:
 * - `unreachable`: no whole response, or one that says to come back later. Waiting may help.
 * - `refused`: the target refuses. Only a person can fix it; the message says how.
 * - `unreadable`: the target holds bytes that this program cannot open with its key. They are never overwritten.
 * - `conflict`: the target holds the state of another instance, or a newer one. It is never overwritten.
 */
export type SnapshotErrorKind = 'unreachable' | 'refused' | 'unreadable' | 'conflict';

/** One class for all four kinds, so that whoever catches an error decides by `kind`. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly kind: SnapshotErrorKind;

  constructor(kind: SnapshotErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}
