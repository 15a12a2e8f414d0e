import { h } from './h.js';
import { icon } from './icons.js';
import { inGroups } from './sidebar.js';
import { createTabList } from './tabs.js';

/** @typedef {{ id: string, label: string, icon: import('./icons.js').IconName, startsGroup?: boolean }} Tab */

/**
 * The panel's tabs in the sidebar, in groups.
 * @param {{ tabs: readonly Tab[], selected: string, panel: HTMLElement, onSelect: (id: string) => void }} options
 */
export function createSidebarTabs(options) {
  const { element, buttons, markSelected } = createTabList({ label: 'Panel', ...options }, (tab) => [
    icon(tab.icon ?? 'chevron'),
    h('span', { class: 'word' }, tab.label),
  ]);
  element.className = 'navs';
  element.setAttribute('aria-orientation', 'vertical');
  options.tabs.forEach((tab, index) => {
    buttons[index].title = tab.label;
  });
  element.append(...inGroups(options.tabs, buttons));
  markSelected(options.selected);
  return {
    element,
    markSelected,
    /**
     * Shows how many things need attention at a tab.
     * @param {string} id
     * @param {number} count 0: nothing
     * @param {string} [text] the same in words, such as `1 provider is failing`
     */
    setBadge(id, count, text = '') {
      const button = buttons[options.tabs.findIndex((tab) => tab.id === id)];
      button.querySelector('.count')?.remove();
      button.title = count > 0 ? text : (options.tabs.find((tab) => tab.id === id)?.label ?? '');
      // Not a part of the name, which stays the tab's: the description says it.
      if (count > 0) button.setAttribute('aria-description', text);
      else button.removeAttribute('aria-description');
      if (count > 0) button.append(h('span', { class: 'count', 'aria-hidden': 'true' }, count));
    },
  };
}
