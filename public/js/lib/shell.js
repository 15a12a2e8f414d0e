import { ApiError, api, messageOf, pageUrl } from './api.js';
import { watchConnection } from './connection.js';
import { h, svg } from './h.js';
import { icon } from './icons.js';
import { guardSession, signOut } from './session.js';
import { failed } from './states.js';
import { themeButton } from './theme.js';
import { toast } from './toast.js';

/** The logo, in the accent colour. */
export function logo() {
  return svg(
    'svg',
    { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('rect', { width: 32, height: 32, rx: 8 }),
    svg('path', { d: 'M7 11h9a5 5 0 0 1 0 10h-1m10 0h-4M7 21h4' }),
    svg('circle', { cx: 25, cy: 11, r: 2.5 }),
  );
}

/**
 * Opens a page for signed-in people: loads who they are and renders the page. Without a session the sign-in page opens.
 * @template T
 * @param {string} mePath such as `/api/admin/me`
 * @param {(me: T) => unknown} render
 */
export async function openPage(mePath, render) {
  let me;
  try {
    me = await api.get(mePath, { keepSession: true });
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      location.replace(pageUrl(''));
      return;
    }
    const retry = () => openPage(mePath, render);
    document
      .querySelector('#app')
      ?.replaceChildren(h('main', { class: 'page' }, failed(messageOf(error), retry)));
    return;
  }
  await render(me);
}

/**
 * Renders the frame of a page for signed-in people: skip link, brand, theme button, Sign out. Watches the session and
 * the connection.
 * @param {import('./types.js').Me} me
 * @param {...import('./h.js').Child} content navigation and `main`
 */
export function renderShell(me, ...content) {
  guardSession(me);
  watchConnection();
  const leave = h(
    'button',
    {
      type: 'button',
      class: 'btn ghost',
      onclick: () => signOut(me.role).catch((error) => toast.error(messageOf(error))),
    },
    icon('logout'),
    h('span', { class: 'from-tablet' }, 'Sign out'),
  );
  leave.setAttribute('aria-label', 'Sign out');
  const header = h(
    'header',
    { class: 'topbar' },
    h('div', { class: 'brand' }, logo(), h('span', null, 'iPin Proxy')),
    h(
      'div',
      { class: 'row nowrap' },
      h('span', { class: 'muted small truncate from-tablet' }, me.username),
      themeButton(),
      leave,
    ),
  );
  const skip = h(
    'a',
    {
      class: 'skip-link',
      href: '#main',
      onclick: (event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      },
    },
    'Skip to content',
  );
  document
    .querySelector('#app')
    ?.replaceChildren(skip, header, ...content.filter((node) => node instanceof Node));
}
