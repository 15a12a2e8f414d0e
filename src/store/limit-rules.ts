import { parseNetwork } from '../ip-address.ts';
import { BUDGET_PERIODS, type Limits } from './entities.ts';
import { oneOf, orNull, type Rule } from './record-rules.ts';

const REQUESTS_LIMIT = 1_000_000;
const TOKENS_LIMIT = 1_000_000_000_000;
const CONCURRENCY_LIMIT = 100_000;
const USD_LIMIT = 1_000_000;
/** Money is counted in nano-dollars. */
const USD_LEAST = 1e-9;
const ADDRESSES_LIMIT = 256;

/** The rules of the members of limits, for values from the API and from a file. Each member may be null instead. */
export const LIMIT_RULES: Readonly<Record<keyof Limits, Rule>> = {
  rpm: wholeNumber(REQUESTS_LIMIT),
  tpm: wholeNumber(TOKENS_LIMIT),
  concurrency: wholeNumber(CONCURRENCY_LIMIT),
  budgetUsd: {
    expected: `a number over 0, at most ${USD_LIMIT}`,
    isRight: (value) => typeof value === 'number' && value >= USD_LEAST && value <= USD_LIMIT,
  },
  budgetTokens: wholeNumber(TOKENS_LIMIT),
  budgetPeriod: oneOf(...BUDGET_PERIODS),
  warnPercent: wholeNumber(100),
  allowedIps: {
    expected: `a list of 1 to ${ADDRESSES_LIMIT} addresses or networks such as 192.0.2.7, 10.0.0.0/8 and 2001:db8::/32`,
    isRight: (value) =>
      Array.isArray(value) && value.length > 0 && value.length <= ADDRESSES_LIMIT && value.every(isNetwork),
  },
};

/** Limits that limit nothing. */
export const NO_LIMITS: Limits = {
  rpm: null,
  tpm: null,
  concurrency: null,
  budgetUsd: null,
  budgetTokens: null,
  budgetPeriod: null,
  warnPercent: null,
  allowedIps: null,
};

/** The members of stored limits. */
export const LIMIT_FIELDS = Object.fromEntries(
  Object.entries(LIMIT_RULES).map(([name, rule]) => [name, { ...orNull(rule), absent: null }]),
);

function wholeNumber(most: number): Rule {
  return {
    expected: `a whole number from 1 to ${most}`,
    isRight: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most,
  };
}

function isNetwork(value: unknown): boolean {
  return typeof value === 'string' && parseNetwork(value) !== null;
}
