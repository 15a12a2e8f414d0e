/** How far the server's clock is ahead of the browser's, in milliseconds. */
let aheadMs = 0;

/** The `Date` of a response has whole seconds and is a little old, so that smaller differences say nothing. */
const NOISE_MS = 5000;

/**
 * Learns the server's time from the `Date` of a response.
 * @param {string | null} date
 */
export function noteServerTime(date) {
  const measuredMs = Date.parse(date ?? '') - Date.now();
  if (Number.isFinite(measuredMs)) aheadMs = Math.abs(measuredMs) < NOISE_MS ? 0 : measuredMs;
}

/** The time at the server in milliseconds, by which all times of the API are measured. */
export function serverNow() {
  return Date.now() + aheadMs;
}
