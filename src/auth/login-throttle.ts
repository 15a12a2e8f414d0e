import { createHash } from 'node:crypto';
import { networkOf } from '../ip-address.ts';
import type { CounterStore } from '../store/store.ts';
import { AttemptLog } from './attempt-log.ts';
import { tooManyAttempts, type WorkLane } from './password-work.ts';

/** Attempts a minute from one address, and from one address on one account. */
const ATTEMPTS_PER_ADDRESS = 10;
/** Attempts a minute on one account from all addresses together, those it knows apart. */
const ATTEMPTS_PER_ACCOUNT = 60;

const WINDOW_MS = 60 * 1000;
const KNOWN_FOR_MS = 30 * 24 * 60 * 60 * 1000;
const MAX_NAMES = 10_000;

export interface LoginThrottleOptions {
  /** Milliseconds since the epoch: known addresses outlive the process. */
  readonly now: () => number;
  readonly counters: CounterStore;
  /** How many addresses, accounts and pairs of them are remembered, each. */
  readonly maxNames?: number;
}

/** One attempt that was let through. Neither function called means: the password was wrong. */
export interface LoginAttempt {
  /** The lane for its hashing: an address that the account knows does not stand behind strangers. */
  readonly lane: WorkLane;
  /** The password was right: the attempt does not count, and the address is known to the account for 30 days. */
  succeed(): void;
  /** The attempt does not count: the password was not looked at (the queue was full), or is that of a disabled user. */
  cancel(): void;
}

export interface LoginThrottle {
  /**
   * Counts an attempt before its password is looked at, so that parallel ones cannot slip through.
   * @param account the name as it was typed; it need not exist, and the answer does not show whether it does
   * @param address an IP address; IPv6 counts by /64, the least that one customer gets (RFC 6177)
   * @throws HttpError `too_many_attempts`; its `retry-after` is exact
   */
  begin(account: string, address: string): LoginAttempt;
}

/**
 * Makes the brake on guessing passwords. Strangers are held by address and by account. An address that signed in to an
 * account in the last 30 days has a budget of its own for that account, so that nobody can lock its owner out, neither
 * by guessing from many addresses nor from the owner's own address at other accounts.
 */
export function createLoginThrottle(options: LoginThrottleOptions): LoginThrottle {
  const { now, counters, maxNames = MAX_NAMES } = options;
  const logOf = (limit: number): AttemptLog => new AttemptLog({ limit, windowMs: WINDOW_MS, maxNames });
  const byPair = logOf(ATTEMPTS_PER_ADDRESS);
  const byAddress = logOf(ATTEMPTS_PER_ADDRESS);
  const byAccount = logOf(ATTEMPTS_PER_ACCOUNT);

  const isKnown = (counterName: string, nowMs: number): boolean => {
    const signedInAt = counters.get(counterName);
    return signedInAt !== undefined && nowMs - signedInAt < KNOWN_FOR_MS;
  };

  return {
    begin(account, address) {
      const startedAt = now();
      const network = networkOf(address);
      const pairName = shortDigest(`${account}\0${network}`);
      const accountName = shortDigest(account);
      const counterName = `sign-in:${pairName}`;
      const known = isKnown(counterName, startedAt);
      let waitMs = byPair.waitMs(pairName, startedAt);
      if (!known) {
        const strangerWaitMs = [
          byAddress.waitMs(network, startedAt),
          byAccount.waitMs(accountName, startedAt),
        ];
        waitMs = Math.max(waitMs, ...strangerWaitMs);
      }
      if (waitMs > 0) throw tooManyAttempts(String(Math.ceil(waitMs / 1000)));
      const counted = [byPair.add(pairName, startedAt), byAddress.add(network, startedAt)];
      if (!known) counted.push(byAccount.add(accountName, startedAt));
      // Emptied at the first call, so that a second one takes nothing more back.
      const cancel = (): void => {
        for (const takeBack of counted.splice(0)) takeBack();
      };
      return {
        lane: known ? 'trusted' : 'public',
        cancel,
        succeed() {
          cancel();
          counters.set(counterName, now());
        },
      };
    },
  };
}

/** 128 bits of a SHA-256: names of any length in little memory, and no user name in clear among the counters. */
function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
