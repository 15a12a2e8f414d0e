import { HttpError } from './errors.ts';

/** Large bodies are counted in steps of this size, so that not every chunk changes the counters. */
const STEP_BYTES = 64 * 1024;

/** The bytes that one consumer holds over all its leases; exists while a lease is open. */
interface Account {
  readonly consumer: string;
  heldBytes: number;
  leases: number;
}

/**
 * Counts the bytes that all requests together hold in memory: arriving bodies, waiting request heads, and responses that are
 * held to be changed. A consumer (a key, a user, a client address) gets at most half, so that one greedy client does not
 * shut out the others.
 */
export class InflightBudget {
  /** The most that one consumer may hold. */
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
  open(consumer: string): InflightLease {
    let account = this.#accounts.get(consumer);
    if (account === undefined) {
      account = { consumer, heldBytes: 0, leases: 0 };
      this.#accounts.set(consumer, account);
    }
    account.leases += 1;
    return new InflightLease(this, account);
  }

  /** Only for leases: takes bytes for an account; returns false if there is no room. */
  take(account: Account, bytes: number): boolean {
    if (account.heldBytes + bytes > this.shareBytes || this.#usedBytes + bytes > this.#limitBytes)
      return false;
    account.heldBytes += bytes;
    this.#usedBytes += bytes;
    return true;
  }

  /** Only for leases: gives the bytes of a lease back and ends it. */
  close(account: Account, bytes: number): void {
    account.heldBytes -= bytes;
    this.#usedBytes -= bytes;
    account.leases -= 1;
    if (account.leases === 0) this.#accounts.delete(account.consumer);
  }
}

/** The bytes that one request holds. */
export class InflightLease {
  /** The most that its consumer may hold over all requests; more never fits, even when nothing else is held. */
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
   * Raises the held bytes to `totalBytes`, above 64 KiB rounded up to whole steps. Returns false, and changes nothing, if the
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

  /** Gives all bytes back and ends the lease. Calling it again does nothing. */
  release(): void {
    if (this.#account === null) return;
    this.#budget.close(this.#account, this.#heldBytes);
    this.#account = null;
    this.#heldBytes = 0;
  }
}

/**
 * The error for a request whose `wantedBytes` do not fit into the in-flight budget. Retrying helps, unless the request needs
 * more than one consumer may hold.
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
