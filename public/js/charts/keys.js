/** @import { Cursor } from './types.js' */

/**
 * Where a key leads from the chosen bucket and series; null closes the tip; undefined: the key is not for the chart.
 * Up goes to the next part above; below the first part stands the whole bucket.
 * @param {string} key
 * @param {Cursor | null} at
 * @param {{ buckets: number, series: readonly number[] }} shown the numbers of the shown series, in stack order
 * @returns {Cursor | null | undefined}
 */
export function nextCursor(key, at, { buckets, series }) {
  if (buckets === 0) return undefined;
  const last = buckets - 1;
  const part = at?.series ?? null;
  const to = (/** @type {number} */ bucket) => ({
    bucket: Math.min(last, Math.max(0, bucket)),
    series: part,
  });
  switch (key) {
    case 'ArrowRight':
      return to(at === null ? 0 : at.bucket + 1);
    case 'ArrowLeft':
      return to(at === null ? last : at.bucket - 1);
    case 'Home':
      return to(0);
    case 'End':
      return to(last);
    case 'ArrowUp':
    case 'ArrowDown': {
      const order = [null, ...series];
      const step = key === 'ArrowUp' ? 1 : -1;
      const next = order[(order.indexOf(part) + step + order.length) % order.length] ?? null;
      return { bucket: at?.bucket ?? last, series: next };
    }
    case 'Escape':
      return at === null ? undefined : null;
    default:
      return undefined;
  }
}
