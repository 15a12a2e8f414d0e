import type { Steps } from '../../src/turns.ts';

/** Does all steps without a turn for others. */
export function doAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
