import { mountChat } from '../chat/chat.js';
import { api } from '../lib/api.js';
import { h } from '../lib/h.js';
import { pageLinks } from '../lib/links.js';
import { renderShell } from '../lib/shell.js';
import { createSidebarLinks } from '../lib/sidebar.js';

const HOME = { admin: 'admin.html', user: 'dashboard.html' };

/**
 * Who is signed in; null for people without an account, who may use the chat too.
 * @returns {Promise<import('../lib/types.js').Me | null>}
 */
async function whoAmI() {
  const { user } = await api.get('/api/me', { keepSession: true }).catch(() => ({ user: null }));
  return user;
}

async function start() {
  const me = await whoAmI();
  const host = h('div', { class: 'chat-host' }, h('h1', { class: 'sr' }, 'Chat'));
  const shell = renderShell({
    me,
    nav: createSidebarLinks(pageLinks(me?.role ?? null, 'chat')),
    main: h('main', { id: 'main', tabindex: -1, class: 'main' }, host),
    home: me === null ? '' : HOME[me.role],
  });
  shell.setSlim(true);
  const chat = mountChat(host, { me, onMenu: shell.openMenu });
  addEventListener('beforeunload', (event) => {
    // Not during a sign-in over the page, which may have to leave the page.
    if (chat.mayLoseWork() && document.querySelector('dialog[open]') === null) event.preventDefault();
  });
}

void start();
