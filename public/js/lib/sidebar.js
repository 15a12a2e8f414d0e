import { h } from './h.js';
import { icon } from './icons.js';

/** @typedef {{ label: string, icon: import('./icons.js').IconName, href: string, isCurrent?: boolean, startsGroup?: boolean }} NavLink */

/**
 * Links to other pages in the sidebar.
 * @param {readonly NavLink[]} links
 */
export function createSidebarLinks(links) {
  const items = links.map((link) =>
    h(
      'a',
      { href: link.href, title: link.label, 'aria-current': link.isCurrent ? 'page' : null },
      icon(link.icon),
      h('span', { class: 'word' }, link.label),
    ),
  );
  return h('div', { class: 'navs' }, ...inGroups(links, items));
}

/**
 * Entries of the sidebar in groups.
 * @param {readonly { startsGroup?: boolean }[]} items
 * @param {readonly HTMLElement[]} elements
 */
export function inGroups(items, elements) {
  /** @type {HTMLElement[]} */
  const groups = [];
  elements.forEach((element, index) => {
    if (index === 0 || items[index].startsGroup) groups.push(h('div', { class: 'nav' }));
    groups.at(-1)?.append(element);
  });
  return groups;
}
