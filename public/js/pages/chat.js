import { api, pageUrl } from '../lib/api.js';
import { watchConnection } from '../lib/connection.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { guardSession } from '../lib/session.js';
import { logo } from '../lib/shell.js';
import { themeButton } from '../lib/theme.js';
import { mountChat } from '../views/chat.js';

/**
 * Who is signed in, if anybody: the chat is for people without an account too.
 * @returns {Promise<import('../lib/types.js').Me | null>}
 */
async function whoAmI() {
  const { user } = await api.get('/api/me', { keepSession: true }).catch(() => ({ user: null }));
  return user;
}

/** @param {import('../lib/types.js').Me | null} me */
function drawHeader(me) {
  const home = me?.role === 'admin' ? 'admin.html' : me ? 'dashboard.html' : '';
  const words = me?.role === 'admin' ? 'Panel' : me ? 'My account' : 'Sign in';
  return h(
    'header',
    { class: 'topbar' },
    h('div', { class: 'brand' }, logo(), h('span', null, 'iPin Proxy')),
    h(
      'div',
      { class: 'row nowrap' },
      h('a', { class: 'btn ghost', href: pageUrl(home) }, icon(me ? 'overview' : 'lock'), words),
      themeButton(),
    ),
  );
}

async function start() {
  const me = await whoAmI();
  if (me) guardSession(me);
  watchConnection();
  const main = h('main', { class: 'chat-page' }, h('h1', { class: 'visually-hidden' }, 'Chat'));
  document.querySelector('#app')?.replaceChildren(drawHeader(me), main);
  const chat = mountChat(main, { signedIn: me !== null, role: me?.role ?? null });
  addEventListener('beforeunload', (event) => {
    // Where somebody signs in over the page, it must be free to go.
    if (chat.hasConversation() && document.querySelector('dialog[open]') === null) event.preventDefault();
  });
}

void start();
