import { dayName, monthName, parseDay, parseMonth } from './calendar.ts';

/** The hours of a day that goes on, those of a day that is over, and the days of a month. */
export type FileKind = 'open' | 'sealed' | 'month';

/** The name of a file of the ledger. @param at the day or month */
export function fileName(kind: FileKind, at: number): string {
  return kind === 'month' ? `days-${monthName(at)}` : `hours-${dayName(at)}.${kind}`;
}

/** What a name says; the kind is null for a file of another kind. */
export function parseFileName(name: string): { readonly kind: FileKind | null; readonly at: number } {
  const [, day, state] = /^hours-(.{10})\.(open|sealed)$/.exec(name) ?? [];
  const [, month] = /^days-(.{7})$/.exec(name) ?? [];
  const at = (day === undefined ? null : parseDay(day)) ?? (month === undefined ? null : parseMonth(month));
  if (at === null) return { kind: null, at: 0 };
  return { kind: month === undefined ? (state === 'open' ? 'open' : 'sealed') : 'month', at };
}
