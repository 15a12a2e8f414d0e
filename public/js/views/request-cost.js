import { money, number, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { costText, isUnpriced } from './request-cells.js';

/** @import { LoggedRequest, TokenPrices, UsedPrice } from './traffic-types.js' */

const SOURCES = {
  own: 'Your own price',
  provider: 'The provider’s price, taken over with its models',
  list: 'The price of the shipped list',
};

/**
 * What a request used and what it cost, by kinds of tokens.
 * @param {LoggedRequest} request
 */
export function costSection(request) {
  const rows = tokenRows(request);
  if (rows.length === 0 && request.costUsd === null)
    return h(
      'section',
      { class: 'section' },
      h('h3', null, 'Tokens and cost'),
      h('p', { class: 'small muted' }, 'Nothing was used.'),
    );
  const total = (request.promptTokens ?? 0) + (request.completionTokens ?? 0);
  return h(
    'section',
    { class: 'section' },
    h('h3', null, 'Tokens and cost'),
    h(
      'table',
      { class: 'cost-table' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          ...['Kind', 'Tokens', '$ per 1M', '≈ Cost'].map((text, index) =>
            h('th', { scope: 'col' }, index === 0 ? h('span', { class: 'sr' }, text) : text),
          ),
        ),
      ),
      h('tbody', null, ...rows.map(row), ...otherRows(request)),
      h(
        'tfoot',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'row' }, 'Total'),
          h('td', null, total > 0 ? number(total) : ''),
          h('td'),
          h('td', null, costText(request)),
        ),
      ),
    ),
    h('p', { class: 'tiny muted gap-top' }, sourceText(request)),
  );
}

/** @typedef {{ name: string, tokens: number, price: number | null, isPart?: boolean }} TokenRow */

/**
 * @param {LoggedRequest} request
 * @returns {TokenRow[]}
 */
function tokenRows(request) {
  const { promptTokens, completionTokens, reasoningTokens, price } = request;
  const cached = request.cachedTokens ?? 0;
  const written = request.cacheWriteTokens ?? 0;
  const prices = pricesFor(price, promptTokens ?? 0);
  const input = prices?.inputPerMTok ?? null;
  /** @type {TokenRow[]} */
  const rows = [];
  if (promptTokens !== null)
    rows.push({ name: 'Input', tokens: Math.max(0, promptTokens - cached - written), price: input });
  if (cached > 0)
    rows.push({ name: 'Input from cache', tokens: cached, price: prices?.cachedInputPerMTok ?? input });
  if (written > 0)
    rows.push({
      name: 'Input written to the cache',
      tokens: written,
      price: prices?.cacheWritePerMTok ?? input,
    });
  if (completionTokens !== null)
    rows.push({ name: 'Output', tokens: completionTokens, price: prices?.outputPerMTok ?? null });
  if (reasoningTokens)
    rows.push({ name: 'of it reasoning', tokens: reasoningTokens, price: null, isPart: true });
  return rows;
}

/**
 * The prices that held: those above a length are for the whole request.
 * @param {UsedPrice | null} price
 * @param {number} promptTokens
 * @returns {TokenPrices | null}
 */
function pricesFor(price, promptTokens) {
  if (price === null || price.above === null || promptTokens <= price.above.inputTokens) return price;
  const { above } = price;
  return {
    inputPerMTok: above.inputPerMTok ?? price.inputPerMTok,
    outputPerMTok: above.outputPerMTok ?? price.outputPerMTok,
    cachedInputPerMTok: above.cachedInputPerMTok ?? above.inputPerMTok,
    cacheWritePerMTok: above.cacheWritePerMTok ?? above.inputPerMTok,
  };
}

/** @param {TokenRow} tokens */
function row({ name, tokens, price, isPart }) {
  const isPriced = price !== null && !isPart;
  return h(
    'tr',
    { class: isPart ? 'sub' : null },
    h('td', null, name),
    h('td', { class: isPart ? 'muted' : null }, number(tokens)),
    h('td', null, isPriced ? price.toFixed(price > 0 && price < 0.1 ? 3 : 2) : ''),
    h(
      'td',
      null,
      isPriced && price > 0
        ? requestCost((tokens * price) / 1e6)
        : isPriced
          ? h('span', { class: 'muted' }, 'free')
          : '',
    ),
  );
}

/** What is counted but no tokens. @param {LoggedRequest} request */
function otherRows({ audioSeconds, images, price }) {
  const line = (
    /** @type {string} */ name,
    /** @type {string} */ count,
    /** @type {number | null | undefined} */ usd,
    /** @type {string} */ per,
  ) =>
    h(
      'tr',
      null,
      h('td', null, name),
      h('td', null, count),
      h('td', null, usd ? `${money(usd)} ${per}` : ''),
      h('td'),
    );
  return [
    ...(audioSeconds === null
      ? []
      : [line('Audio', `${number(Math.round(audioSeconds))}\u202fs`, price?.perAudioMinute, 'per min')]),
    ...(images === null ? [] : [line('Images', number(images), price?.perImage, 'each')]),
    ...(price?.perRequest ? [line('Per request', '1', price.perRequest, 'each')] : []),
  ];
}

/** @param {LoggedRequest} request */
function sourceText(request) {
  const { price, costUsd, estimated } = request;
  const note = estimated ? ' The tokens are estimated, because the provider did not count them.' : '';
  if (isUnpriced(request)) return `There was no price for this model, so the cost is not known.${note}`;
  if (costUsd === null) return note.trim();
  if (price === null) return `The provider told what it cost.${note}`;
  return `${SOURCES[price.source] ?? 'A price'}, as it was then. Later price changes do not alter it.${note}`;
}
