export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Days since the epoch, by UTC. */
export type Day = number;
/** Months since January of the year 0, by UTC. */
export type Month = number;

/** The day in which a time lies. */
export function dayOf(timeMs: number): Day {
  return Math.floor(timeMs / DAY_MS);
}

/** The month in which a day lies. */
export function monthOf(day: Day): Month {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** From 1 to 31. */
export function dayOfMonth(day: Day): number {
  return new Date(day * DAY_MS).getUTCDate();
}

/** The first day of a month. */
export function firstDay(month: Month): Day {
  return dayOf(Date.UTC(Math.floor(month / 12), month % 12));
}

/** `2026-11-30` */
export function dayName(day: Day): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** `2026-11` */
export function monthName(month: Month): string {
  return dayName(firstDay(month)).slice(0, 7);
}

/** The day of a name that `dayName` made, or null. */
export function parseDay(name: string): Day | null {
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(name) ? Date.parse(`${name}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(timeMs) ? null : dayOf(timeMs);
}

/** The month of a name that `monthName` made, or null. */
export function parseMonth(name: string): Month | null {
  const day = parseDay(`${name}-01`);
  return day === null ? null : monthOf(day);
}
