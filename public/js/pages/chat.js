import { api, pageUrl } from '../lib/api.js';
import { watchConnection } from '../lib/connection.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { guardSession } from '../lib/session.js';
import { logo } from '../lib/shell.js';
import { themeButton } from '../lib/theme.js';
import { mountChat } from '../views/chat.js';

/**
 * Who is signed in; null for people without an account, who may use the chat too.
 * @returns {Promise<import('../lib/types.js').Me | null>}
 */
async function whoAmI() {
  const { user } = await api.get('/api/me', { keepSession: true }).catch(() => ({ user: null }));
  return user;
}

/** @param {import('../lib/types.js').Me | null} me */
function createHeader(me) {
  const home = me?.role === 'admin' ? 'admin.html' : me ? 'dashboard.html' : '';
  const label = me?.role === 'admin' ? 'Panel' : me ? 'My account' : 'Sign in';
  return h(
    'header',
    { class: 'topbar' },
    h('div', { class: 'brand' }, logo(), h('span', null, 'iPin Proxy')),
    h(
      'div',
      { class: 'row nowrap' },
      h('a', { class: 'btn ghost', href: pageUrl(home) }, icon(me ? 'overview' : 'lock'), label),
      themeButton(),
    ),
  );
}

async function start() {
  const me = await whoAmI();
  if (me) guardSession(me);
  watchConnection();
  const main = h('main', { class: 'chat-page' }, h('h1', { class: 'visually-hidden' }, 'Chat'));
  document.querySelector('#app')?.replaceChildren(createHeader(me), main);
  const chat = mountChat(main, { signedIn: me !== null, role: me?.role ?? null });
  addEventListener('beforeunload', (event) => {
    // Not during a sign-in over the page, which may have to leave the page.
    if (chat.hasConversation() && document.querySelector('dialog[open]') === null) event.preventDefault();
  });
}

void start();
