/** One answer of a comparison, with its figures while it arrives and afterwards. */
import { milliseconds, number, requestCost } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { costOf, estimateTokens } from '../request/figures.js';

const TICK_MS = 250;

/**
 * @param {import('../types.js').Message} message changed while the answer arrives
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
    'Continue with this one',
  );
  const element = h('div', { class: 'card contender' }, view.element, h('footer', null, figures, proceed));

  function render() {
    const { firstTokenMs, durationMs, usage, costUsd, text, reasoning } = message;
    const counted = usage?.completionTokens ?? null;
    const tokens = counted ?? estimateTokens(text + reasoning);
    const mark = counted === null && tokens > 0 ? '≈ ' : '';
    const guess = costOf(model.price, { promptTokens: usage?.promptTokens ?? 0, completionTokens: tokens });
    const cost = costUsd ?? (isOver ? null : guess);
    figures.replaceChildren(
      ...row('First token', milliseconds(firstTokenMs)),
      ...row(isOver ? 'Total' : 'So far', milliseconds(isOver ? durationMs : performance.now() - startMs)),
      ...row('Out', `${mark}${number(tokens)}\u202ftok`),
      ...row('≈ Cost', cost === null ? 'no price' : requestCost(cost)),
    );
  }

  const timer = setInterval(render, TICK_MS);
  void ended.then(() => {
    clearInterval(timer);
    isOver = true;
    proceed.disabled = message.text === '';
    render();
  });
  render();
  return element;
}

/**
 * @param {string} name
 * @param {string} value
 */
function row(name, value) {
  return [h('div', null, h('dt', null, name), h('dd', null, value))];
}
