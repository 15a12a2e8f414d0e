import { HttpError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { BudgetPeriod } from '../store/entities.ts';
import { toUsd } from '../usage/money.ts';
import type { Holder } from './rate-headers.ts';

/** Why a call is refused. */
export type Refusal = { readonly name: Holder['name'] } & (
  | { readonly kind: 'concurrency'; readonly used: number; readonly limit: number }
  | { readonly kind: 'rpm'; readonly used: number; readonly limit: number }
  | {
      readonly kind: 'tpm';
      readonly used: number;
      readonly limit: number;
      /** What the call itself would reserve. */
      readonly needed: number;
    }
  | {
      readonly kind: 'budget';
      readonly unit: 'usd' | 'tokens';
      /** Nano-dollars or tokens; only settled ones, as in `used` of all budgets. */
      readonly used: number;
      readonly reserved: number;
      readonly limit: number;
      readonly period: BudgetPeriod;
      /** Milliseconds since the epoch; null: never. */
      readonly resetsAtMs: number | null;
    }
);

export interface RefusalAnswer {
  /** How long to wait before the same call can be let through; 0: not known. */
  readonly waitMs: number;
  readonly headers: HeaderList;
}

/** The error for a call that a limit refuses: 429 `rate_limit_exceeded` or `insufficient_quota`. */
export function refusalError(refusal: Refusal, { waitMs, headers }: RefusalAnswer): HttpError {
  if (refusal.kind === 'budget' && refusal.used >= refusal.limit) {
    const spent = new HttpError('insufficient_quota', spentText(refusal), {
      param: 'budget',
      headers: { 'x-should-retry': 'false' },
    });
    return spent.withHeaders(headers);
  }
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const text = `${limitText(refusal)} Try again in ${seconds} s.`;
  const error = new HttpError('rate_limit_exceeded', text, { headers: { 'retry-after': String(seconds) } });
  return error.withHeaders(headers);
}

function limitText(refusal: Refusal): string {
  const { name, used, limit } = refusal;
  switch (refusal.kind) {
    case 'concurrency':
      return `Too many requests at the same time for ${name}: ${count(used)} of ${count(limit)} are running.`;
    case 'rpm':
      return `Too many requests for ${name}: ${count(used)} of ${count(limit)} per minute.`;
    case 'tpm':
      return `Too many tokens for ${name}: ${count(used)} of ${count(limit)} per minute are used or reserved, and this request may need ${count(refusal.needed)}.`;
    case 'budget':
      return `The rest of the budget of ${name} is reserved by running requests: ${usedOf(refusal)} ${PERIOD_TEXTS[refusal.period]}.`;
  }
}

type BudgetRefusal = Extract<Refusal, { kind: 'budget' }>;

const PERIOD_TEXTS: Readonly<Record<BudgetPeriod, string>> = {
  day: 'today',
  week: 'this week',
  month: 'this month',
  total: 'in total',
};

function spentText(refusal: BudgetRefusal): string {
  const { name, period, resetsAtMs } = refusal;
  const reset = resetsAtMs === null ? 'It does not reset by itself.' : `It resets on ${toUtc(resetsAtMs)}.`;
  const used = `${usedOf(refusal)} ${PERIOD_TEXTS[period]}`;
  return `The budget of ${name} is used up: ${used}. ${reset} Ask the administrator of this proxy.`;
}

function usedOf({ unit, used, limit }: BudgetRefusal): string {
  return unit === 'usd' ? `${money(used)} of ${money(limit)}` : `${count(used)} of ${count(limit)} tokens`;
}

/** Two decimals; four below one dollar. */
function money(nanoUsd: number): string {
  const usd = toUsd(nanoUsd);
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Such as `1 Dec 2026 00:00 UTC`. */
function toUtc(ms: number): string {
  const date = new Date(ms);
  const time = date.toISOString().slice(11, 16);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${time} UTC`;
}
