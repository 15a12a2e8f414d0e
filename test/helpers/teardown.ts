import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Services } from '../../src/routes/services.ts';

type Step = () => unknown;

interface Teardown {
  readonly checks: Step[];
  readonly closings: Step[];
}

const teardowns = new WeakMap<TestContext, Teardown>();
/** Taken before a test may put its own clock in. */
const realSetTimeout = setTimeout;
const LIMIT_MS = 8_000;
const PAUSE_MS = 5;

function teardownOf(t: TestContext): Teardown {
  const known = teardowns.get(t);
  if (known !== undefined) return known;
  const made: Teardown = { checks: [], closings: [] };
  teardowns.set(t, made);
  t.after(async () => {
    try {
      for (const check of made.checks) await check();
    } finally {
      for (const close of made.closings.reverse()) await close();
    }
  });
  return made;
}

/** Closes something after a test, the last opened first, once all checks for leaks are made. */
export function closeAfter(t: TestContext, close: Step): void {
  teardownOf(t).closings.push(close);
}

/** Looks for leaks after a test, while its upstreams are still there: they would hide what is not ended by itself. */
export function checkAfter(t: TestContext, check: Step): void {
  teardownOf(t).checks.push(check);
}

/** What a server holds for its requests; all zero when none is running. */
export interface Held {
  readonly runningRequests: number;
  readonly upstreamRequests: number;
  readonly inflightBytes: number;
  /** Calls that the limits let through and that are not settled. */
  readonly reservations: number;
}

const NOTHING_HELD: Held = { runningRequests: 0, upstreamRequests: 0, inflightBytes: 0, reservations: 0 };

/** What a server holds for its requests now. */
export function heldBy({ metrics, upstreams, budget, budgets }: Services): Held {
  const running = /^ipin_running_requests (\d+)$/m.exec(metrics.registry.expose())?.[1];
  return {
    runningRequests: Number(running),
    upstreamRequests: upstreams.openRequests(),
    inflightBytes: budget.usedBytes,
    reservations: budgets.running,
  };
}

/**
 * Waits until a server holds nothing any more. `leave` ends its clients, again and again: a browser asks once more when a
 * kept connection breaks. @throws AssertionError with what it still holds.
 */
export async function expectNothingHeld(services: Services, leave: Step = () => {}): Promise<void> {
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += PAUSE_MS) {
    leave();
    const held = Object.values(heldBy(services));
    if (held.every((count) => count === 0)) return;
    await new Promise((resolve) => realSetTimeout(resolve, PAUSE_MS));
  }
  assert.deepEqual(
    heldBy(services),
    NOTHING_HELD,
    'all clients are gone, yet the server still holds something',
  );
}
