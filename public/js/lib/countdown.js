import { duration } from './format.js';
import { h } from './h.js';
import { restSeconds } from './health.js';
import { serverNow } from './server-clock.js';

let timer = 0;

/**
 * The time until a rest is over, such as ` 42 s`, counting down. When it is over, the text is empty, and `rest-over` is
 * dispatched on the window.
 * @param {string} restingUntil
 * @param {string} [before] said before the time
 */
export function countdown(restingUntil, before = ' ') {
  if (timer === 0) timer = setInterval(tick, 1000);
  const data = { 'data-resting-until': restingUntil, 'data-before': before };
  return h('span', { class: 'countdown', ...data }, textOf(restingUntil, before));
}

/**
 * @param {string | undefined} restingUntil
 * @param {string | undefined} before
 */
function textOf(restingUntil, before) {
  const seconds = restSeconds(restingUntil, serverNow());
  return seconds === 0 ? '' : `${before}${duration(seconds)}`;
}

function tick() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll('[data-resting-until]');
  let isAnyOver = false;
  for (const element of all) {
    const next = textOf(element.dataset.restingUntil, element.dataset.before);
    isAnyOver ||= next === '' && element.textContent !== '';
    if (element.textContent !== next) element.textContent = next;
  }
  if (isAnyOver) dispatchEvent(new Event('rest-over'));
  if (all.length > 0) return;
  clearInterval(timer);
  timer = 0;
}
