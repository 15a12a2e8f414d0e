import type { Settlement } from '../limits/account.ts';
import type { Reserve } from '../limits/owner.ts';
import type { Engine } from './engine.ts';
import { SETTLE } from './limit-scripts.ts';
import { type Message, Messages } from './messages.ts';

/** What is still to be told of an owner. */
interface Entry {
  /** How what the owner's running calls hold has changed. */
  calls: number;
  reservedTokens: number;
  reservedNanoUsd: number;
  /** Calls that were let through while the engine was away. */
  begun: number;
  /** Calls that have ended, and what they used. */
  ended: number;
  tokens: number;
  costNanoUsd: number;
  isTokenLimited: boolean;
}

type Entries = ReadonlyMap<string, Entry>;

/** What running calls hold of an owner's limits. */
export interface Lease {
  calls: number;
  tokens: number;
  costNanoUsd: number;
}

/** What calls of one owner used that the engine may not have counted yet. */
export interface Untold extends Settlement {
  readonly calls: number;
}

/**
 * Tells the engine what calls have used. Messages are numbered and kept for a while: the engine counts each once, however often it is
 * sent. What running calls hold belongs to a connection and is told anew on the next.
 */
export class Outbox {
  readonly #engine: Engine;
  readonly #leases = new Map<string, Lease>();
  readonly #messages = new Messages<Entries>();
  #pending = new Map<string, Entry>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Notes that the engine has let a call through, and holds this for it. */
  hold(name: string, { tokens, costNanoUsd }: Reserve): void {
    const lease = this.#leases.get(name) ?? { calls: 0, tokens: 0, costNanoUsd: 0 };
    lease.calls += 1;
    lease.tokens += tokens;
    lease.costNanoUsd += costNanoUsd;
    this.#leases.set(name, lease);
  }

  /** Notes a call that was let through while the engine was away. */
  holdUntold(name: string, reserve: Reserve): void {
    this.hold(name, reserve);
    const entry = this.#entry(name);
    entry.calls += 1;
    entry.reservedTokens += reserve.tokens;
    entry.reservedNanoUsd += reserve.costNanoUsd;
    entry.begun += 1;
  }

  /** Notes that a call has ended that the engine holds something for. */
  release(name: string, { tokens, costNanoUsd }: Reserve): void {
    const lease = this.#leases.get(name);
    if (lease === undefined) return;
    lease.calls -= 1;
    lease.tokens -= tokens;
    lease.costNanoUsd -= costNanoUsd;
    if (lease.calls === 0) this.#leases.delete(name);
    const entry = this.#entry(name);
    entry.calls -= 1;
    entry.reservedTokens -= tokens;
    entry.reservedNanoUsd -= costNanoUsd;
  }

  /** Notes what a call used that has ended. null: nothing. */
  count(name: string, used: Settlement | null, isTokenLimited: boolean): void {
    const entry = this.#entry(name);
    entry.ended += 1;
    entry.tokens += used?.tokens ?? 0;
    entry.costNanoUsd += used?.costNanoUsd ?? 0;
    entry.isTokenLimited ||= isTokenLimited;
  }

  /** Sends what is to be told, if the engine is there. */
  send(): void {
    if (this.#pending.size === 0 || !this.#engine.isReady) return;
    // Sent again on the next connection, if this one ends before the reply.
    this.#deliver(this.#take()).catch(() => {});
  }

  /**
   * What running calls hold; from now on, all changes of it are told beside this, and those from before no more.
   */
  takeLeases(): ReadonlyMap<string, Readonly<Lease>> {
    for (const entries of [...this.#messages.resendable.map(({ content }) => content), this.#pending]) {
      for (const entry of entries.values()) {
        Object.assign(entry, { calls: 0, reservedTokens: 0, reservedNanoUsd: 0 });
      }
    }
    return new Map([...this.#leases].map(([name, lease]) => [name, { ...lease }]));
  }

  /** Sends all that the engine may lack, on a new connection. @throws EngineAwayError. */
  async resend(): Promise<void> {
    if (this.#pending.size > 0) this.#take();
    await Promise.all(this.#messages.resendable.map((message) => this.#deliver(message)));
  }

  /** What was used of an owner and sent after all that is acknowledged, or is still to be sent. */
  untold(name: string): Untold {
    const sum = { calls: 0, tokens: 0, costNanoUsd: 0 };
    for (const entries of [...this.#messages.unacknowledged.map(({ content }) => content), this.#pending]) {
      const entry = entries.get(name);
      if (entry === undefined) continue;
      sum.calls += entry.ended;
      sum.tokens += entry.tokens;
      sum.costNanoUsd += entry.costNanoUsd;
    }
    return sum;
  }

  /** What is to be told as a message that leaves with another command: its arguments, from its number on; null: nothing is. */
  takeAlong(): { readonly args: readonly string[]; acknowledge(): void } | null {
    if (this.#pending.size === 0) return null;
    const message = this.#take();
    return {
      args: [String(message.number), ...argumentsOf(message)],
      acknowledge: () => this.#messages.acknowledge(message),
    };
  }

  /** Makes a message of what is to be told. */
  #take(): Message<Entries> {
    const entries = this.#pending;
    this.#pending = new Map();
    return this.#messages.add(entries);
  }

  async #deliver(message: Message<Entries>): Promise<void> {
    const { instance, epoch } = this.#engine;
    await this.#engine.run(SETTLE, [epoch, instance, String(message.number), ...argumentsOf(message)]);
    this.#messages.acknowledge(message);
  }

  #entry(name: string): Entry {
    const known = this.#pending.get(name);
    if (known !== undefined) return known;
    const made: Entry = {
      calls: 0,
      reservedTokens: 0,
      reservedNanoUsd: 0,
      begun: 0,
      ended: 0,
      tokens: 0,
      costNanoUsd: 0,
      isTokenLimited: false,
    };
    this.#pending.set(name, made);
    return made;
  }
}

/** The arguments of `SETTLE` for the owners of a message. */
function argumentsOf({ content }: Message<Entries>): string[] {
  const args: string[] = [];
  for (const [name, entry] of content) {
    const { calls, reservedTokens, reservedNanoUsd, begun, ended, tokens, costNanoUsd } = entry;
    const numbers = [calls, reservedTokens, reservedNanoUsd, begun, ended, tokens, costNanoUsd];
    args.push(name, ...numbers.map(String), entry.isTokenLimited ? '1' : '0');
  }
  return args;
}
