/** What stands in the conversation before its first message. */
import { pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/**
 * @param {{ role: 'admin' | 'user' | null, connection: HTMLElement }} options role: null without an account;
 *   connection: key and test, which people without an account see here first
 */
export function createWelcome({ role, connection }) {
  const title = h('h3', null, 'What can I help with?');
  const text = h('p', null);
  const instructions = h('p', { class: 'small clamped' });
  const lost = h(
    'div',
    { class: 'note warn', hidden: true },
    icon('warning'),
    h('div', null, 'This browser keeps no chats: they are lost when you close or reload this page.'),
  );
  const card = h('div', { class: 'card welcome-key', hidden: true });
  const element = h('div', { class: 'welcome' }, icon('chat'), title, text, lost, instructions, card);

  return {
    element,
    /**
     * @param {{ hasModels: boolean, isListed: boolean, isKept: boolean, isDrawerOpen: boolean, system: string }} state
     *   isListed: the list of models has been read; isKept: the browser keeps the chats; system: the system prompt of the
     *   next chat
     */
    show({ hasModels, isListed, isKept, isDrawerOpen, system }) {
      const isGuest = role === null;
      const isStart = isGuest && !hasModels && !isListed;
      title.textContent = isStart
        ? 'Chat with an API key'
        : isListed && !hasModels
          ? 'No model yet'
          : 'Start a conversation';
      if (isStart) text.textContent = 'Paste a key of this proxy, test it, choose a model and write.';
      else if (isListed && !hasModels) text.replaceChildren(...missing(role));
      else text.textContent = isKept ? 'Your chats are kept in this browser only.' : 'Ask anything.';
      lost.hidden = isKept;
      instructions.textContent = `System prompt: “${system}”`;
      instructions.title = system;
      instructions.hidden = system === '' || !hasModels;
      if (isGuest && !isDrawerOpen && connection.parentElement !== card) card.append(connection);
      card.hidden = !isGuest || isDrawerOpen;
    },
  };
}

/**
 * What to do if there is no model.
 * @param {'admin' | 'user' | null} role
 * @returns {(Node | string)[]}
 */
function missing(role) {
  if (role === 'user') return ['You may not use any model yet. Ask the person who runs this server.'];
  if (role !== 'admin')
    return ['This key may not use any model. Ask the person who runs this server, or try another key.'];
  const link = h('a', { href: pageUrl('admin.html#overview') }, 'Overview');
  return ['Switch a provider on, and add its models. The ', link, ' shows the next step.'];
}
