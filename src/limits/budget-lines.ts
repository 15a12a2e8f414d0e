import { isRecord, parseJson } from '../json/value.ts';
import type { PeriodCounter, PeriodCounters } from './account.ts';
import type { OwnerCounters } from './budgets.ts';

/** The members of a counter in the order in which a line holds them. */
const MEMBERS = [
  'startMs',
  'costNanoUsd',
  'tokens',
  'requests',
  'grantedNanoUsd',
  'grantedTokens',
] as const satisfies (keyof PeriodCounter)[];

/** The text of the line that keeps an owner's counters. */
export function toText({ kind, id, counters }: OwnerCounters): string {
  const { day, week, month, total } = counters;
  return JSON.stringify({
    [kind]: id,
    day: valuesOf(day),
    week: valuesOf(week),
    month: valuesOf(month),
    total: valuesOf(total),
  });
}

/** The counters of such a text; null: it is of another version, or wrong. */
export function parseCounters(text: string): OwnerCounters | null {
  const line = parseJson(text);
  if (!isRecord(line)) return null;
  const kind = 'key' in line ? 'key' : 'user';
  const id = line[kind];
  const counters = countersOf(line);
  return typeof id === 'string' && counters !== null ? { kind, id, counters } : null;
}

function valuesOf(counter: PeriodCounter): number[] {
  return MEMBERS.map((member) => counter[member]);
}

function countersOf({ day, week, month, total }: Readonly<Record<string, unknown>>): PeriodCounters | null {
  const [daily, weekly, monthly, ever] = [day, week, month, total].map(counterOf);
  if (!daily || !weekly || !monthly || !ever) return null;
  return { day: daily, week: weekly, month: monthly, total: ever };
}

function counterOf(values: unknown): PeriodCounter | null {
  if (!Array.isArray(values) || !values.every(isCount)) return null;
  const [startMs, costNanoUsd, tokens, requests, grantedNanoUsd, grantedTokens] = values;
  if (grantedTokens === undefined) return null;
  return { startMs, costNanoUsd, tokens, requests, grantedNanoUsd, grantedTokens } as PeriodCounter;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
