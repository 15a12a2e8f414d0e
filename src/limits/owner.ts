import { type Limits, MASTER_ID, type OwnerKind, type Principal } from '../store/entities.ts';
import type { Account, Settlement } from './account.ts';
import { SlidingWindow } from './windows.ts';

/** A key or a user, as far as limits are concerned. */
export interface LimitedOwner {
  readonly id: string;
  readonly limits: Limits | null;
}

const MASTER: LimitedOwner = { id: MASTER_ID, limits: null };

/** The key that a caller uses; null: a session, or nobody. */
export function keyOf(principal: Principal): LimitedOwner | null {
  if (principal.kind === 'key') return principal.key;
  return principal.kind === 'master' ? MASTER : null;
}

/** The user whose limits hold for a caller; null: none. */
export function userOf(principal: Principal): LimitedOwner | null {
  return principal.kind === 'key' || principal.kind === 'user' ? principal.user : null;
}

/** What a call holds of its owners' limits until it ends: the most that it may use. */
export interface Reserve {
  /** Of the prompt and of the answer. */
  readonly tokens: number;
  readonly costNanoUsd: number;
}

/** What a key or a user uses at present. Windows begin anew with a restart; the account survives it. */
export class Owner {
  readonly kind: OwnerKind;
  readonly id: string;
  readonly account: Account;
  /** Calls that have begun and not ended. */
  running = 0;
  /** What the running calls have reserved. */
  reservedTokens = 0;
  reservedNanoUsd = 0;
  /** Calls that began in the last 60 seconds; null: nobody limits them. */
  #requests: SlidingWindow | null = null;
  /** Tokens of calls that ended in the last 60 seconds; null: nobody limits them. */
  #tokens: SlidingWindow | null = null;

  constructor(kind: OwnerKind, id: string, account: Account) {
    this.kind = kind;
    this.id = id;
    this.account = account;
  }

  /** Calls that began in the last 60 seconds. */
  get requests(): SlidingWindow {
    this.#requests ??= new SlidingWindow();
    return this.#requests;
  }

  /** Tokens of calls that ended in the last 60 seconds. */
  get tokens(): SlidingWindow {
    this.#tokens ??= new SlidingWindow();
    return this.#tokens;
  }

  /** Counts a call that begins. The windows that no limit needs are not kept. */
  begin(nowMs: number, limits: Limits | null, { tokens, costNanoUsd }: Reserve): void {
    this.running += 1;
    this.reservedTokens += tokens;
    this.reservedNanoUsd += costNanoUsd;
    if (limits === null || limits.rpm === null) this.#requests = null;
    else this.requests.add(nowMs, 1);
    if (limits === null || limits.tpm === null) this.#tokens = null;
    else this.#tokens ??= new SlidingWindow();
  }

  /** Counts a call that has ended. null: it used nothing. */
  end(nowMs: number, { tokens, costNanoUsd }: Reserve, used: Settlement | null): void {
    this.running -= 1;
    this.reservedTokens -= tokens;
    this.reservedNanoUsd -= costNanoUsd;
    if (used !== null) this.#tokens?.add(nowMs, used.tokens);
    this.account.add(nowMs, used);
  }
}
