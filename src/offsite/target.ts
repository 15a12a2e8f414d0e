/** What stands at the target. */
export interface FoundSnapshot {
  readonly bytes: Buffer;
  /** A strong entity tag (RFC 9110 section 8.8.3), quotes included; null where the target gives none. */
  readonly etag: string | null;
}

/**
 * What must be true for a write to happen (RFC 9110 section 13.1): the target holds what this entity tag names, or
 * holds nothing; null: write whatever is there.
 */
export type WriteCondition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' } | null;

export type WriteAnswer =
  | { readonly kind: 'written'; readonly etag: string | null }
  /** The condition does not hold; nothing was written. */
  | { readonly kind: 'conflict' }
  /** The target does not take conditions; nothing was written. */
  | { readonly kind: 'unsupported' };

/** One place off the machine that keeps one object. */
export interface SnapshotTarget {
  /** The host alone, for log and panel: addresses may hold secrets. */
  readonly host: string;
  /**
   * Reads the object; `absent` only where the target surely says that there is none.
   * @throws SnapshotUnreachableError, SnapshotRefusedError.
   */
  get(signal: AbortSignal): Promise<FoundSnapshot | 'absent'>;
  /**
   * Writes the object. After a SnapshotUnreachableError it may have been written all the same.
   * @throws SnapshotUnreachableError, SnapshotRefusedError.
   */
  put(bytes: Buffer, condition: WriteCondition, signal: AbortSignal): Promise<WriteAnswer>;
}

/** The header lines that state a condition, names in lower case. */
export function conditionHeaders(condition: WriteCondition): Record<string, string> {
  if (condition === null) return {};
  return 'ifMatch' in condition ? { 'if-match': condition.ifMatch } : { 'if-none-match': '*' };
}

/**
 * An entity tag that If-Match may be given: weak ones never match there (RFC 9110 section 13.1.1), so they count as
 * none, as does what is no entity tag.
 */
export function strongEtag(value: string | undefined): string | null {
  return value !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(value) ? value : null;
}
