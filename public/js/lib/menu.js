import { h } from './h.js';
import { icon } from './icons.js';
import { openPopup } from './popup.js';

/**
 * @typedef {{
 *   label: string, icon?: import('./icons.js').IconName, detail?: string, isDangerous?: boolean, startsGroup?: boolean,
 *   onSelect: () => unknown,
 * }} MenuItem startsGroup: a line stands before it
 */

/**
 * Opens a menu at a button (WAI-ARIA menu pattern): arrow keys, Home, End and the first letter move, Enter chooses.
 * @param {HTMLElement} anchor
 * @param {readonly MenuItem[]} items
 * @param {{ label: string, align?: 'start' | 'end' }} options
 */
export function openMenu(anchor, items, { label, align = 'end' }) {
  const rows = items.map((item) =>
    h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: -1,
        class: `item ${item.isDangerous ? 'danger' : ''}`,
        onclick: () => {
          popup.close();
          void item.onSelect();
        },
      },
      item.icon && icon(item.icon),
      item.label,
      item.detail && h('span', { class: 'push muted small' }, item.detail),
    ),
  );
  const content = items.flatMap((item, index) =>
    item.startsGroup && index > 0 ? [h('hr', { role: 'separator' }), rows[index]] : [rows[index]],
  );
  const popup = openPopup(anchor, content, { label, role: 'menu', align });
  rows[0]?.focus({ preventScroll: true });
  popup.element.addEventListener('keydown', (event) => {
    const now = /** @type {(Element | null)[]} */ (rows).indexOf(document.activeElement);
    const next = nextIndex(event.key, now, items);
    if (event.key === 'Tab') popup.close();
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    rows[next]?.focus();
  });
}

/**
 * The “⋯” button of a row with its menu.
 * @param {{ label: string, items: () => readonly MenuItem[], class?: string, icon?: import('./icons.js').IconName }} options
 *   label: `More for GPT-4`
 */
export function menuButton(options) {
  const button = h(
    'button',
    {
      type: 'button',
      class: options.class ?? 'btn quiet small square',
      'aria-haspopup': 'menu',
      'aria-expanded': false,
      'aria-label': options.label,
      title: options.label,
    },
    icon(options.icon ?? 'more'),
  );
  button.addEventListener('click', () => openMenu(button, options.items(), { label: options.label }));
  return button;
}

/**
 * @param {string} key
 * @param {number} now
 * @param {readonly MenuItem[]} items
 * @returns {number | null}
 */
function nextIndex(key, now, items) {
  const last = items.length - 1;
  if (key === 'ArrowDown') return now === last ? 0 : now + 1;
  if (key === 'ArrowUp') return now <= 0 ? last : now - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key.length !== 1 || key === ' ') return null;
  const order = [...items.keys()].map((index) => (now + 1 + index) % items.length);
  return order.find((index) => items[index].label.toLowerCase().startsWith(key.toLowerCase())) ?? null;
}
