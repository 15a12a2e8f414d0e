import { api, onSessionEnded, pageUrl } from './api.js';
import { openDialog } from './dialog.js';
import { alertBox, handleSubmit } from './form.js';
import { h } from './h.js';
import { announceSignIn, sessionChannel } from './session-channel.js';
import { signInFields } from './sign-in-fields.js';

/** Who is asked whether to leave a page may stay. After so long they are taken to have stayed. */
const LEAVE_MS = 5000;

/** @type {Promise<void> | null} settles if signing out fails, or if the page is still there afterwards */
let signingOut = null;

/**
 * Shows a sign-in dialog over the page when the session has ended, so that no input is lost. Notices at once when the
 * person signs out in another tab.
 * @param {import('./types.js').Me} me
 */
export function guardSession(me) {
  onSessionEnded(async () => {
    // Requests that this page sends while it goes away are refused: nobody has to sign in for them.
    await signingOut?.catch(() => {});
    return askToSignIn(me);
  });
  sessionChannel.addEventListener('message', (event) => {
    // If this session has ended, the request fails with 401, and the dialog opens.
    if (event.data === 'signed-out') api.get(`/api/${me.role}/me`).catch(() => {});
  });
}

/**
 * Ends the session here and in the other tabs, removes the chats of people who want that, and goes to the sign-in page.
 * @param {import('./types.js').Role} role
 * @returns {Promise<void>} settles only if the page is still there
 * @throws {import('./api.js').ApiError} when the server did not end the session
 */
export function signOut(role) {
  signingOut = leave(role);
  return signingOut;
}

/** @param {import('./types.js').Role} role */
async function leave(role) {
  await api.post(`/api/${role}/logout`, undefined, { keepSession: true });
  sessionChannel.postMessage('signed-out');
  const forget = await import('../chat/history/forget.js').catch(() => null);
  await forget?.forgetChats();
  location.assign(pageUrl(''));
  await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
}

/**
 * @param {import('./types.js').Me} me
 * @returns {Promise<boolean>}
 */
async function askToSignIn(me) {
  let signedIn = false;
  const { username, password } = signInFields(me.username);
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
    h('div', { class: 'row wrap between' }, leave, submit),
  );
  const dialog = openDialog({
    title: 'Please sign in again',
    size: 'narrow',
    closable: false,
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'muted' }, 'Your session has ended. Your input is still here.'),
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
  const checkSession = async () => {
    const who = await api.get(`/api/${me.role}/me`, { keepSession: true }).catch(() => null);
    if (who?.username !== me.username) return;
    signedIn = true;
    dialog.close();
  };
  /** @param {MessageEvent} event */
  const onOtherTab = (event) => {
    if (event.data === 'signed-in') void checkSession();
  };
  sessionChannel.addEventListener('message', onOtherTab);
  // The other tab may have signed in since the refusal that led here.
  void checkSession();
  await dialog.closed;
  sessionChannel.removeEventListener('message', onOtherTab);
  return signedIn;
}

/** Another person has signed in: they must not see this page, and its request must not be sent in their name. */
function reloadForGood() {
  location.reload();
  return new Promise(() => {});
}
