import { CALL_OUTCOMES } from '../usage/call-entry.ts';
import { HOUR_MS } from '../usage/ledger/calendar.ts';
import { BUCKETS, type Bucket, GROUPS, type Group, type UsageQuery } from '../usage/ledger/query.ts';
import { wrong } from './fields.ts';
import { QueryParameters } from './query-parameters.ts';

/** What a usage report was asked for. */
export interface UsageRequest extends UsageQuery {
  readonly format: 'json' | 'csv';
}

const GROUPS_LIMIT = 2;
const TZ_LIMIT_MINUTES = 24 * 60;
const FILTER_LENGTH = 1024;

/**
 * Reads the query of a usage report. Both times are widened to whole hours; without them the last 24 hours are meant.
 * @throws HttpError `invalid_value` that names the parameter.
 */
export function readUsageRequest(query: string, nowMs: number): UsageRequest {
  const parameters = new UsageParameters(query);
  const toMs = parameters.time('to') ?? nowMs;
  const fromMs = parameters.time('from') ?? toMs - 24 * HOUR_MS;
  if (fromMs >= toMs) throw wrong('from', 'must be before `to`');
  return {
    fromMs: Math.floor(fromMs / HOUR_MS) * HOUR_MS,
    toMs: Math.ceil(toMs / HOUR_MS) * HOUR_MS,
    bucket: parameters.oneOf<Bucket>('bucket', BUCKETS) ?? 'none',
    tzMinutes: parameters.tz(),
    groupBy: parameters.groupBy(),
    filters: parameters.filters(),
    format: parameters.oneOf('format', ['json', 'csv']) ?? 'json',
  };
}

/** The parameters of a usage report. */
class UsageParameters extends QueryParameters {
  tz(): number {
    const text = this.text('tz');
    if (text === null) return 0;
    const minutes = /^[+ -]?\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
    if (Math.abs(minutes) <= TZ_LIMIT_MINUTES) return minutes;
    throw wrong('tz', `must be minutes east of UTC, from -${TZ_LIMIT_MINUTES} to ${TZ_LIMIT_MINUTES}`);
  }

  groupBy(): Group[] {
    const names = this.text('groupBy')?.split(',') ?? [];
    const groups = names.map((name) => GROUPS.find((group) => group === name));
    const known = groups.filter((group) => group !== undefined);
    const isWrong = known.length < names.length || known.length > GROUPS_LIMIT;
    if (isWrong || new Set(known).size < known.length) {
      throw wrong('groupBy', `must be one or two of ${GROUPS.join(', ')}, with a comma between them`);
    }
    return known;
  }

  filters(): Partial<Record<Group, string>> {
    const filters: Partial<Record<Group, string>> = {};
    for (const name of GROUPS) {
      const value = name === 'outcome' ? this.oneOf(name, CALL_OUTCOMES) : this.text(name);
      if (value === null) continue;
      if (value.length > FILTER_LENGTH) throw wrong(name, `must have at most ${FILTER_LENGTH} characters`);
      filters[name] = value;
    }
    return filters;
  }
}
