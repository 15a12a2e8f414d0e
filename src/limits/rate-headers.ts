import type { HeaderList } from '../http/headers.ts';
import type { Limits } from '../store/entities.ts';
import type { Owner } from './owner.ts';
import { WINDOW_MS } from './windows.ts';

/** An owner with limits, and how texts call it. */
export interface Holder {
  readonly owner: Owner;
  readonly limits: Limits;
  readonly name: 'this API key' | 'your account';
}

/** The state of one limit. */
export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/**
 * The `x-ratelimit-` headers, from whichever owner has less remaining. Of requests and tokens, those that nobody limits have no
 * headers.
 */
export function rateHeaders(holders: readonly Holder[], nowMs: number): HeaderList {
  let requests: RateState | null = null;
  let tokens: RateState | null = null;
  for (const holder of holders) {
    requests = lessOf(requests, requestState(holder, nowMs));
    tokens = lessOf(tokens, tokenState(holder, nowMs));
  }
  return toRateHeaders(requests, tokens);
}

/** The headers of the states of both limits; null: nobody sets the limit. */
export function toRateHeaders(requests: RateState | null, tokens: RateState | null): HeaderList {
  return [...toHeaders('requests', requests), ...toHeaders('tokens', tokens)];
}

function requestState({ owner, limits }: Holder, nowMs: number): RateState | null {
  if (limits.rpm === null) return null;
  const used = owner.requests.sumAt(nowMs);
  return { limit: limits.rpm, remaining: limits.rpm - used, resetMs: owner.requests.waitMs(nowMs, 0) };
}

function tokenState({ owner, limits }: Holder, nowMs: number): RateState | null {
  if (limits.tpm === null) return null;
  const used = owner.tokens.sumAt(nowMs) + owner.reservedTokens;
  // What is reserved counts for the whole window once its call has ended.
  const resetMs = owner.reservedTokens > 0 ? WINDOW_MS : owner.tokens.waitMs(nowMs, 0);
  return { limit: limits.tpm, remaining: limits.tpm - used, resetMs };
}

/** The state with less remaining. */
export function lessOf(one: RateState | null, other: RateState | null): RateState | null {
  if (one === null || other === null) return one ?? other;
  return other.remaining < one.remaining ? other : one;
}

function toHeaders(what: 'requests' | 'tokens', state: RateState | null): string[] {
  if (state === null) return [];
  return [
    `x-ratelimit-limit-${what}`,
    String(state.limit),
    `x-ratelimit-remaining-${what}`,
    String(Math.max(0, state.remaining)),
    `x-ratelimit-reset-${what}`,
    toDuration(state.resetMs),
  ];
}

/** A duration as OpenAI writes it, in whole seconds: `12s`, `1m3s`. */
function toDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
