import type { Price } from '../store/entities.ts';
import type { Usage } from './usage.ts';

/**
 * How a call ended: `clientErrors`: an error for what was sent; `providerErrors`: any other failure before the first content;
 * `limited`: refused by a limit; `cancelled`: the client left; `broken`: an error after the first content.
 */
export const CALL_OUTCOMES = [
  'ok',
  'clientErrors',
  'providerErrors',
  'limited',
  'cancelled',
  'broken',
] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** Where a price comes from: the owner, the provider's own list, or the shipped list. */
export type PriceSource = 'own' | 'provider' | 'list';

/** The price of a target, as it was when the call was made. */
export interface PriceUsed {
  readonly price: Price;
  readonly source: PriceSource;
}

/** One request to one provider. */
export interface AttemptEntry {
  readonly providerId: string;
  readonly upstreamModel: string;
  /** null: the provider has no key. */
  readonly keyId: string | null;
  /** By which people recognise the key. */
  readonly keyHint: string | null;
  /** null: there was no response. */
  readonly status: number | null;
  /** `ok`, `dropped` (the client left, or this server ended it), or what kind of failure it was. */
  readonly result: string;
  /** The code of the attempt's error; null: a success, or a provider that gave none. */
  readonly code: string | null;
  /** The time until the headers of the response. */
  readonly ms: number;
}

/**
 * A finished request to a model endpoint: the one value that limits, ledger, request log, live feed, alerts and metrics are
 * told, once, at its end.
 */
export interface CallEntry {
  /** The request's `x-request-id`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly endedAtMs: number;
  /** The path after `/v1/`. */
  readonly endpoint: string;
  /** `master` for the master key; null: a session, or nobody. */
  readonly keyId: string | null;
  readonly keyName: string | null;
  /** null: a key without an owner, the master key, the admin, or nobody. */
  readonly userId: string | null;
  readonly userName: string | null;
  /** The model's id as it was asked for; null: the request named none. */
  readonly modelId: string | null;
  /** The target asked last; null: none was asked. */
  readonly providerId: string | null;
  readonly upstreamModel: string | null;
  /** The client asked for an event stream. */
  readonly stream: boolean;
  /** The status that the client got; 499: it left before. */
  readonly status: number;
  /** False for a request that stands in the request log only: of nobody (401), without the right (403), or to an unknown model. */
  readonly isCall: boolean;
  /** It was let through by the limits. */
  readonly isAdmitted: boolean;
  readonly outcome: CallOutcome;
  /** The code of the error that was the answer or ended it; null for a success, and where a provider gave none. */
  readonly code: string | null;
  readonly ms: number;
  /** The time to the first byte of the answer; null: there was none. */
  readonly ttftMs: number | null;
  /** null: nothing was used. */
  readonly usage: Usage | null;
  /** null: nothing was priced. */
  readonly costNanoUsd: number | null;
  /** The price that was used; null: none is known, or the provider told the cost. */
  readonly price: PriceUsed | null;
  readonly attempts: readonly AttemptEntry[];
  readonly clientAddress: string;
}
