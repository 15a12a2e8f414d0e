import { api, onSessionEnded, pageUrl } from './api.js';
import { openDialog } from './dialog.js';
import { alertBox, handleSubmit, textField } from './form.js';
import { h } from './h.js';

/** Tells the other tabs of this browser; it carries a word, never a secret. */
const channel = new BroadcastChannel('ipin-session');

/**
 * Signs in over the page when the session has ended, so that nothing typed is lost and the request that found out
 * is made again. Signing out in another tab shows at once.
 * @param {import('./types.js').Me} me
 */
export function guardSession(me) {
  onSessionEnded(() => askToSignIn(me));
  channel.addEventListener('message', (event) => {
    // Asking for the own name finds out whether it was this session that ended.
    if (event.data === 'signed-out') api.get(`/api/${me.role}/me`).catch(() => {});
  });
}

/**
 * Ends the session here and in the other tabs, and goes to the sign-in page.
 * @param {import('./types.js').Role} role
 */
export async function signOut(role) {
  await api.post(`/api/${role}/logout`, undefined, { keepSession: true });
  channel.postMessage('signed-out');
  location.assign(pageUrl(''));
}

/** Says to the other tabs that they may go on. */
export function announceSignIn() {
  channel.postMessage('signed-in');
}

/**
 * @param {import('./types.js').Me} me
 * @returns {Promise<boolean>}
 */
async function askToSignIn(me) {
  let signedIn = false;
  const username = textField({
    label: 'Username',
    input: {
      autocomplete: 'username',
      value: me.username,
      required: true,
      autocapitalize: 'none',
      spellcheck: 'false',
    },
  });
  const password = textField({
    label: 'Password',
    input: { type: 'password', autocomplete: 'current-password', required: true, autofocus: true },
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary' }, 'Sign in');
  const leave = h(
    'button',
    { type: 'button', class: 'btn', onclick: () => location.assign(pageUrl('')) },
    'Leave the page',
  );
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    username.element,
    password.element,
    h('div', { class: 'row between' }, leave, submit),
  );
  const dialog = openDialog({
    title: 'Please sign in again',
    size: 'narrow',
    closable: false,
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'muted' }, 'Your session has ended. What you typed is still here.'),
        form,
      ),
    ],
  });
  handleSubmit(form, {
    fields: [username, password],
    submit,
    alert,
    save: async () => {
      const credentials = { username: username.control.value, password: password.control.value };
      const answer = await api.post(`/api/${me.role}/login`, credentials, { keepSession: true });
      announceSignIn();
      if (answer.user.username !== me.username) await reloadForGood();
      signedIn = true;
      dialog.close();
    },
  });
  /** @param {MessageEvent} event */
  const onOtherTab = async (event) => {
    if (event.data !== 'signed-in') return;
    const who = await api.get(`/api/${me.role}/me`, { keepSession: true }).catch(() => null);
    if (who?.username !== me.username) return;
    signedIn = true;
    dialog.close();
  };
  channel.addEventListener('message', onOtherTab);
  await dialog.closed;
  channel.removeEventListener('message', onOtherTab);
  return signedIn;
}

/** Somebody else's page must not stay on the screen, and what it was about to send must not go out in another name. */
function reloadForGood() {
  location.reload();
  return new Promise(() => {});
}
