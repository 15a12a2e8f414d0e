import { isRecord, parseJson } from '../json/value.ts';

/** The store's counter that holds the store's writer number. */
export const WRITER_COUNTER = 'snapshot.writer';

/** Which state of which installation a database file holds: two states are compared by it. */
export interface DocumentVersion {
  /** Counts the writes of the store. */
  readonly generation: number;
  /** Made with the store, and carried along with its content. */
  readonly instanceId: string;
  /** The number under which this store writes snapshots; null if it has written none. */
  readonly writer: number | null;
}

/**
 * How a snapshot relates to the local state: the local state may replace `ours`; `foreign` belongs to another
 * installation; `taken-over` was written by another instance that started from the same state; `newer` holds later
 * changes.
 */
export type Relation = 'ours' | 'foreign' | 'taken-over' | 'newer';

/** Reads the version of a database file; null if the bytes are no database of this program. */
export function readDocumentVersion(bytes: Buffer): DocumentVersion | null {
  const document = parseJson(bytes);
  if (!isRecord(document)) return null;
  const { generation, instanceId, counters } = document;
  if (typeof generation !== 'number' || typeof instanceId !== 'string') return null;
  const entries: readonly unknown[] = Array.isArray(counters) ? counters : [];
  const found = entries.find((entry) => Array.isArray(entry) && entry[0] === WRITER_COUNTER);
  const writer: unknown = Array.isArray(found) ? found[1] : null;
  return { generation, instanceId, writer: typeof writer === 'number' ? writer : null };
}

/** Compares the local state with a snapshot. */
export function relationOf(
  local: DocumentVersion,
  held: { readonly generation: number; readonly instanceId: string; readonly writer: number },
): Relation {
  if (local.instanceId !== held.instanceId) return 'foreign';
  if (local.writer !== null && local.writer !== held.writer) return 'taken-over';
  return held.generation > local.generation ? 'newer' : 'ours';
}
