import { accountButton } from './account.js';
import { ApiError, api, messageOf, pageUrl } from './api.js';
import { watchConnection } from './connection.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { logo } from './logo.js';
import { guardSession } from './session.js';
import { SEARCH_KEYS, showShortcuts } from './shortcuts.js';
import { failed } from './states.js';
import { toast } from './toast.js';

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
 * @typedef {{
 *   me: import('./types.js').Me & { name?: string } | null, nav: HTMLElement, main: HTMLElement, home?: string,
 *   search?: () => Promise<readonly import('./search-dialog.js').SearchSource[]>, onChangePassword?: () => void,
 * }} ShellOptions
 *   me: null without an account; nav: from `sidebar.js`; home: where the brand leads; search: what the search over
 *   everything looks in, asked each time it opens
 */

/**
 * Renders the frame of a page: skip link, sidebar with brand, search, navigation and account; on a phone a bar with a menu.
 * Watches the session and the connection.
 * @param {ShellOptions} options main: the `main` element with the id `main`
 */
export function renderShell({ me, nav, main, home = '', search, onChangePassword }) {
  if (me !== null) guardSession(me);
  watchConnection();
  const openFinder = () => void showSearch(search);
  const app = h('div', { class: 'app' });
  const side = h(
    'nav',
    { class: 'side', 'aria-label': 'Main', id: 'side' },
    h(
      'a',
      { class: 'brand', href: pageUrl(home), title: 'iPin Proxy' },
      logo(),
      h('span', { class: 'word' }, 'iPin Proxy'),
    ),
    search &&
      h(
        'button',
        { type: 'button', class: 'jump', title: `Search (${SEARCH_KEYS})`, onclick: openFinder },
        icon('search'),
        h('span', { class: 'word' }, 'Search'),
        h('kbd', { 'aria-hidden': 'true' }, SEARCH_KEYS),
      ),
    nav,
    accountButton(me, { onShortcuts: showShortcuts, onChangePassword }),
  );
  const phoneMenu = createPhoneMenu(app, side);
  const topbar = h(
    'header',
    { class: 'topbar' },
    phoneMenu.button,
    logo(),
    h('span', { class: 'name' }, 'iPin Proxy'),
    search && squareButton('search', 'Search everything', openFinder),
  );
  app.append(topbar, side, main);
  if (search) {
    addEventListener('keydown', (event) => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.shiftKey
      )
        return;
      event.preventDefault();
      openFinder();
    });
  }
  document.querySelector('#app')?.replaceChildren(skipLink(), app);
  return {
    element: app,
    /** Makes the sidebar a rail, and leaves the window to the page, which scrolls inside. @param {boolean} isSlim */
    setSlim(isSlim) {
      app.classList.toggle('slim', isSlim);
      document.documentElement.classList.toggle('fills-window', isSlim);
    },
    /** Opens the sidebar on a phone, for a page that hides the bar. @param {HTMLElement} button gets the focus afterwards */
    openMenu: phoneMenu.open,
    closeMenu: phoneMenu.close,
  };
}

/** @param {ShellOptions['search']} search */
async function showSearch(search) {
  if (!search) return;
  try {
    const [{ openSearch }, sources] = await Promise.all([import('./search-dialog.js'), search()]);
    openSearch(sources);
  } catch (error) {
    toast.error(messageOf(error));
  }
}

/**
 * The sidebar over the page, on a phone. Escape, a click beside it, and leaving it with the Tab key close it.
 * @param {HTMLElement} app
 * @param {HTMLElement} side
 */
function createPhoneMenu(app, side) {
  const button = squareButton('menu', 'Open the menu', () => open(button));
  /** @type {HTMLElement} */
  let opener = button;
  button.setAttribute('aria-controls', side.id);
  button.setAttribute('aria-expanded', 'false');
  const isOpen = () => app.classList.contains('nav-open');
  /** @param {boolean} isShown */
  function toggle(isShown) {
    app.classList.toggle('nav-open', isShown);
    button.setAttribute('aria-expanded', String(isShown));
  }
  /** @param {HTMLElement} pressed */
  function open(pressed) {
    opener = pressed;
    toggle(true);
    const current = side.querySelector('[aria-selected="true"], [aria-current="page"]');
    if (current instanceof HTMLElement) current.focus();
  }
  function close() {
    if (!isOpen()) return;
    toggle(false);
    if (side.contains(document.activeElement) || document.activeElement === document.body) opener.focus();
  }
  app.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) close();
  });
  side.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !side.contains(relatedTarget) && relatedTarget !== opener)
      toggle(false);
  });
  // The backdrop is drawn by the element itself.
  app.addEventListener('click', (event) => {
    if (event.target === app) close();
  });
  matchMedia('(max-width: 640px)').addEventListener('change', close);
  return { button, open, close };
}

/**
 * @param {import('./icons.js').IconName} symbol
 * @param {string} label
 * @param {() => void} onclick
 */
function squareButton(symbol, label, onclick) {
  return h(
    'button',
    { type: 'button', class: 'btn quiet square', 'aria-label': label, title: label, onclick },
    icon(symbol),
  );
}

function skipLink() {
  const onclick = (/** @type {Event} */ event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  };
  return h('a', { class: 'skip', href: '#main', onclick }, 'Skip to content');
}
