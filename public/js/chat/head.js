/** The head of the conversation: title, what the chat took, and what can be done with it. */
import { compact, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { menuButton } from '../lib/menu.js';
import { iconButton } from './conversation/parts.js';

/**
 * @param {{
 *   onMenu: ((button: HTMLElement) => void) | null, onHistory: () => void, onCompare: () => void, onSettings: () => void,
 *   items: () => import('../lib/menu.js').MenuItem[],
 * }} options onMenu: opens the page's own menu, on a phone; items: of the menu More
 */
export function createHead({ onMenu, onHistory, onCompare, onSettings, items }) {
  const title = h('h2', { class: 'truncate grow' }, 'New chat');
  const lost = h(
    'span',
    { class: 'badge warn', hidden: true, title: 'This browser keeps no chats.' },
    'Not kept',
  );
  const meter = h('span', { class: 'meter from-tablet' });
  const menu = iconButton('Open the menu', 'menu', () => onMenu?.(menu), 'only-phone');
  menu.hidden = onMenu === null;
  const history = iconButton('Chats', 'clock', onHistory, 'history-toggle');
  history.setAttribute('aria-expanded', 'false');
  const compareText = h('span', { class: 'from-tablet' }, 'Compare');
  const compare = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet small compare-button',
      title: 'Ask two or three models at the same time',
      onclick: onCompare,
    },
    icon('columns'),
    compareText,
  );
  compare.setAttribute('aria-label', 'Compare');
  const settings = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet small square',
      'aria-label': 'Settings',
      title: 'Key, system prompt and parameters',
      onclick: onSettings,
    },
    icon('settings'),
  );
  settings.setAttribute('aria-expanded', 'false');
  const more = menuButton({ label: 'More', items });
  const element = h(
    'header',
    { class: 'talk-head' },
    menu,
    history,
    title,
    lost,
    meter,
    compare,
    settings,
    more,
  );

  return {
    element,
    history,
    settings,
    more,
    /** @param {string} text */
    setTitle(text) {
      title.textContent = text;
      title.title = text;
    },
    /** @param {boolean} isKept by the browser */
    setKept(isKept) {
      lost.hidden = isKept;
    },
    /** @param {{ isOn: boolean, isPossible: boolean }} state */
    setCompare({ isOn, isPossible }) {
      compare.hidden = !isOn && !isPossible;
      compare.setAttribute('aria-label', isOn ? 'End comparison' : 'Compare');
      compareText.textContent = isOn ? 'End comparison' : 'Compare';
      // On a phone, too, the way out is a word.
      compareText.classList.toggle('from-tablet', !isOn);
    },
    /** The tokens of the last request, and the cost of all answers. @param {readonly import('./types.js').Message[]} path @param {readonly import('./types.js').Message[]} all */
    showUse(path, all) {
      const last = path.findLast(({ usage }) => usage?.promptTokens);
      const tokens = (last?.usage?.promptTokens ?? 0) + (last?.usage?.completionTokens ?? 0);
      const priced = all.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
      const cost = priced.reduce((sum, one) => sum + one, 0);
      const parts = [
        ...(tokens > 0 ? [`${compact(tokens)} tokens in context`] : []),
        ...(priced.length > 0 ? [`≈ ${requestCost(cost)} in all`] : []),
      ];
      meter.textContent = parts.join(' · ');
      meter.title = 'Tokens of the last request and its answer; the cost counts all versions of this chat.';
    },
  };
}
