/** Bytes that replace `[start, end)` of a body; `start === end` inserts them. */
export interface Patch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/**
 * Applies patches to a body without copying it: returns the pieces to send in order, views of the body and the bytes of the
 * patches, none empty. Patches may come in any order; insertions at one index keep their order and precede a replacement
 * there.
 * @throws RangeError if patches overlap or leave the body.
 */
export function splice(body: Buffer, patches: readonly Patch[]): Buffer[] {
  const sorted =
    patches.length > 1 ? patches.toSorted((a, b) => a.start - b.start || a.end - b.end) : patches;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, bytes } of sorted) {
    if (!(start >= from && end >= start && end <= body.length)) {
      throw new RangeError(
        `patch ${start}-${end} overlaps another or leaves the body of ${body.length} bytes`,
      );
    }
    if (start > from) pieces.push(body.subarray(from, start));
    if (bytes.length > 0) pieces.push(bytes);
    from = end;
  }
  if (from < body.length) pieces.push(from === 0 ? body : body.subarray(from));
  return pieces;
}
