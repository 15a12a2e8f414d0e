import type { Settlement } from '../limits/account.ts';
import { periodOf } from '../limits/budgets.ts';
import { type AdmitRequest, type Gate, LimitGate, Reservation } from '../limits/limits.ts';
import type { LimitedOwner, Owner } from '../limits/owner.ts';
import type { Holder } from '../limits/rate-headers.ts';
import type { OwnerKind } from '../store/entities.ts';
import { toNanoUsd } from '../usage/money.ts';
import { AwayShares } from './away-shares.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine } from './engine.ts';
import { RESERVE } from './limit-scripts.ts';
import { readReply } from './reserve-reply.ts';
import { nameOf, numberOf, type SharedBudgets } from './shared-budgets.ts';
import { SureRefusals } from './sure-refusals.ts';

/** A call that was let through, with the owners whose limits hold for it. */
class SharedReservation extends Reservation {
  readonly held: readonly Holder[];
  /** Others may wait for its end. */
  isAwaited = false;

  constructor(
    key: Owner | null,
    user: Owner | null,
    options: ConstructorParameters<typeof Reservation>[2],
    held: readonly Holder[],
  ) {
    super(key, user, options);
    this.held = held;
  }
}

/**
 * What ends within this time is told together, or with the next call that asks: most of the cost of a message is its write. Until
 * then its reserve counts. Without limits, it waits for the next beat.
 */
const GATHERED_MS = 5;
const NOTHING = { tokens: 0, costNanoUsd: 0 };

/** Applies limits over all instances: one round trip before a call with limits, one after it that nobody waits for. */
export class SharedGate implements Gate {
  readonly #engine: Engine;
  readonly #shared: SharedBudgets;
  readonly #now: () => number;
  /** Applies the limits while the engine is away. */
  readonly #own: LimitGate;
  readonly #shares: AwayShares;
  readonly #refusals = new SureRefusals();
  #timer: NodeJS.Timeout | null = null;
  #isSending = false;

  constructor(engine: Engine, shared: SharedBudgets, now: () => number) {
    this.#engine = engine;
    this.#shared = shared;
    this.#now = now;
    this.#own = new LimitGate(shared.budgets, now);
    this.#shares = new AwayShares(shared, now);
  }

  admit(request: AdmitRequest): Reservation | Promise<Reservation> {
    const key = this.#ownerOf('key', request.key);
    const user = this.#ownerOf('user', request.user);
    const held: Holder[] = [];
    if (key !== null && request.key?.limits) {
      held.push({ owner: key, limits: request.key.limits, name: 'this API key' });
    }
    if (user !== null && request.user?.limits) {
      held.push({ owner: user, limits: request.user.limits, name: 'your account' });
    }
    if (held.length === 0) return this.#begin(new SharedReservation(key, user, NOTHING, held));
    const reservation = new SharedReservation(key, user, request, held);
    if (this.#engine.isReady) return this.#ask(reservation, request);
    return this.#admitAlone(reservation, request);
  }

  settle(reservation: Reservation, used: Settlement | null): void {
    this.#own.settle(reservation, used);
    const { outbox } = this.#shared;
    const held = reservation instanceof SharedReservation ? reservation.held : [];
    for (const owner of [reservation.key, reservation.user]) {
      if (owner === null) continue;
      const limits = held.find((one) => one.owner === owner)?.limits ?? null;
      const name = nameOf(owner.kind, owner.id);
      if (limits !== null) outbox.release(name, reservation);
      outbox.count(name, used, limits !== null && limits.tpm !== null);
    }
    if (reservation instanceof SharedReservation && reservation.isAwaited) this.#sendAtOnce();
    else if (held.length > 0) this.#timer ??= setTimeout(this.#send, GATHERED_MS);
  }

  #ownerOf(kind: OwnerKind, owner: LimitedOwner | null): Owner | null {
    return owner === null ? null : this.#shared.budgets.ownerOf(kind, owner.id);
  }

  /** What ends in one turn of the event loop is told together. */
  #sendAtOnce(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(this.#send);
  }

  readonly #send = (): void => {
    this.#isSending = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#shared.outbox.send();
  };

  /** Counts a call in memory, where it is shown, and known if the engine goes away. */
  #begin(reservation: SharedReservation): SharedReservation {
    const nowMs = this.#now();
    for (const owner of [reservation.key, reservation.user]) {
      const limits = reservation.held.find((one) => one.owner === owner)?.limits ?? null;
      owner?.begin(nowMs, limits, reservation);
    }
    return reservation;
  }

  async #ask(reservation: SharedReservation, request: AdmitRequest): Promise<Reservation> {
    const askedAtMs = this.#now();
    const known = this.#refusals.find(reservation.held, request.tokens, askedAtMs);
    if (known !== null) throw known;
    // The client of a call that has just ended may be the one that asks now.
    const told = this.#shared.outbox.takeAlong();
    const [number = '0', ...settled] = told?.args ?? [];
    const { epoch, instance } = this.#engine;
    const args = [epoch, instance, number, String(settled.length), ...settled];
    args.push(String(request.tokens), String(request.costNanoUsd));
    for (const { owner, limits } of reservation.held) {
      const { rpm, tpm, concurrency, budgetUsd, budgetTokens } = limits;
      const budget = [budgetUsd === null ? null : toNanoUsd(budgetUsd), budgetTokens];
      args.push(nameOf(owner.kind, owner.id));
      args.push(...[rpm, tpm, concurrency, ...budget].map((limit) => (limit === null ? '' : String(limit))));
      args.push(numberOf(periodOf(limits)));
    }
    let reply: unknown;
    try {
      reply = await this.#engine.run(RESERVE, args);
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      return this.#admitAlone(reservation, request);
    }
    told?.acknowledge();
    const answer = readReply(reply, reservation.held, request.tokens);
    if (answer.sure !== null) this.#refusals.note(answer.sure, askedAtMs);
    if (answer.refusal !== null) throw answer.refusal;
    for (const { owner } of reservation.held) {
      this.#shared.outbox.hold(nameOf(owner.kind, owner.id), request);
    }
    reservation.headers = answer.headers;
    reservation.isAwaited = answer.isAwaited;
    return this.#begin(reservation);
  }

  /** @throws HttpError as `Gate.admit`, for this instance's share of the limits. */
  #admitAlone(reservation: SharedReservation, request: AdmitRequest): Reservation {
    const shareOf = (owner: LimitedOwner | null, kind: OwnerKind): LimitedOwner | null => {
      return owner === null ? null : { id: owner.id, limits: this.#shares.of(kind, owner) };
    };
    const admitted = this.#own.admit({
      ...request,
      key: shareOf(request.key, 'key'),
      user: shareOf(request.user, 'user'),
    });
    for (const { owner } of reservation.held) {
      this.#shared.outbox.holdUntold(nameOf(owner.kind, owner.id), request);
    }
    reservation.headers = admitted.headers;
    return reservation;
  }
}
