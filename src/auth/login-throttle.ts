import { createHash } from 'node:crypto';
import { networkOf } from '../ip-address.ts';
import type { AttemptStore, AttemptWindow, LastUseStore } from '../store/store.ts';
import { tooManyAttempts, type WorkLane } from './password-work.ts';

/** Attempts a minute from one address, and from one address on one account. */
const ATTEMPTS_PER_ADDRESS = 10;
/** Attempts a minute on one account from all addresses that it does not know. */
const ATTEMPTS_PER_ACCOUNT = 60;

const WINDOW_MS = 60 * 1000;
const KNOWN_FOR_MS = 30 * 24 * 60 * 60 * 1000;

export interface LoginThrottleOptions {
  /** Milliseconds since the epoch: known addresses outlive the process. */
  readonly now: () => number;
  readonly attempts: AttemptStore;
  /** Keeps when an address last signed in to an account. */
  readonly lastUse: LastUseStore;
}

/** One attempt that was let through. If neither function is called, the password was wrong. */
export interface LoginAttempt {
  /** The lane for its hashing: an address that the account knows does not queue behind strangers. */
  readonly lane: WorkLane;
  /** The password was right: the attempt does not count, and the account knows the address for 30 days. */
  succeed(): Promise<void>;
  /** The attempt does not count: nobody looked at the password (the queue was full), or its user is disabled. */
  cancel(): Promise<void>;
}

export interface LoginThrottle {
  /**
   * Counts an attempt before its password is looked at, so that parallel attempts cannot slip through.
   * @param account the name as it was typed; it need not exist, and the answer does not show whether it does
   * @param address an IP address; IPv6 counts by /64, the least that one customer gets (RFC 6177)
   * @throws HttpError `too_many_attempts`; its `retry-after` is exact
   */
  begin(account: string, address: string): Promise<LoginAttempt>;
}

/**
 * Makes the throttle against guessing passwords. Strangers are limited by address and by account. An address that signed
 * in to an account in the last 30 days has a budget of its own for that account. So nobody can lock the account's owner
 * out, neither by guessing from many addresses nor from the owner's own address at other accounts.
 */
export function createLoginThrottle({ now, attempts, lastUse }: LoginThrottleOptions): LoginThrottle {
  return {
    async begin(account, address) {
      const startedAtMs = now();
      const network = networkOf(address);
      const pair = shortDigest(`${account}\0${network}`);
      const useName = `sign-in:${pair}`;
      const [signedInAt] = await lastUse.read([useName]);
      const isKnown = signedInAt !== undefined && startedAtMs - signedInAt < KNOWN_FOR_MS;
      const windows = [
        windowOf('pair', pair, { limit: ATTEMPTS_PER_ADDRESS, refuses: true }),
        windowOf('address', network, { limit: ATTEMPTS_PER_ADDRESS, refuses: !isKnown }),
      ];
      if (!isKnown) {
        const limits = { limit: ATTEMPTS_PER_ACCOUNT, refuses: true };
        windows.push(windowOf('account', shortDigest(account), limits));
      }
      const { waitMs, counted } = await attempts.take(windows, startedAtMs);
      if (waitMs > 0) throw tooManyAttempts(String(Math.ceil(waitMs / 1000)));
      let isTakenBack = false;
      const cancel = async (): Promise<void> => {
        if (isTakenBack) return;
        isTakenBack = true;
        await attempts.giveBack(counted, startedAtMs);
      };
      return {
        lane: isKnown ? 'trusted' : 'public',
        cancel,
        async succeed() {
          await cancel();
          await lastUse.note(useName, now());
        },
      };
    },
  };
}

function windowOf(
  kind: string,
  name: string,
  limits: Pick<AttemptWindow, 'limit' | 'refuses'>,
): AttemptWindow {
  return { kind, name, windowMs: WINDOW_MS, ...limits };
}

/** 128 bits of a SHA-256: names of any length in little memory, and no user name in clear text in the store. */
function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
