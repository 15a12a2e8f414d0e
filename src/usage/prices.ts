import { BoundedMap } from '../bounded-map.ts';
import { parseBaseUrl } from '../providers/base-url.ts';
import type { Price, Provider } from '../store/entities.ts';
import { isKnownPrice, UNKNOWN_PRICE } from '../store/price-amounts.ts';
import type { PriceSource, PriceUsed } from './call-entry.ts';
import { toNanoUsd } from './money.ts';
import { PRICE_LIST_AS_OF, pricesOfHost } from './price-list.ts';
import type { Usage } from './usage.ts';

/** A target, as far as its price depends on it. */
export interface TargetToPrice {
  /** The owner's own price of this target. */
  readonly own: Price | null;
  /** The owner's own price of the model, for targets that have no other price; absent: there is none. */
  readonly modelPrice?: Price | null;
  readonly provider: Pick<Provider, 'baseUrl' | 'prices'>;
  /** The model's name at the provider. */
  readonly upstreamModel: string;
}

/** A target's price with its origin, as the API shows it. An unknown price has the source null. */
export interface EffectivePrice extends Price {
  readonly source: PriceSource | null;
  /** The date of the price, ISO 8601; null: it is the owner's own, or unknown. */
  readonly asOf: string | null;
}

/**
 * The price of a target: its own, else the one taken over from the provider, else the one of the shipped list for exactly this
 * host and model, else the model's own; null: unknown.
 */
export function priceOf({
  own,
  modelPrice = null,
  provider,
  upstreamModel,
}: TargetToPrice): PriceUsed | null {
  if (own !== null && isKnownPrice(own)) return { price: own, source: 'own' };
  const { prices } = provider;
  const told = Object.hasOwn(prices, upstreamModel) ? prices[upstreamModel] : undefined;
  if (told !== undefined && isKnownPrice(told.price)) return { price: told.price, source: 'provider' };
  const listed = listOf(provider.baseUrl)?.get(upstreamModel);
  if (listed !== undefined) return { price: listed.price, source: 'list' };
  if (modelPrice !== null && isKnownPrice(modelPrice)) return { price: modelPrice, source: 'own' };
  return null;
}

/** The price of a target with its origin and date. */
export function effectivePriceOf(target: TargetToPrice): EffectivePrice {
  const used = priceOf(target);
  if (used === null) return { ...UNKNOWN_PRICE, source: null, asOf: null };
  return { ...used.price, source: used.source, asOf: dateOf(used.source, target) };
}

function dateOf(source: PriceSource, { provider, upstreamModel }: TargetToPrice): string | null {
  if (source === 'list') return PRICE_LIST_AS_OF;
  return source === 'provider' ? (provider.prices[upstreamModel]?.asOf ?? null) : null;
}

type HostPrices = ReturnType<typeof pricesOfHost>;

/** Parsing a URL costs more than pricing a call. */
const LISTS = new BoundedMap<HostPrices>(1_024);

/** The shipped prices for a base URL; undefined: its host is not in the list. */
function listOf(baseUrl: string): HostPrices {
  if (LISTS.has(baseUrl)) return LISTS.get(baseUrl);
  const host = parseBaseUrl(baseUrl)?.host;
  const prices = host === undefined ? undefined : pricesOfHost(host);
  LISTS.set(baseUrl, prices);
  return prices;
}

/**
 * What a call cost, in nano-dollars: what the provider reported, else its usage at the price. null: nothing of it is priced.
 * `usage` null: a failed call, which costs nothing and is not priced.
 */
export function costOfCall(used: PriceUsed | null, usage: Usage | null): number | null {
  if (usage === null) return null;
  return usage.costNanoUsd ?? (used === null ? null : costOf(used.price, usage));
}

/**
 * What a usage costs at a price, in nano-dollars, rounded once at the end, halves up. By tokens where they are known and priced,
 * else by minutes of audio, else by pictures, plus the price of a request. null: the price covers none of them.
 */
export function costOf(price: Price, usage: Usage): number | null {
  const used = costOfTokens(price, usage) ?? costOfAudio(price, usage) ?? costOfImages(price, usage);
  if (price.perRequest === null) return used === null ? null : toSafeNumber(used);
  return toSafeNumber((used ?? 0n) + BigInt(toNanoUsd(price.perRequest)));
}

/** The rates that hold for one call, in USD per million tokens. */
interface CallRates {
  readonly input: number | null;
  readonly output: number | null;
  readonly cached: number | null;
  readonly cacheWrite: number | null;
}

const TOKENS_PER_PRICE = 1_000_000n;

function costOfTokens(price: Price, usage: Usage): bigint | null {
  const { promptTokens, completionTokens } = usage;
  if (promptTokens === null && completionTokens === null) return null;
  const { input, output, cached, cacheWrite } = ratesOf(price, promptTokens ?? 0);
  if (input === null && output === null && cached === null && cacheWrite === null) return null;
  const prompt = promptTokens ?? 0;
  // A provider that counts its cached tokens apart would otherwise make a negative rest.
  const cachedPart = Math.min(usage.cachedTokens ?? 0, prompt);
  const writtenPart = Math.min(usage.cacheWriteTokens ?? 0, prompt - cachedPart);
  const amounts = [
    amountOf(prompt - cachedPart - writtenPart, input),
    amountOf(cachedPart, cached),
    amountOf(writtenPart, cacheWrite),
    amountOf(completionTokens ?? 0, output),
  ];
  let sum = 0n;
  for (const amount of amounts) {
    if (amount === null) return null;
    sum += amount;
  }
  return divideHalfUp(sum, TOKENS_PER_PRICE);
}

/** The rates that hold for a prompt of this length. */
function ratesOf(price: Price, promptTokens: number): CallRates {
  const { inputPerMTok: input, above } = price;
  if (above === null || promptTokens <= above.inputTokens) {
    const cached = price.cachedInputPerMTok ?? input;
    return { input, output: price.outputPerMTok, cached, cacheWrite: price.cacheWritePerMTok ?? input };
  }
  const long = above.inputPerMTok ?? input;
  return {
    input: long,
    output: above.outputPerMTok ?? long,
    cached: above.cachedInputPerMTok ?? long,
    cacheWrite: above.cacheWritePerMTok ?? long,
  };
}

/** Tokens times their rate, in nano-dollars per million; null: there are tokens, but no rate. */
function amountOf(tokens: number, rate: number | null): bigint | null {
  if (tokens === 0) return 0n;
  return rate === null ? null : BigInt(Math.round(tokens)) * BigInt(toNanoUsd(rate));
}

const MS_PER_MINUTE = 60_000n;

/** Exact to the millisecond of audio. */
function costOfAudio({ perAudioMinute }: Price, { audioSeconds }: Usage): bigint | null {
  if (perAudioMinute === null || audioSeconds === null) return null;
  const ms = BigInt(Math.round(audioSeconds * 1_000));
  return divideHalfUp(ms * BigInt(toNanoUsd(perAudioMinute)), MS_PER_MINUTE);
}

function costOfImages({ perImage }: Price, { images }: Usage): bigint | null {
  if (perImage === null || images === null) return null;
  return BigInt(Math.round(images)) * BigInt(toNanoUsd(perImage));
}

/** For positive numbers. */
function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** Sums stay exact below 2^53 nano-dollars, nine million USD; no real call costs more. */
function toSafeNumber(nanoUsd: bigint): number {
  return Math.min(Number(nanoUsd), Number.MAX_SAFE_INTEGER);
}
