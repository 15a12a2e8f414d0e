/** One answer of a comparison, with its figures while it arrives and afterwards. */
import { milliseconds, number, requestCost } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { priceText } from '../../lib/prices.js';
import { costOf, estimateTokens } from '../request/figures.js';

/** @typedef {import('../types.js').Message} Message */

const TICK_MS = 250;

/**
 * @param {Message} message changed while the answer arrives
 * @param {{
 *   model: import('../types.js').Model, ended: Promise<void>,
 *   view: ReturnType<typeof import('../conversation/answer.js').createAnswer>, onContinue: () => void,
 * }} options
 */
export function createContender(message, { model, ended, view, onContinue }) {
  const startMs = performance.now();
  let isOver = false;
  const figures = h('dl', { class: 'quad' });
  const proceed = h(
    'button',
    { type: 'button', class: 'btn', disabled: true, onclick: onContinue },
    'Continue with this',
  );
  const badge = h(
    'span',
    { class: 'badge' },
    h('span', { class: 'spin', 'aria-hidden': 'true' }),
    'answering',
  );
  view.element.prepend(h('div', { class: 'contender-head' }, view.head, badge));
  const element = h('div', { class: 'card contender' }, view.element, h('footer', null, figures, proceed));

  function render() {
    const { firstTokenMs, durationMs } = message;
    figures.replaceChildren(
      ...row('First token', milliseconds(firstTokenMs)),
      ...row(isOver ? 'Total' : 'So far', milliseconds(isOver ? durationMs : performance.now() - startMs)),
      ...row('Out', tokenText(message)),
      ...row('≈ Cost', costText(message, model.price, isOver)),
    );
  }

  const timer = setInterval(render, TICK_MS);
  void ended.then(() => {
    clearInterval(timer);
    isOver = true;
    badge.remove();
    proceed.disabled = message.text === '';
    render();
  });
  render();
  return element;
}

/** @param {Message} message */
const tokensOf = ({ usage, text, reasoning }) => usage?.completionTokens ?? estimateTokens(text + reasoning);

/**
 * `261 tok`; an estimate has a ≈ before it, and a dash says that there is nothing to count.
 * @param {Message} message
 */
function tokenText(message) {
  const isCounted = typeof message.usage?.completionTokens === 'number';
  const tokens = tokensOf(message);
  if (!isCounted && tokens === 0) return '–';
  return `${isCounted ? '' : '≈ '}${number(tokens)}\u202ftok`;
}

/**
 * `$0.0041`, `free` or `no price`; a dash where the model has a price but nothing was counted. While the answer arrives, the
 * cost is an estimate.
 * @param {Message} message
 * @param {import('../types.js').Price | null} price
 * @param {boolean} isOver
 */
function costText(message, price, isOver) {
  const { costUsd, usage } = message;
  const rates = priceText(price);
  if (rates === 'free' && !costUsd) return 'free';
  const tokens = tokensOf(message);
  const isGuessed = !isOver && tokens > 0;
  const guess = { promptTokens: usage?.promptTokens ?? 0, completionTokens: tokens };
  const cost = costUsd ?? (isGuessed ? costOf(price, guess) : null);
  return cost === null && rates === null ? 'no price' : requestCost(cost);
}

/**
 * @param {string} name
 * @param {string} value
 */
function row(name, value) {
  return [h('div', null, h('dt', null, name), h('dd', null, value))];
}
