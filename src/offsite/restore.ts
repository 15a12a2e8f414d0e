import { ConfigError } from '../config.ts';
import type { Logger } from '../logger.ts';
import { type DocumentVersion, relationOf } from './document-version.ts';
import { SnapshotError } from './errors.ts';
import { backOffMs, pause, type Timers } from './schedule.ts';
import type { SnapshotWriter } from './writer.ts';

/** A snapshot for the store to start from. */
export interface LoadedSnapshot {
  /** A database file. */
  readonly bytes: Buffer;
  /** Where the bytes come from, for messages. */
  readonly name: string;
}

/** The parts of a snapshotter that read and write its target. */
export interface SnapshotterParts {
  readonly writer: SnapshotWriter;
  /** Of the target, for messages. */
  readonly host: string;
  readonly logger: Logger;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const RETRY = { firstMs: 1_000, mostMs: 60_000 };
/** How often an unreadable snapshot is read: a response that was cut off looks unreadable too. */
const UNREADABLE_READS = 2;

/**
 * Finds out what the target holds, however long the target cannot be reached. A snapshot that holds more than `local`
 * is loaded and written back under `writerId`, this instance's number: an instance that still runs notices at its next
 * write.
 * Null if there is no snapshot, or `local` holds everything that the snapshot holds.
 * @throws ConfigError if only a person can fix the problem; the signal's reason when it is aborted.
 */
export async function restoreSnapshot(
  local: DocumentVersion | null,
  writerId: number,
  parts: SnapshotterParts,
): Promise<LoadedSnapshot | null> {
  const { logger, timers, random, signal } = parts;
  let unreadableReads = 0;
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await tryRestore(local, writerId, parts);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      const { kind, message } = error;
      if (kind === 'refused') throw new ConfigError([`The snapshot cannot be read or written. ${message}`]);
      if (kind === 'unreadable') unreadableReads += 1;
      if (unreadableReads >= UNREADABLE_READS) {
        const fix = 'To start without it, move it away or set another SNAPSHOT_URL.';
        throw new ConfigError([`${message}. ${fix}`]);
      }
      signal.throwIfAborted();
      const waitMs = backOffMs(failures, RETRY, random());
      logger.warn('snapshot.waiting', { message: `${message}. The start waits for it.`, waitMs });
      await pause(timers, waitMs, signal);
    }
  }
}

async function tryRestore(
  local: DocumentVersion | null,
  writerId: number,
  parts: SnapshotterParts,
): Promise<LoadedSnapshot | null> {
  const { writer, host, logger, signal } = parts;
  const held = await writer.read(signal);
  if (held === null) {
    logger.info('snapshot.absent', { host });
    return null;
  }
  if (local !== null && relationOf(local, held) === 'ours') return null;
  const { generation, document: bytes } = held;
  try {
    await writer.write(bytes, { generation, writer: writerId }, signal);
  } catch (error) {
    // The first write of the running server follows anyway.
    if (!(error instanceof SnapshotError && error.kind === 'unreachable')) throw error;
    logger.warn('snapshot.unreachable', { message: error.message });
  }
  logger.info('snapshot.loaded', { host, generation });
  return { bytes, name: `in the snapshot at ${host}` };
}
