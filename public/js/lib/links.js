/** The navigation between pages, for those that are not the panel. */
import { pageUrl } from './api.js';

/** @typedef {import('./sidebar.js').NavLink} NavLink */

/** @type {readonly [string, string, import('./icons.js').IconName, boolean][]} */
const PANEL = [
  ['overview', 'Overview', 'overview', false],
  ['usage', 'Usage', 'usage', false],
  ['requests', 'Requests', 'requests', false],
  ['providers', 'Providers', 'server', true],
  ['models', 'Models', 'cube', false],
  ['keys', 'API Keys', 'key', false],
  ['users', 'Users', 'users', false],
];

/**
 * The links of the sidebar on the chat's page and on the own page.
 * @param {'admin' | 'user' | null} role
 * @param {'chat' | 'account'} current
 * @returns {NavLink[]}
 */
export function pageLinks(role, current) {
  /** @type {NavLink} */
  const chat = {
    label: 'Chat',
    icon: 'chat',
    href: pageUrl('chat.html'),
    isCurrent: current === 'chat',
    startsGroup: true,
  };
  if (role === 'admin') {
    /** @type {NavLink[]} */
    const tabs = PANEL.map(([id, label, icon, startsGroup]) => ({
      label,
      icon,
      startsGroup,
      href: pageUrl(`admin.html#${id}`),
    }));
    return [...tabs, chat, { label: 'Settings', icon: 'settings', href: pageUrl('admin.html#settings') }];
  }
  if (role === null) return [chat, { label: 'Sign in', icon: 'lock', href: pageUrl('') }];
  const isCurrent = current === 'account';
  return [{ label: 'My account', icon: 'overview', href: pageUrl('dashboard.html'), isCurrent }, chat];
}
