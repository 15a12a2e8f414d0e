import { HttpError } from './errors.ts';

/** Large bodies are counted in steps, so that not each of their chunks has to be. */
const STEP_BYTES = 64 * 1024;

/** What one holder has of the budget, over all leases; known only while one of them is open. */
interface Account {
  readonly holder: string;
  heldBytes: number;
  leases: number;
}

/**
 * Counts the bytes that all requests together hold in memory: bodies as they arrive, waiting heads, answers that are
 * held to be changed. A holder (a key, a user, a client address) gets at most half, so that one greedy client does not
 * shut out the others.
 */
export class InflightBudget {
  /** What one holder may have at most. */
  readonly shareBytes: number;
  readonly #limitBytes: number;
  readonly #accounts = new Map<string, Account>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.shareBytes = limitBytes / 2;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Opens a lease of zero bytes; the caller must `release()` it. */
  open(holder: string): InflightLease {
    let account = this.#accounts.get(holder);
    if (account === undefined) {
      account = { holder, heldBytes: 0, leases: 0 };
      this.#accounts.set(holder, account);
    }
    account.leases += 1;
    return new InflightLease(this, account);
  }

  /** For leases alone: takes bytes for an account; false where there is no room. */
  take(account: Account, bytes: number): boolean {
    if (account.heldBytes + bytes > this.shareBytes || this.#usedBytes + bytes > this.#limitBytes)
      return false;
    account.heldBytes += bytes;
    this.#usedBytes += bytes;
    return true;
  }

  /** For leases alone: ends one, with all that it holds. */
  close(account: Account, bytes: number): void {
    account.heldBytes -= bytes;
    this.#usedBytes -= bytes;
    account.leases -= 1;
    if (account.leases === 0) this.#accounts.delete(account.holder);
  }
}

/** What one request holds of the budget. */
export class InflightLease {
  /** What its holder may hold at most, with all their requests: more never fits, however little others hold. */
  readonly limitBytes: number;
  readonly #budget: InflightBudget;
  #account: Account | null;
  #heldBytes = 0;

  constructor(budget: InflightBudget, account: Account) {
    this.limitBytes = budget.shareBytes;
    this.#budget = budget;
    this.#account = account;
  }

  /**
   * Raises what is held to `totalBytes`, from 64 KiB on to a whole number of steps. False, with nothing changed, where the
   * budget has no room or the lease has ended.
   */
  growTo(totalBytes: number): boolean {
    if (totalBytes <= this.#heldBytes) return true;
    const wantedBytes =
      totalBytes <= STEP_BYTES ? totalBytes : Math.ceil(totalBytes / STEP_BYTES) * STEP_BYTES;
    if (this.#account === null || !this.#budget.take(this.#account, wantedBytes - this.#heldBytes))
      return false;
    this.#heldBytes = wantedBytes;
    return true;
  }

  /** Gives everything back and ends the lease. To call it again does nothing. */
  release(): void {
    if (this.#account === null) return;
    this.#budget.close(this.#account, this.#heldBytes);
    this.#account = null;
    this.#heldBytes = 0;
  }
}

/**
 * The error for a request that finds no room in the in-flight budget for the `wantedBytes` that it would hold. To send it
 * again helps where others hold what it needs, and never where it needs more than one holder may have.
 */
export function overloaded(lease: InflightLease, wantedBytes: number): HttpError {
  const headers = { 'retry-after': '2' };
  if (wantedBytes <= lease.limitBytes) {
    const message = 'Too many large requests at once. Try again in a moment.';
    return new HttpError('server_overloaded', message, { headers });
  }
  const limitMiB = lease.limitBytes / 1024 / 1024;
  const message =
    `This request needs more than the ${limitMiB} MB of memory that one user or key may take, half of MAX_INFLIGHT_MB. ` +
    'Raise MAX_INFLIGHT_MB on the server, or send less; in a form, put `model` before the files.';
  return new HttpError('server_overloaded', message, { headers: { ...headers, 'x-should-retry': 'false' } });
}
