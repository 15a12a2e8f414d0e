import { CALL_OUTCOMES, type CallEntry, type CallOutcome } from '../call-entry.ts';

/** What the ledger counts calls by; ids, not names. */
export interface Dimensions {
  /** `master` for the master key; null: a session. */
  readonly key: string | null;
  readonly user: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly upstreamModel: string | null;
  /** The path after `/v1/`. */
  readonly endpoint: string;
  readonly outcome: CallOutcome;
}

/** Stands for everything beyond a bound. */
export const OTHER = 'other';
/** Longer names are cut. */
const NAME_LENGTH = 512;

/** Identifies a combination of dimensions. */
export type DimensionsKey = string;

/** The dimensions of a call. `isOtherModel`: its model is one too many. */
export function dimensionsOf(call: CallEntry, isOtherModel: boolean): Dimensions {
  return {
    key: cut(call.keyId),
    user: cut(call.userId),
    provider: cut(call.providerId),
    model: isOtherModel ? OTHER : cut(call.modelId),
    upstreamModel: isOtherModel ? OTHER : cut(call.upstreamModel),
    endpoint: call.endpoint.slice(0, NAME_LENGTH),
    outcome: call.outcome,
  };
}

/** What is left of the dimensions when there are too many combinations. */
export function otherDimensions(outcome: CallOutcome): Dimensions {
  return {
    key: OTHER,
    user: OTHER,
    provider: OTHER,
    model: OTHER,
    upstreamModel: OTHER,
    endpoint: OTHER,
    outcome,
  };
}

/** The same text for equal dimensions, another one for different ones. */
export function keyOfDimensions(dimensions: Dimensions): DimensionsKey {
  const { key, user, provider, model, upstreamModel, endpoint, outcome } = dimensions;
  return `${part(key)}${part(user)}${part(provider)}${part(model)}${part(upstreamModel)}${part(endpoint)}${outcome}`;
}

/** The dimensions as a line of a file holds them. */
export function toList(dimensions: Dimensions): (string | null)[] {
  const { key, user, provider, model, upstreamModel, endpoint, outcome } = dimensions;
  return [key, user, provider, model, upstreamModel, endpoint, outcome];
}

/** The dimensions of a line; null if it holds something else. */
export function fromList(list: unknown): Dimensions | null {
  if (!Array.isArray(list) || list.length !== 7) return null;
  const [key, user, provider, model, upstreamModel, endpoint, outcome]: readonly unknown[] = list;
  if (!isName(key) || !isName(user) || !isName(provider) || !isName(model) || !isName(upstreamModel)) {
    return null;
  }
  const known = CALL_OUTCOMES.find((name) => name === outcome);
  if (typeof endpoint !== 'string' || known === undefined) return null;
  return { key, user, provider, model, upstreamModel, endpoint, outcome: known };
}

function isName(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function cut(name: string | null): string | null {
  return name === null || name.length <= NAME_LENGTH ? name : name.slice(0, NAME_LENGTH);
}

/** The length in front keeps names apart whatever signs they hold. */
function part(name: string | null): string {
  return name === null ? '-' : `${name.length}:${name}`;
}
