import { PASSWORD_COST, type PasswordWork, type WorkLane } from '../../src/auth/password-work.ts';

/** Password work of the usual cost that runs its jobs in a test's own way. */
export function passwordWorkOf(run: <T>(job: () => Promise<T>, lane?: WorkLane) => Promise<T>): PasswordWork {
  return Object.assign(run, { cost: PASSWORD_COST });
}
