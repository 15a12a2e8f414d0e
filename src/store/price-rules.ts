import { isRecord } from '../json/value.ts';
import type { Price, PriceAbove, ProviderPrice } from './entities.ts';
import { isPriceAmount, PRICE_LIMIT_USD } from './price-amounts.ts';
import { orNull, type Rule, TIME } from './record-rules.ts';

/** The most prices that are kept for one provider, and the longest of its names. */
export const PROVIDER_PRICES_LIMIT = 2_000;
const MODEL_NAME_LIMIT = 512;
const PROMPT_TOKENS_LIMIT = 1_000_000_000;

/** An amount of a price, in USD. */
export const PRICE_AMOUNT: Rule = {
  expected: `a number of USD from 0 to ${PRICE_LIMIT_USD} with at most 9 decimals`,
  isRight: isPriceAmount,
};

/** The length of a prompt above which other prices hold. */
export const PROMPT_TOKENS: Rule = {
  expected: `a whole number from 1 to ${PROMPT_TOKENS_LIMIT}`,
  isRight: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= PROMPT_TOKENS_LIMIT,
};

const AMOUNT = { ...orNull(PRICE_AMOUNT), absent: null };
const OBJECT: Rule = { expected: 'an object', isRight: isRecord };

/** The members of `above` in a stored price. */
const ABOVE = {
  inputTokens: PROMPT_TOKENS,
  inputPerMTok: AMOUNT,
  outputPerMTok: AMOUNT,
  cachedInputPerMTok: AMOUNT,
  cacheWritePerMTok: AMOUNT,
} satisfies Record<keyof PriceAbove, object>;

/** The members of a stored price. */
export const PRICE_FIELDS = {
  inputPerMTok: AMOUNT,
  outputPerMTok: AMOUNT,
  cachedInputPerMTok: AMOUNT,
  cacheWritePerMTok: AMOUNT,
  perAudioMinute: AMOUNT,
  perImage: AMOUNT,
  perRequest: AMOUNT,
  above: { ...orNull(OBJECT), absent: null, record: ABOVE },
} satisfies Record<keyof Price, object>;

/** The members of a stored price that was taken over from a provider. */
export const PROVIDER_PRICE_FIELDS = {
  price: { ...OBJECT, record: PRICE_FIELDS },
  asOf: TIME,
} satisfies Record<keyof ProviderPrice, object>;

/** A provider's prices by its names of models. */
export const PROVIDER_PRICES: Rule = {
  expected: `an object of at most ${PROVIDER_PRICES_LIMIT} prices by models' names of at most ${MODEL_NAME_LIMIT} characters`,
  isRight: (value) =>
    isRecord(value) &&
    Object.keys(value).length <= PROVIDER_PRICES_LIMIT &&
    Object.keys(value).every((name) => name !== '' && name.length <= MODEL_NAME_LIMIT),
};
