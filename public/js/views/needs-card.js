import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { patchChildren } from '../lib/patch.js';
import { hashOf } from '../lib/url-state.js';
import { afterSetup } from './needs.js';

const ICONS = /** @type {const} */ ({ bad: 'alert', warn: 'warning', info: 'info' });
/** Shown before somebody asks for all. */
const FIRST = 4;

/**
 * The card with what needs the owner, each with its one action.
 * @param {{ navigate: import('../pages/admin.js').Navigate }} context
 */
export function createNeedsCard({ navigate }) {
  let isWhole = false;
  /** @type {readonly import('./needs.js').Need[]} */
  let needs = [];
  const more = h('button', { type: 'button', class: 'link-btn small push', onclick: toggle });
  const list = h('ul', { class: 'lines attention', 'aria-labelledby': 'needs' });
  const none = h('p', { class: 'card-body muted row' }, icon('ok'), 'Nothing needs you now.');
  none.firstElementChild?.classList.add('ok');
  const title = h('h2', { id: 'needs' }, 'Needs you');
  const element = h(
    'section',
    { class: 'card w4 first-narrow', 'aria-labelledby': 'needs' },
    h('div', { class: 'card-head' }, title, more),
    list,
    none,
  );

  function toggle() {
    isWhole = !isWhole;
    render();
  }

  function render() {
    const shown = isWhole ? needs : needs.slice(0, FIRST);
    more.hidden = needs.length <= FIRST;
    more.textContent = isWhole ? 'Show fewer' : `All ${needs.length}`;
    more.setAttribute('aria-expanded', String(isWhole));
    list.hidden = needs.length === 0;
    none.hidden = needs.length > 0;
    patchChildren(
      list,
      shown.map((need) => line(need, navigate)),
    );
  }

  return {
    element,
    /**
     * @param {readonly import('./needs.js').Need[]} next
     * @param {{ isSettingUp: boolean }} when the setup comes first: what can wait is said calmly, and nothing is not said
     */
    update(next, { isSettingUp }) {
      needs = isSettingUp ? afterSetup(next) : next;
      const canWait = isSettingUp && needs.every(({ kind }) => kind === 'info');
      title.textContent = canWait ? 'For later' : 'Needs you';
      element.hidden = isSettingUp && needs.length === 0;
      render();
    },
  };
}

/**
 * @param {import('./needs.js').Need} need
 * @param {import('../pages/admin.js').Navigate} navigate
 */
function line({ id, kind, title, text, action }, navigate) {
  return h(
    'li',
    { 'data-act': id },
    h('span', { class: kind }, icon(ICONS[kind])),
    h(
      'div',
      { class: 'grow' },
      h('p', { class: 'medium wrap-anywhere' }, title),
      text && h('p', { class: 'small muted wrap-anywhere' }, text),
    ),
    placeLink(action.label, { tab: action.tab, intent: action.intent, params: action.params }, navigate),
  );
}

/**
 * A link to a place in the panel.
 * @param {string} label
 * @param {{ tab: string, intent?: string, params?: Record<string, string> }} place
 * @param {import('../pages/admin.js').Navigate} navigate
 */
export function placeLink(label, { tab, intent, params }, navigate) {
  const href = hashOf(tab, params);
  const onclick = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    navigate(tab, intent, params);
  };
  return h('a', { class: 'small nowrap', href, onclick, 'data-act': `${href} ${intent ?? ''}` }, label);
}
