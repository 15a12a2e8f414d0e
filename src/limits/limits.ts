import type { HttpError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Limits } from '../store/entities.ts';
import type { Settlement } from './account.ts';
import { type BudgetState, budgetStates } from './budget-state.ts';
import { type Budgets, periodOf } from './budgets.ts';
import type { LimitedOwner, Owner, Reserve } from './owner.ts';
import { endOfPeriod } from './periods.ts';
import { type Holder, rateHeaders } from './rate-headers.ts';
import { type Refusal, refusalError } from './refusals.ts';

/** A call to be let through, with what it may use at most. */
export interface AdmitRequest extends Reserve {
  /** null: a session. */
  readonly key: LimitedOwner | null;
  /** null: nobody owns the key. */
  readonly user: LimitedOwner | null;
}

/** A call that was let through, until it is settled. */
export class Reservation implements Reserve {
  readonly key: Owner | null;
  readonly user: Owner | null;
  readonly tokens: number;
  readonly costNanoUsd: number;
  /** The `x-ratelimit-` headers of the call's answer. */
  headers: HeaderList = NO_HEADERS;
  isSettled = false;

  constructor(key: Owner | null, user: Owner | null, { tokens, costNanoUsd }: Reserve) {
    this.key = key;
    this.user = user;
    this.tokens = tokens;
    this.costNanoUsd = costNanoUsd;
  }
}

const NO_HEADERS: HeaderList = [];
const NO_RESERVE: Reserve = { tokens: 0, costNanoUsd: 0 };

/** Lets calls through as far as the limits of their key and user allow; all or nothing. */
export interface Gate {
  /**
   * Lets a call through and counts it. The caller settles the reservation, exactly once.
   * @throws HttpError (or rejects with one) `rate_limit_exceeded` with `Retry-After`, or `insufficient_quota`; nothing is counted
   * then.
   */
  admit(request: AdmitRequest): Reservation | Promise<Reservation>;
  /**
   * Counts what a call used in the end, and gives back what it had reserved. null: it used nothing.
   * @throws Error if the reservation is settled already, because the call would be counted twice.
   */
  settle(reservation: Reservation, used: Settlement | null): void;
}

/** The gate of a single process: synchronous, so that parallel calls cannot slip through. */
export class LimitGate implements Gate {
  readonly #budgets: Budgets;
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(budgets: Budgets, now: () => number) {
    this.#budgets = budgets;
    this.#now = now;
  }

  admit(request: AdmitRequest): Reservation {
    const { key, user, tokens } = request;
    const keyOwner = key === null ? null : this.#budgets.ownerOf('key', key.id);
    const userOwner = user === null ? null : this.#budgets.ownerOf('user', user.id);
    const nowMs = this.#now();
    const keyLimits = key?.limits ?? null;
    const userLimits = user?.limits ?? null;
    if (keyLimits === null && userLimits === null) {
      keyOwner?.begin(nowMs, null, NO_RESERVE);
      userOwner?.begin(nowMs, null, NO_RESERVE);
      return new Reservation(keyOwner, userOwner, NO_RESERVE);
    }
    const holders = holdersOf(keyOwner, keyLimits, userOwner, userLimits);
    const refusal = findRefusal(holders, tokens, nowMs);
    if (refusal !== null) throw toError(refusal, { holders, nowMs, tokens });
    keyOwner?.begin(nowMs, keyLimits, request);
    userOwner?.begin(nowMs, userLimits, request);
    const reservation = new Reservation(keyOwner, userOwner, request);
    reservation.headers = rateHeaders(holders, nowMs);
    return reservation;
  }

  settle(reservation: Reservation, used: Settlement | null): void {
    if (reservation.isSettled) throw new Error('The reservation is settled already.');
    reservation.isSettled = true;
    const nowMs = this.#now();
    const { key, user } = reservation;
    if (key !== null) this.#end(key, { reservation, used, nowMs });
    if (user !== null) this.#end(user, { reservation, used, nowMs });
  }

  #end(owner: Owner, { reservation, used, nowMs }: Ending): void {
    owner.end(nowMs, reservation, used);
    this.#budgets.noteChange(owner);
  }
}

interface Ending {
  readonly reservation: Reservation;
  readonly used: Settlement | null;
  readonly nowMs: number;
}

/** The key's limits come first. */
function holdersOf(
  key: Owner | null,
  keyLimits: Limits | null,
  user: Owner | null,
  userLimits: Limits | null,
): Holder[] {
  const holders: Holder[] = [];
  if (key !== null && keyLimits !== null)
    holders.push({ owner: key, limits: keyLimits, name: 'this API key' });
  if (user !== null && userLimits !== null)
    holders.push({ owner: user, limits: userLimits, name: 'your account' });
  return holders;
}

type Check = (holder: Holder, tokens: number, nowMs: number) => Refusal | null;

/** The limits in the order in which they are looked at. */
const CHECKS: readonly Check[] = [checkConcurrency, checkRequests, checkTokens, checkSpent, checkReserved];

function findRefusal(holders: readonly Holder[], tokens: number, nowMs: number): Refusal | null {
  for (const check of CHECKS) {
    for (const holder of holders) {
      const refusal = check(holder, tokens, nowMs);
      if (refusal !== null) return refusal;
    }
  }
  return null;
}

function checkConcurrency({ owner, limits, name }: Holder): Refusal | null {
  const limit = limits.concurrency;
  if (limit === null || owner.running < limit) return null;
  return { kind: 'concurrency', name, used: owner.running, limit };
}

function checkRequests({ owner, limits, name }: Holder, _tokens: number, nowMs: number): Refusal | null {
  const limit = limits.rpm;
  if (limit === null) return null;
  const used = owner.requests.sumAt(nowMs);
  return used < limit ? null : { kind: 'rpm', name, used, limit };
}

function checkTokens({ owner, limits, name }: Holder, tokens: number, nowMs: number): Refusal | null {
  const limit = limits.tpm;
  if (limit === null) return null;
  const used = owner.tokens.sumAt(nowMs) + owner.reservedTokens;
  // A call that is larger than the limit must be possible too: it has the window for itself.
  if (used === 0 || used + tokens <= limit) return null;
  return { kind: 'tpm', name, used, limit, needed: tokens };
}

/** Settled calls alone have used the budget up. */
function checkSpent(holder: Holder, _tokens: number, nowMs: number): Refusal | null {
  return checkBudgets(holder, nowMs, ({ used, limit }) => used >= limit);
}

/** Running calls may use the rest of the budget. */
function checkReserved(holder: Holder, _tokens: number, nowMs: number): Refusal | null {
  return checkBudgets(holder, nowMs, ({ used, reserved, limit }) => used + reserved >= limit);
}

function checkBudgets(
  { owner, limits, name }: Holder,
  nowMs: number,
  isFull: (state: BudgetState) => boolean,
): Refusal | null {
  const full = budgetStates(owner, limits, nowMs).find(isFull);
  if (full === undefined) return null;
  const period = periodOf(limits);
  const { startMs } = owner.account.at(period, nowMs);
  return { kind: 'budget', name, period, resetsAtMs: endOfPeriod(period, startMs), ...full };
}

interface RefusedCall {
  readonly holders: readonly Holder[];
  readonly nowMs: number;
  readonly tokens: number;
}

/** The error of a refusal. A call waits for all windows: the one that refuses it first may not be the last to open. */
function toError(refusal: Refusal, { holders, nowMs, tokens }: RefusedCall): HttpError {
  let waitMs = 0;
  for (const { owner, limits } of holders) {
    const { rpm, tpm } = limits;
    if (rpm !== null) waitMs = Math.max(waitMs, owner.requests.waitMs(nowMs, rpm - 1));
    if (tpm !== null) waitMs = Math.max(waitMs, tokenWaitMs(owner, { tpm, tokens, nowMs }));
  }
  return refusalError(refusal, { waitMs, headers: rateHeaders(holders, nowMs) });
}

/** How long until a call fits into the window. Nobody knows when what is reserved will be given back. */
function tokenWaitMs(
  owner: Owner,
  { tpm, tokens, nowMs }: { tpm: number; tokens: number; nowMs: number },
): number {
  const own = Math.max(0, tpm - tokens);
  const beside = own - owner.reservedTokens;
  return owner.tokens.waitMs(nowMs, beside >= 0 ? beside : own);
}
