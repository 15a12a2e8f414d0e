import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/**
 * @typedef {{
 *   kind: string, text: string, action: { label: string, run: () => void } | null, content: (() => HTMLElement) | null,
 * }} StepView kind: `done`, `current`, `skipped` or `todo`; content: makes what is shown below; null: nothing
 */

/** @type {Record<string, string>} */
const SAID = { done: 'Done', skipped: 'Skipped' };

/**
 * One step of a list of steps: a mark, a title, a line of text, one action, and content where the step is open.
 * @param {string} title
 * @param {number} place from 1
 */
export function createStepFrame(title, place) {
  let shown = '';
  let run = () => {};
  const mark = h('span', { class: 'mark' });
  const heading = h('h3', { tabindex: -1 }, title);
  const text = h('p', { class: 'small muted wrap-anywhere' });
  const action = h('button', { type: 'button', class: 'btn quiet small', onclick: () => run() });
  const body = h('div', { class: 'stack' });
  const element = h(
    'li',
    null,
    mark,
    h(
      'div',
      { class: 'stack' },
      h('div', { class: 'row between top' }, h('div', { class: 'grow' }, heading, text), action),
      body,
    ),
  );
  return {
    element,
    /** Changes only what differs, so that fields keep what was typed. @param {StepView} view */
    show(view) {
      run = view.action?.run ?? (() => {});
      action.hidden = view.action === null;
      if (view.content === null) body.replaceChildren();
      else if (!body.hasChildNodes()) body.append(view.content());
      body.hidden = view.content === null;
      const now = JSON.stringify([view.kind, view.text, view.action?.label]);
      if (now === shown) return;
      shown = now;
      element.className = view.kind;
      if (view.kind === 'current') element.setAttribute('aria-current', 'step');
      else element.removeAttribute('aria-current');
      const said = SAID[view.kind];
      const symbol = view.kind === 'done' ? icon('check') : h('span', { 'aria-hidden': 'true' }, place);
      mark.replaceChildren(symbol, ...(said ? [h('span', { class: 'sr' }, said)] : []));
      text.textContent = view.text;
      action.textContent = view.action?.label ?? '';
      action.setAttribute('aria-label', `${view.action?.label ?? ''}: ${title}`);
    },
    /** Moves the focus to the first field, else to the title. */
    focus() {
      const field = body.querySelector('input:not([hidden]), select, textarea');
      if (
        field instanceof HTMLElement &&
        !field.matches('[type="checkbox"], [type="radio"], [type="search"]')
      )
        field.focus();
      else heading.focus();
    },
  };
}

/**
 * The buttons below an open step.
 * @param {HTMLElement} main
 * @param {() => void} skip
 */
export function stepButtons(main, skip) {
  return h(
    'div',
    { class: 'row wrap' },
    main,
    h('button', { type: 'button', class: 'btn quiet large', onclick: skip }, 'Skip'),
  );
}
