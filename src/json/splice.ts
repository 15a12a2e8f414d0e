/** Bytes to put in place of `[start, end)` of a body; `start === end` inserts. */
export interface Patch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/**
 * Puts patches into a body without copying it: gives the pieces to send in order, those of the body as views of
 * it, empty ones left out. Patches may come in any order; insertions at one place keep theirs and come before
 * what is replaced there. Throws `RangeError` where patches overlap or leave the body.
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
