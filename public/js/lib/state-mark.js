import { countdown } from './countdown.js';
import { relativeTime } from './format.js';
import { h } from './h.js';

/** @typedef {import('./types.js').LastError} LastError */

/**
 * A state as a dot and a word. A rest counts down.
 * @param {import('./health.js').Condition} condition
 */
export function stateMark({ kind, word, restingUntil }) {
  return h(
    'span',
    { class: 'state' },
    h('span', { class: `dot ${kind}`, 'aria-hidden': 'true' }),
    h('span', null, word, restingUntil ? countdown(restingUntil) : null),
  );
}

/**
 * The cell with the state of a record: the word is a button that opens the details, with the evidence below.
 * @param {{ id: string, name: string, condition: import('./health.js').Condition, evidence: import('./h.js').Child, onclick: () => unknown }} options
 */
export function stateCell({ id, name, condition, evidence, onclick }) {
  return h(
    'div',
    { class: 'state-of' },
    h(
      'button',
      {
        type: 'button',
        // With an id, the focus comes back to the button even if the row was rendered again.
        id: `state:${id}`,
        class: 'state-button',
        'aria-haspopup': 'dialog',
        'data-act': `state:${id}`,
        onclick: () => void onclick(),
      },
      h('span', { class: 'sr' }, `State of ${name}: `),
      stateMark(condition),
    ),
    evidence && h('div', { class: 'evidence muted small' }, evidence),
  );
}

/**
 * The status of an error, else its code: `429`, `upstream_timeout`.
 * @param {LastError} error
 */
function errorName({ status, code }) {
  return String(status ?? code ?? 'Error');
}

/**
 * An error in one line: `429 · Rate limit reached`.
 * @param {LastError} error
 */
export function errorLine(error) {
  return error.message ? `${errorName(error)} · ${error.message}` : errorName(error);
}

/**
 * An error with its age, and the provider's own words.
 * @param {LastError} error
 */
export function errorDetails(error) {
  const { status, code, message, at } = error;
  const name = [status, code].filter((part) => part !== null && part !== '').join(' ');
  return [
    h('div', null, [name, relativeTime(at)].filter(Boolean).join(', ')),
    message ? h('q', { class: 'quote wrap-anywhere' }, message) : null,
  ];
}
