import assert from 'node:assert/strict';

const LIMIT_MS = 15_000;

/**
 * Resolves as soon as it is so: what waits for real sockets comes at its own time.
 * @throws AssertionError that names `what`, if it is not so within 15 s
 */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const limitMs = performance.now() + LIMIT_MS;
  while (!isSo()) {
    assert.ok(performance.now() < limitMs, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
