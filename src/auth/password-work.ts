import { HttpError } from '../errors.ts';

/**
 * A queue for hashing. `trusted` is for signed-in people, for sign-ins from an address that the account knows, and for the
 * server's own work; `public` is for all other sign-ins.
 */
export type WorkLane = 'public' | 'trusted';

export interface PasswordWork {
  /** Runs a job when its turn comes. @throws HttpError `too_many_attempts` if the lane is full. */
  <T>(job: () => Promise<T>, lane?: WorkLane): Promise<T>;
  /** scrypt's N of new hashes. */
  readonly cost: number;
}

/** With p = 5, one of the equivalent settings of the OWASP Password Storage Cheat Sheet. A hash takes 16 MiB while it runs. */
export const PASSWORD_COST = 2 ** 14;

/** How many jobs may wait in each lane, besides the running one. */
export const MAX_WAITING = { public: 8, trusted: 32 } as const satisfies Record<WorkLane, number>;

/** A full public lane of jobs of about 0.3 s each is empty after this time. */
const RETRY_AFTER_SECONDS = '3';

/**
 * Makes the queue for all password hashing. One job runs at a time, because each occupies a thread of libuv's pool (four
 * by default), which file writes need too. The two lanes take turns, so that a flood of sign-ins from strangers delays
 * a trusted job by one job at most.
 */
export function createPasswordWork(
  options: { readonly maxWaiting?: Readonly<Record<WorkLane, number>>; readonly cost?: number } = {},
): PasswordWork {
  const { maxWaiting = MAX_WAITING, cost = PASSWORD_COST } = options;
  const waiting: Record<WorkLane, (() => void)[]> = { public: [], trusted: [] };
  let isRunning = false;
  let turn: WorkLane = 'public';

  const acquire = (lane: WorkLane): Promise<void> | undefined => {
    if (!isRunning) {
      isRunning = true;
      return undefined;
    }
    if (waiting[lane].length >= maxWaiting[lane]) throw tooManyAttempts(RETRY_AFTER_SECONDS);
    return new Promise((resolve) => {
      waiting[lane].push(resolve);
    });
  };
  const startNext = (): void => {
    turn = turn === 'public' ? 'trusted' : 'public';
    const start = waiting[turn].shift() ?? waiting[turn === 'public' ? 'trusted' : 'public'].shift();
    if (start === undefined) isRunning = false;
    else start();
  };

  const run = async <T>(job: () => Promise<T>, lane: WorkLane = 'public'): Promise<T> => {
    await acquire(lane);
    try {
      return await job();
    } finally {
      startNext();
    }
  };
  return Object.assign(run, { cost });
}

/** The error for a sign-in that must wait. `retryAfterSeconds` is a whole number (RFC 9110, section 10.2.3). */
export function tooManyAttempts(retryAfterSeconds: string): HttpError {
  return new HttpError(
    'too_many_attempts',
    `Too many sign-in attempts. Try again in ${retryAfterSeconds} seconds.`,
    {
      headers: { 'retry-after': retryAfterSeconds },
    },
  );
}
