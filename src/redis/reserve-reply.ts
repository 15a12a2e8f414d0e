import type { HttpError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import { periodOf } from '../limits/budgets.ts';
import { endOfPeriod } from '../limits/periods.ts';
import { type Holder, lessOf, type RateState, toRateHeaders } from '../limits/rate-headers.ts';
import { type Refusal, refusalError } from '../limits/refusals.ts';
import { WINDOW_MS } from '../limits/windows.ts';
import { toNanoUsd } from '../usage/money.ts';
import { toCounters } from './shared-budgets.ts';
import type { SureRefusal } from './sure-refusals.ts';

/** What the engine answered to a call. */
export interface ReserveAnswer {
  /** null: the call was let through. */
  readonly refusal: HttpError | null;
  /** The refusal, if it holds whatever ends meanwhile. */
  readonly sure: SureRefusal | null;
  /** The `x-ratelimit-` headers. */
  readonly headers: HeaderList;
  /** More than half of what may run at the same time is running: its end should be known soon. */
  readonly isAwaited: boolean;
}

/** What the engine says of one owner, as it was before the call. */
interface OwnerState {
  readonly calls: number;
  readonly requests: number;
  readonly lastRequestMs: number;
  readonly tokens: number;
  readonly lastTokensMs: number;
  readonly reservedTokens: number;
  readonly reservedNanoUsd: number;
  readonly counters: readonly number[];
}

/** What holds for the whole reply. */
interface Reply {
  readonly timeMs: number;
  readonly isAdmitted: boolean;
  /** What the call itself reserves. */
  readonly neededTokens: number;
}

/** Reads a reply of `RESERVE` for owners in the order in which they were sent. */
export function readReply(reply: unknown, holders: readonly Holder[], neededTokens: number): ReserveAnswer {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [timeMs = 0, refused = 0, by = 0, unit = 0, waitMs = 0, fullMs = 0] = parts.slice(0, 6).map(Number);
  const states = parts.slice(6).map(toState);
  const context = { timeMs, isAdmitted: refused === 0, neededTokens };
  let requests: RateState | null = null;
  let tokens: RateState | null = null;
  for (const [index, { limits }] of holders.entries()) {
    const state = states[index] ?? toState([]);
    requests = lessOf(requests, limits.rpm === null ? null : requestState(state, limits.rpm, context));
    tokens = lessOf(tokens, limits.tpm === null ? null : tokenState(state, limits.tpm, context));
  }
  const headers = toRateHeaders(requests, tokens);
  const isAwaited = holders.some(({ limits }, index) => {
    return limits.concurrency !== null && 2 * ((states[index]?.calls ?? 0) + 1) > limits.concurrency;
  });
  const holder = holders[by - 1];
  const state = states[by - 1];
  if (holder === undefined || state === undefined) return { refusal: null, sure: null, headers, isAwaited };
  const refusal = toRefusal(holder, state, { refused, unit, neededTokens });
  const error = refusalError(refusal, { waitMs, headers });
  const leastTokens = refusal.kind === 'tpm' ? neededTokens : 0;
  const sure = fullMs > 0 ? { error, holder, lengthMs: fullMs, leastTokens } : null;
  return { refusal: error, sure, headers, isAwaited };
}

function toState(part: unknown): OwnerState {
  const numbers = (Array.isArray(part) ? part : []).map(Number);
  const [calls = 0, requests = 0, lastRequestMs = 0, tokens = 0, lastTokensMs = 0] = numbers;
  const [reservedTokens = 0, reservedNanoUsd = 0, ...counters] = numbers.slice(5);
  return { calls, requests, lastRequestMs, tokens, lastTokensMs, reservedTokens, reservedNanoUsd, counters };
}

function requestState({ requests, lastRequestMs }: OwnerState, limit: number, reply: Reply): RateState {
  const { timeMs, isAdmitted } = reply;
  if (isAdmitted) return { limit, remaining: limit - requests - 1, resetMs: WINDOW_MS };
  const resetMs = requests === 0 ? 0 : lastRequestMs + WINDOW_MS - timeMs;
  return { limit, remaining: limit - requests, resetMs: Math.max(0, resetMs) };
}

function tokenState(state: OwnerState, limit: number, reply: Reply): RateState {
  const { timeMs, isAdmitted, neededTokens } = reply;
  const reserved = state.reservedTokens + (isAdmitted ? neededTokens : 0);
  // What is reserved counts for the whole window once its call has ended.
  const settledMs = state.tokens === 0 ? 0 : state.lastTokensMs + WINDOW_MS - timeMs;
  const resetMs = reserved > 0 ? WINDOW_MS : Math.max(0, settledMs);
  return { limit, remaining: limit - state.tokens - reserved, resetMs };
}

interface Refused {
  /** The number of the check, from 1 on: concurrency, rpm, tpm, spent, reserved. */
  readonly refused: number;
  /** Of a budget: 1 for money, 2 for tokens. */
  readonly unit: number;
  readonly neededTokens: number;
}

function toRefusal(
  { name, limits }: Pick<Holder, 'limits' | 'name'>,
  state: OwnerState,
  { refused, unit, neededTokens }: Refused,
): Refusal {
  if (refused === 1) return { kind: 'concurrency', name, used: state.calls, limit: limits.concurrency ?? 0 };
  if (refused === 2) return { kind: 'rpm', name, used: state.requests, limit: limits.rpm ?? 0 };
  if (refused === 3) {
    const used = state.tokens + state.reservedTokens;
    return { kind: 'tpm', name, used, limit: limits.tpm ?? 0, needed: neededTokens };
  }
  const period = periodOf(limits);
  const counter = toCounters(state.counters)[period];
  const budget = { kind: 'budget', name, period, resetsAtMs: endOfPeriod(period, counter.startMs) } as const;
  if (unit === 1) {
    const limit = toNanoUsd(limits.budgetUsd ?? 0) + counter.grantedNanoUsd;
    return { ...budget, unit: 'usd', used: counter.costNanoUsd, reserved: state.reservedNanoUsd, limit };
  }
  const limit = (limits.budgetTokens ?? 0) + counter.grantedTokens;
  return { ...budget, unit: 'tokens', used: counter.tokens, reserved: state.reservedTokens, limit };
}
