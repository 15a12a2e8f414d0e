import { isRecord } from '../json/value.ts';
import type { Price, PriceAbove, TokenRates } from '../store/entities.ts';
import { isKnownPrice, roundPriceAmount, UNKNOWN_PRICE } from '../store/price-amounts.ts';

/** Reads the price out of one entry of a provider's list of models; null: it tells none, or not in the documented form. */
export type PriceReader = (entry: Readonly<Record<string, unknown>>) => Price | null;

/**
 * The readers by host. Units differ behind the same names, so a host without a documented form has none.
 * OpenRouter: https://openrouter.ai/docs/api-reference/list-available-models
 */
const READERS: Readonly<Record<string, PriceReader>> = {
  'openrouter.ai': (entry) => readPrice(entry, { names: OPENROUTER_NAMES, toPerMTok: perToken }),
  'llm.chutes.ai': (entry) => readPrice(entry, { names: OPENROUTER_NAMES, toPerMTok: toUsd }),
  'ai-gateway.vercel.sh': (entry) => readPrice(entry, { names: VERCEL_NAMES, toPerMTok: perToken }),
};

/** The reader for the list of models of a host, without its port; undefined: it tells no prices in a known form. */
export function priceReaderOf(host: string): PriceReader | undefined {
  return Object.hasOwn(READERS, host) ? READERS[host] : undefined;
}

type Amounts = Readonly<Record<string, unknown>>;

interface PriceForm {
  /** The names of the members, by our own. */
  readonly names: Readonly<Record<keyof TokenRates, string>>;
  /** Turns a value into USD per million tokens; null: unknown. */
  readonly toPerMTok: (value: unknown) => number | null;
}

const OPENROUTER_NAMES = {
  inputPerMTok: 'prompt',
  outputPerMTok: 'completion',
  cachedInputPerMTok: 'input_cache_read',
  cacheWritePerMTok: 'input_cache_write',
} as const;
const VERCEL_NAMES = { ...OPENROUTER_NAMES, inputPerMTok: 'input', outputPerMTok: 'output' } as const;

function readPrice({ pricing }: Amounts, form: PriceForm): Price | null {
  if (!isRecord(pricing)) return null;
  const rates = readRates(pricing, form);
  // -1: the price depends on where the request is routed to.
  if (isDynamic(pricing[form.names.inputPerMTok]) || isDynamic(pricing[form.names.outputPerMTok]))
    return null;
  const perRequest = toUsd(pricing['request']);
  const price: Price = {
    ...UNKNOWN_PRICE,
    ...rates,
    // A request costs nothing at most models; that is no price yet.
    perRequest: perRequest === 0 ? null : perRequest,
    above: readAbove(pricing['overrides'], rates, form),
  };
  return isKnownPrice(price) ? price : null;
}

function readRates(pricing: Amounts, { names, toPerMTok }: PriceForm): TokenRates {
  return {
    inputPerMTok: toPerMTok(pricing[names.inputPerMTok]),
    outputPerMTok: toPerMTok(pricing[names.outputPerMTok]),
    cachedInputPerMTok: toPerMTok(pricing[names.cachedInputPerMTok]),
    cacheWritePerMTok: toPerMTok(pricing[names.cacheWritePerMTok]),
  };
}

/** The first of OpenRouter's prices for long prompts. Prices by the time of day are left out: a price here has no times. */
function readAbove(overrides: unknown, base: TokenRates, form: PriceForm): PriceAbove | null {
  if (!Array.isArray(overrides)) return null;
  const long = overrides.filter(isRecord).filter((one) => !('utc_start' in one) && !('utc_end' in one));
  for (const override of long) {
    const from = override['min_prompt_tokens'];
    if (typeof from !== 'number' || !Number.isInteger(from) || from < 2) continue;
    const rates = readRates(override, form);
    const inputPerMTok = rates.inputPerMTok ?? base.inputPerMTok;
    return {
      // It holds from this length on, ours for longer prompts.
      inputTokens: from - 1,
      inputPerMTok,
      outputPerMTok: rates.outputPerMTok ?? base.outputPerMTok,
      cachedInputPerMTok: rates.cachedInputPerMTok ?? base.cachedInputPerMTok,
      cacheWritePerMTok: rates.cacheWritePerMTok ?? base.cacheWritePerMTok,
    };
  }
  return null;
}

const NUMERIC = /^\d{1,7}(\.\d{1,30})?(e-?\d{1,2})?$/i;

/** A number, or its text as in `"0.0000025"`; NaN: neither. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMERIC.test(value) ? Number(value) : Number.NaN;
}

function toUsd(value: unknown): number | null {
  return roundPriceAmount(toNumber(value));
}

function perToken(value: unknown): number | null {
  return roundPriceAmount(toNumber(value) * 1_000_000);
}

function isDynamic(value: unknown): boolean {
  return (typeof value === 'number' || typeof value === 'string') && Number(value) < 0;
}
