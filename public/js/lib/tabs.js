import { h } from './h.js';
import { icon } from './icons.js';

let count = 0;

/**
 * @typedef {{
 *   label: string, tabs: readonly { id: string, label: string, icon?: import('./icons.js').IconName }[], selected: string,
 *   panel: HTMLElement, onSelect: (id: string) => void,
 * }} TabsOptions
 */

/**
 * A row of tabs with one panel (WAI-ARIA tabs pattern). The Tab key stops once; the arrow keys, Home and End change the tab.
 * @param {TabsOptions} options
 */
export function createTabs(options) {
  const { element, buttons, markSelected, select } = createTabList(options, (tab) => [
    tab.icon ? icon(tab.icon) : null,
    tab.label,
  ]);
  element.className = 'tabs';
  element.append(...buttons);
  select(options.selected);
  return { element, markSelected };
}

/**
 * The buttons of tabs and how the keys move among them; the caller puts them into the element.
 * @param {TabsOptions} options
 * @param {(tab: TabsOptions['tabs'][number]) => import('./h.js').Child} content of a button
 */
export function createTabList(options, content) {
  const prefix = `tabs-${++count}`;
  const buttons = options.tabs.map((tab) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `${prefix}-${tab.id}`,
        'aria-controls': `${prefix}-panel`,
        onclick: () => select(tab.id),
      },
      content(tab),
    ),
  );
  options.panel.id = `${prefix}-panel`;
  options.panel.setAttribute('role', 'tabpanel');
  const element = h('div', { role: 'tablist', 'aria-label': options.label, onkeydown: onKey });

  /** @param {string} id */
  function select(id) {
    markSelected(id);
    options.onSelect(id);
  }

  /** Shows a tab as selected, without calling `onSelect`. @param {string} id */
  function markSelected(id) {
    options.tabs.forEach((tab, index) => {
      const isSelected = tab.id === id;
      const button = buttons[index];
      button.setAttribute('aria-selected', String(isSelected));
      button.tabIndex = isSelected ? 0 : -1;
      if (isSelected) {
        options.panel.setAttribute('aria-labelledby', button.id);
        button.scrollIntoView({ block: 'nearest', inline: 'center' });
      }
    });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const now = /** @type {(Element | null)[]} */ (buttons).indexOf(document.activeElement);
    const last = buttons.length - 1;
    /** @type {Record<string, number>} */
    const next = {
      ArrowRight: now === last ? 0 : now + 1,
      ArrowDown: now === last ? 0 : now + 1,
      ArrowLeft: now === 0 ? last : now - 1,
      ArrowUp: now === 0 ? last : now - 1,
      Home: 0,
      End: last,
    };
    const index = next[event.key];
    if (now < 0 || index === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    select(options.tabs[index].id);
    buttons[index].focus();
  }

  return { element, buttons, markSelected, select };
}
