/** The place cannot be reached, answers too slowly or says that it is unwell: waiting may mend it. */
export class SnapshotUnreachableError extends Error {
  override readonly name = 'SnapshotUnreachableError';
}

/** The place answers and refuses: only a person can mend it. The message says what to grant or to change. */
export class SnapshotRefusedError extends Error {
  override readonly name = 'SnapshotRefusedError';
}

/** What the place holds is no snapshot that this program and its key can open. It is never written over. */
export class SnapshotUnreadableError extends Error {
  override readonly name = 'SnapshotUnreadableError';
}

/** The place holds somebody else's state, or a newer one. It is never written over. */
export class SnapshotConflictError extends Error {
  override readonly name = 'SnapshotConflictError';
}

/** Why the server cannot start with this snapshot: one line that says what is wrong and what to do. */
export class SnapshotStartError extends Error {
  override readonly name = 'SnapshotStartError';
}
