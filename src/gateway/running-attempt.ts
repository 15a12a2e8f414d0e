import { withoutRateLimits } from '../protocols/passed-headers.ts';
import type { Quirk, Target, UpstreamResponse } from '../providers/adapter.ts';
import type { Call } from './call.ts';
import type { Health } from './health.ts';
import type { AttemptRecord } from './record.ts';
import type { BegunAttempt } from './rests.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

interface AttemptStart {
  /** The call in the form in which the target gets it. */
  readonly call: Call;
  readonly target: Target;
  /** The quirks that its request respects. */
  readonly quirks: ReadonlySet<Quirk>;
}

/** An attempt on its way, and its entry for the call's record. */
export interface RunningAttempt extends AttemptStart {
  readonly watched: BegunAttempt;
  readonly entry: Mutable<AttemptRecord>;
}

/** Begins an attempt. */
export function beginAttempt({ call, target, quirks }: AttemptStart, health: Health): RunningAttempt {
  const { provider, upstreamModel, key } = target;
  const aim = { providerId: provider.id, upstreamModel, keyId: key?.id ?? null };
  const entry: RunningAttempt['entry'] = {
    providerId: aim.providerId,
    upstreamModel,
    keyId: aim.keyId,
    keyHint: key?.hint ?? null,
    status: null,
    result: 'ok',
    code: null,
    ms: 0,
  };
  return { call, target, quirks, watched: health.begin(aim), entry };
}

/** Notes in the call's record that the headers of a response have come. Returns what of it is for the client. */
export function noteResponse(
  { call, watched, entry }: RunningAttempt,
  response: UpstreamResponse,
  nowMs: number,
): UpstreamResponse {
  entry.status = response.status;
  entry.ms = nowMs - watched.startedAtMs;
  call.record.attempts.push(entry);
  return call.hidesRateLimits ? withoutRateLimits(response) : response;
}

const NO_QUIRKS: ReadonlySet<Quirk> = new Set();

/** The quirks of a provider with one more, or none. A copy, because other calls may add to the provider's own meanwhile. */
export function withQuirk(quirks: ReadonlySet<Quirk>, quirk: Quirk | null): ReadonlySet<Quirk> {
  if (quirk !== null) return new Set(quirks).add(quirk);
  return quirks.size === 0 ? NO_QUIRKS : new Set(quirks);
}
