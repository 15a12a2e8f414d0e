import { ApiError, api, pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { drawShell, logo } from '../lib/shell.js';
import { themeButton } from '../lib/theme.js';
import { mountChat } from '../views/chat.js';

/** The page is open to everybody who has a key; whoever is signed in needs none. */
async function start() {
  const me = await findMe();
  const main = h('main', { id: 'main', class: 'chat-page', tabindex: -1 });
  if (me) {
    drawShell(me, main);
  } else {
    const home = h('a', { class: 'brand', href: pageUrl('') }, logo(), h('span', null, 'iPin Proxy'));
    const header = h('header', { class: 'topbar' }, home, h('div', { class: 'row nowrap' }, themeButton()));
    document.querySelector('#app')?.replaceChildren(header, main);
  }
  mountChat(main, { signedIn: me !== null, role: me?.role ?? null });
}

/** @returns {Promise<import('../lib/types.js').Me | null>} null for somebody who is not signed in */
async function findMe() {
  for (const path of ['/api/admin/me', '/api/user/me']) {
    try {
      return await api.get(path, { keepSession: true });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) return null;
    }
  }
  return null;
}

void start();
