import type { CallEntry, CallOutcome } from './call-entry.ts';
import type { EntryNames } from './entry-names.ts';

/** Which entries are asked for; null members let all pass. */
export interface LogFilter {
  /** In milliseconds since the epoch, by the time at which a request ended. `fromMs` counts, `toMs` does not. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly keyId: string | null;
  readonly userId: string | null;
  readonly modelId: string | null;
  readonly providerId: string | null;
  readonly endpoint: string | null;
  readonly outcome: CallOutcome | null;
  /** The id of a request, or a part of the name of its model or key, in any letter case. */
  readonly search: string | null;
}

/** Entries stand in the log in the order in which they ended, unless the clock was set. */
const DISORDER_MS = 60_000;

export interface LogMatcher {
  /** True for an entry that is so old that none before it matches. */
  readonly isPast: (entry: CallEntry) => boolean;
  readonly matches: (entry: CallEntry) => boolean;
  /** As in `LogQuery`. */
  readonly needles: readonly string[];
}

/** Makes what decides whether an entry passes a filter. */
export function createMatcher(filter: LogFilter, names: EntryNames): LogMatcher {
  const { fromMs, toMs, keyId, userId, modelId, providerId, endpoint, outcome } = filter;
  const search = filter.search?.toLowerCase() ?? null;
  const exact = [keyId, userId, modelId, providerId, endpoint, outcome];
  return {
    needles: exact.filter((value) => value !== null).map((value) => JSON.stringify(value)),
    isPast: (entry) => fromMs !== null && entry.endedAtMs < fromMs - DISORDER_MS,
    matches: (entry) =>
      (fromMs === null || entry.endedAtMs >= fromMs) &&
      (toMs === null || entry.endedAtMs < toMs) &&
      (keyId === null || entry.keyId === keyId) &&
      (userId === null || entry.userId === userId) &&
      (modelId === null || entry.modelId === modelId) &&
      (providerId === null || entry.providerId === providerId) &&
      (endpoint === null || entry.endpoint === endpoint) &&
      (outcome === null || entry.outcome === outcome) &&
      (search === null || isFound(entry, search, names)),
  };
}

function isFound(entry: CallEntry, search: string, names: EntryNames): boolean {
  return (
    entry.id.toLowerCase() === search ||
    holds(entry.modelId, search) ||
    holds(names.modelName(entry), search) ||
    holds(names.keyName(entry), search)
  );
}

function holds(text: string | null, part: string): boolean {
  return text?.toLowerCase().includes(part) === true;
}
