import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/** How often screen readers hear how many are new. */
const SPOKEN_MS = 5000;

/**
 * The button that says whether new requests appear, and how many wait. It is the only place where they are announced.
 * @param {{ onPress: () => void, signal: AbortSignal }} options
 */
export function createLiveButton({ onPress, signal }) {
  const button = h('button', { type: 'button', class: 'btn live-button', hidden: true, onclick: onPress });
  const spoken = h('span', { class: 'sr', role: 'status' });
  let count = 0;
  let said = 0;
  const timer = setInterval(() => {
    if (count === said) return;
    said = count;
    spoken.textContent = count === 0 ? '' : `${newText(count)} requests`;
  }, SPOKEN_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  return {
    elements: [button, spoken],
    /** @param {{ state: import('./request-live.js').LiveState, isPaused: boolean, waiting: number }} shown */
    show({ state, isPaused, waiting }) {
      count = waiting;
      button.hidden = state === 'off';
      button.setAttribute('aria-pressed', String(isPaused));
      const badge = waiting > 0 && h('span', { class: 'badge accent' }, newText(waiting));
      if (state === 'connecting') {
        button.title = 'The server is asked for new requests.';
        button.replaceChildren(h('span', { class: 'spin', 'aria-hidden': 'true' }), 'Connecting …');
      } else if (isPaused) {
        button.title = 'The list stands still while you read. Press to see what is new.';
        button.replaceChildren(icon('pause'), 'Paused', ...(badge ? [badge] : []));
      } else {
        button.title = 'New requests appear as they end. Press to pause.';
        button.replaceChildren(h('span', { class: 'dot ok live', 'aria-hidden': 'true' }), 'Live');
      }
    },
  };
}

/** @param {number} count */
function newText(count) {
  return `${number(count)} new`;
}
