import type { TestContext } from 'node:test';

/**
 * Mocks the timeouts or the intervals of a test. Those that began earlier can still be ended: under the runner's mock alone they
 * run on, and those of an earlier `fetch` run out in a later test and fail it.
 */
export function mockTimers(t: TestContext, kind: 'Timeout' | 'Interval'): void {
  const name = `clear${kind}` as const;
  const endReal = globalThis[name];
  t.mock.timers.enable({ apis: [`set${kind}`] });
  const endMocked = globalThis[name];
  globalThis[name] = (timer) => {
    endReal(timer);
    endMocked(timer);
  };
}
