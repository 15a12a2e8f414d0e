import { isRecord } from '../../json/value.ts';
import type { Price, PriceAbove, TokenRates } from '../../store/entities.ts';
import { isKnownPrice, isPriceAmount } from '../../store/price-amounts.ts';
import { PRICE_AMOUNT, PROMPT_TOKENS } from '../../store/price-rules.ts';
import { isBlank, wrong } from '../fields.ts';

/**
 * Reads a price. It replaces the old one as a whole: absent members are null. null and an object without any amount are no
 * price. @throws HttpError `invalid_value`, naming the member.
 */
export function toPrice(value: unknown, param: string): Price | null {
  if (isBlank(value)) return null;
  if (!isRecord(value)) throw wrong(param, 'must be an object of prices in USD, or null');
  const price: Price = {
    ...toRates(value, param),
    perAudioMinute: toAmount(value, 'perAudioMinute', param),
    perImage: toAmount(value, 'perImage', param),
    perRequest: toAmount(value, 'perRequest', param),
    above: toAbove(value['above'], `${param}.above`),
  };
  return isKnownPrice(price) || price.above !== null ? price : null;
}

function toAbove(value: unknown, param: string): PriceAbove | null {
  if (isBlank(value)) return null;
  if (!isRecord(value)) throw wrong(param, 'must be an object with inputTokens and prices, or null');
  const { inputTokens } = value;
  const rates = toRates(value, param);
  const isEmpty = Object.values(rates).every((rate) => rate === null);
  if (isEmpty && isBlank(inputTokens)) return null;
  if (typeof inputTokens !== 'number' || !PROMPT_TOKENS.isRight(inputTokens))
    throw wrong(`${param}.inputTokens`, `must be ${PROMPT_TOKENS.expected}`);
  return { inputTokens, ...rates };
}

type Values = Readonly<Record<string, unknown>>;

function toRates(value: Values, param: string): TokenRates {
  return {
    inputPerMTok: toAmount(value, 'inputPerMTok', param),
    outputPerMTok: toAmount(value, 'outputPerMTok', param),
    cachedInputPerMTok: toAmount(value, 'cachedInputPerMTok', param),
    cacheWritePerMTok: toAmount(value, 'cacheWritePerMTok', param),
  };
}

function toAmount(value: Values, name: string, param: string): number | null {
  const amount = value[name];
  if (isBlank(amount)) return null;
  if (isPriceAmount(amount)) return amount;
  throw wrong(`${param}.${name}`, `must be ${PRICE_AMOUNT.expected}, or null`);
}
