import type { Logger } from '../logger.ts';
import { type DocumentFacts, readDocumentFacts, relationOf } from './document-facts.ts';
import {
  SnapshotConflictError,
  SnapshotRefusedError,
  SnapshotStartError,
  SnapshotUnreachableError,
  SnapshotUnreadableError,
} from './errors.ts';
import type { OpenedSnapshot } from './seal.ts';
import { backOffMs, pause, type Timers } from './timers.ts';
import type { SnapshotWriter } from './writer.ts';

/** Content for a store to start from. */
export interface SnapshotSeed {
  /** A database file. */
  readonly bytes: Buffer;
  /** For messages: where it comes from. */
  readonly name: string;
}

export type Restored =
  /** There is no snapshot: the store starts as it would without. */
  | { readonly kind: 'absent' }
  /** What is there holds all that the snapshot holds. */
  | { readonly kind: 'kept' }
  | {
      readonly kind: 'loaded';
      readonly seed: SnapshotSeed;
      readonly generation: number;
      readonly instanceId: string;
      /** True where the snapshot bears this instance's mark from now on, so that an older one notices. */
      readonly isClaimed: boolean;
    };

export interface RestoreOptions {
  readonly writer: SnapshotWriter;
  /** As what this instance writes. */
  readonly writerId: number;
  readonly host: string;
  readonly logger: Logger;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const RETRY = { firstMs: 1_000, mostMs: 60_000 };
/** An answer that was cut off can look like a snapshot that cannot be opened. */
const UNREADABLE_READS = 2;

/**
 * Finds out what the target holds, and takes it over for this instance: then an instance that still runs with the same
 * state notices at its next write.
 * @throws SnapshotStartError where only a person can mend it; the signal's reason when it is aborted.
 */
export async function restoreSnapshot(
  local: DocumentFacts | null,
  options: RestoreOptions,
): Promise<Restored> {
  const { host, logger, timers, random, signal } = options;
  let unreadableReads = 0;
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await tryRestore(local, options);
    } catch (error) {
      if (error instanceof SnapshotUnreadableError) {
        unreadableReads += 1;
        if (unreadableReads >= UNREADABLE_READS) throw unreadable(host, error);
      } else if (error instanceof SnapshotRefusedError) {
        throw new SnapshotStartError(`The snapshot cannot be read or written. ${error.message}`, {
          cause: error,
        });
      } else if (!(error instanceof SnapshotUnreachableError || error instanceof SnapshotConflictError)) {
        throw error;
      }
      signal.throwIfAborted();
      const waitMs = backOffMs(failures, RETRY, random());
      logger.warn('snapshot.waiting', { message: `${error.message}. The start waits for it.`, waitMs });
      await pause(timers, waitMs, signal);
    }
  }
}

async function tryRestore(local: DocumentFacts | null, options: RestoreOptions): Promise<Restored> {
  const { writer, host, logger, signal } = options;
  const held = await writer.read(signal);
  if (held === null) {
    logger.info('snapshot.absent', { host });
    return { kind: 'absent' };
  }
  const facts = readDocumentFacts(held.document);
  if (facts === null) throw new SnapshotUnreadableError('holds no database of this program');
  const { instanceId } = facts;
  const { generation } = held;
  if (local !== null && relationOf(local, { instanceId, generation, writer: held.writer }) === 'ours') {
    return { kind: 'kept' };
  }
  const isClaimed = await claim(held, options);
  logger.info('snapshot.loaded', { host, generation });
  const seed = { bytes: held.document, name: `in the snapshot at ${host}` };
  return { kind: 'loaded', seed, generation, instanceId, isClaimed };
}

/** Writes the same document under this instance's mark. False where that has to wait. @throws SnapshotConflictError. */
async function claim(held: OpenedSnapshot, options: RestoreOptions): Promise<boolean> {
  const head = { generation: held.generation, writer: options.writerId };
  try {
    await options.writer.write(held.document, head, options.signal);
    return true;
  } catch (error) {
    if (!(error instanceof SnapshotUnreachableError)) throw error;
    options.logger.warn('snapshot.unreachable', { message: error.message });
    return false;
  }
}

function unreadable(host: string, error: SnapshotUnreadableError): SnapshotStartError {
  return new SnapshotStartError(
    `What ${host} holds ${error.message}. To start without it, move it away or set another SNAPSHOT_URL.`,
    { cause: error },
  );
}
