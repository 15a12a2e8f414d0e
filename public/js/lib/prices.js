/** Prices in words. All amounts are dollars; null is not known, 0 is free. */
import { day } from './format.js';
import { h } from './h.js';

/** @typedef {import('./types.js').Price} Price */
/** @typedef {import('./types.js').EffectivePrice} EffectivePrice */

/** Above this many dollars per million tokens a price is hardly meant. */
const MOST_PER_MTOK = 200;
/** The members of a price that are amounts. */
export const AMOUNTS = /** @type {const} */ ([
  'inputPerMTok',
  'outputPerMTok',
  'cachedInputPerMTok',
  'cacheWritePerMTok',
  'perAudioMinute',
  'perImage',
  'perRequest',
]);

/** @type {Price} */
export const NO_PRICE = Object.freeze({
  inputPerMTok: null,
  outputPerMTok: null,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: null,
  perImage: null,
  perRequest: null,
  above: null,
});

/**
 * A rate: `$2`, `$2.50`, `$0.075`.
 * @param {number} usd
 */
function rateText(usd) {
  if (Number.isInteger(usd)) return `$${new Intl.NumberFormat('en').format(usd)}`;
  const exact = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 9 });
  return `$${exact.format(Number(usd.toPrecision(6)))}`;
}

/**
 * A price in a few words: `$2 / $10` for a million tokens in and out, `$0.006 / min`, `free`; null: no price.
 * @param {Price | null | undefined} price
 * @returns {string | null}
 */
export function priceText(price) {
  if (!price) return null;
  const known = AMOUNTS.map((name) => price[name]).filter((amount) => amount !== null);
  if (known.length === 0) return null;
  if (known.every((amount) => amount === 0)) return 'free';
  const { inputPerMTok: input, outputPerMTok: output, perAudioMinute, perImage, perRequest } = price;
  const parts = [
    input !== null && output !== null
      ? `${rateText(input)} / ${rateText(output)}`
      : input !== null
        ? rateText(input)
        : output !== null && `– / ${rateText(output)}`,
    perAudioMinute !== null && `${rateText(perAudioMinute)} a minute`,
    perImage !== null && `${rateText(perImage)} a picture`,
    perRequest !== null && `${rateText(perRequest)} a request`,
  ];
  return parts.filter(Boolean).join(' + ');
}

/**
 * Where a price comes from: `own`, `provider, 12 Nov`, `list, 12 Nov`.
 * @param {EffectivePrice} price
 */
export function sourceText({ source, asOf }) {
  if (source === null) return '';
  return asOf === null ? source : `${source}, ${day(asOf)}`;
}

/**
 * A price with its source, for a cell.
 * @param {EffectivePrice | null | undefined} price
 */
export function priceCell(price) {
  const text = priceText(price);
  if (!price || text === null) return h('span', { class: 'badge warn' }, 'no price');
  return h(
    'span',
    { class: 'two' },
    h('span', { class: 'truncate', title: text }, text),
    h('span', { class: 'tiny' }, sourceText(price)),
  );
}

/**
 * What 1,000 tokens in and 500 out cost; null where the price does not say.
 * @param {Price} price
 */
export function exampleCost({ inputPerMTok, outputPerMTok, perRequest }) {
  if (inputPerMTok === null || outputPerMTok === null) return null;
  return (inputPerMTok * 1000 + outputPerMTok * 500) / 1e6 + (perRequest ?? 0);
}

/**
 * What looks like a mistake in a price, as sentences.
 * @param {Price} price
 * @returns {string[]}
 */
export function priceWarnings(price) {
  const { inputPerMTok: input, outputPerMTok: output, cachedInputPerMTok: cached } = price;
  const sentences = [];
  if ([input, output, cached, price.cacheWritePerMTok].some((rate) => rate !== null && rate > MOST_PER_MTOK))
    sentences.push(`More than $${MOST_PER_MTOK} for a million tokens: is that right?`);
  if (input !== null && output !== null && output < input && output > 0)
    sentences.push('Output costs less than input: are they swapped?');
  if (input !== null && cached !== null && cached > input)
    sentences.push('Cached input costs more than input: is that right?');
  return sentences;
}

/**
 * True for a model whose use cannot be priced. A pattern has the prices of the names that it stands for.
 * @param {import('./types.js').Model} model
 */
export function isUnpriced({ id, effectivePrice }) {
  return !id.includes('*') && effectivePrice?.source === null;
}
