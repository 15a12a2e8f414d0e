import { ApiError, api, messageOf, pageUrl } from '../lib/api.js';
import { alertBox, handleSubmit, setBusy, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { announceSignIn } from '../lib/session.js';
import { logo } from '../lib/shell.js';
import { themeButton } from '../lib/theme.js';

const HOME = { admin: 'admin.html', user: 'dashboard.html' };

/** Sends a signed-in person on; draws the form for everybody else. */
async function start() {
  const { user } = await api.get('/api/me', { keepSession: true }).catch(() => ({ user: null }));
  if (user !== null) return location.replace(pageUrl(HOME[user.role === 'admin' ? 'admin' : 'user']));
  document
    .querySelector('#app')
    ?.replaceChildren(signInCard(), h('div', { class: 'sign-in-foot' }, themeButton()));
  document.querySelector('input')?.focus();
}

function signInCard() {
  const username = textField({
    label: 'Username',
    input: {
      name: 'username',
      autocomplete: 'username',
      required: true,
      autocapitalize: 'none',
      spellcheck: 'false',
    },
  });
  const password = textField({
    label: 'Password',
    input: { name: 'password', type: 'password', autocomplete: 'current-password', required: true },
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary block' }, 'Sign in');
  const form = h(
    'form',
    { class: 'stack', method: 'post' },
    alert.element,
    username.element,
    password.element,
    submit,
  );
  handleSubmit(form, {
    fields: [username, password],
    submit,
    alert,
    save: async () => {
      const credentials = { username: username.control.value.trim(), password: password.control.value };
      try {
        const answer = await api.post('/api/login', credentials, { keepSession: true });
        announceSignIn();
        location.replace(pageUrl(HOME[answer.user.role === 'admin' ? 'admin' : 'user']));
        // The button stays busy until the next page is there.
        await new Promise(() => {});
      } catch (error) {
        password.control.select();
        if (error instanceof ApiError && error.code === 'too_many_attempts')
          await waitOut(error, { submit, alert, username: username.control });
        else throw error;
      }
    },
    explain: (error) => (error.code === 'default_password_refused' ? defaultPasswordHelp(error) : null),
  });
  return h(
    'div',
    { class: 'card stack loose' },
    h('div', { class: 'brand large' }, logo(), h('h1', null, 'iPin Proxy')),
    form,
  );
}

/**
 * Counts down to the moment from which the server listens again, or until it is somebody else who signs in.
 * @param {ApiError} error
 * @param {{ submit: HTMLButtonElement, alert: ReturnType<typeof alertBox>, username: HTMLInputElement }} parts
 */
async function waitOut(error, { submit, alert, username }) {
  let until = Date.now() + (error.retryAfterSeconds ?? 30) * 1000;
  const other = new Promise((resolve) => username.addEventListener('input', resolve, { once: true }));
  void other.then(() => {
    until = 0;
  });
  setBusy(submit, false);
  submit.setAttribute('aria-disabled', 'true');
  alert.show('Too many failed attempts. Please wait until the button is back, then try again.');
  for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
    submit.textContent = `Try again in ${Math.ceil(left / 1000)} s`;
    const second = new Promise((resolve) => setTimeout(resolve, Math.min(left, 1000)));
    await Promise.race([second, other]);
  }
  submit.textContent = 'Sign in';
  alert.show(null);
}

/** @param {ApiError} error */
function defaultPasswordHelp(error) {
  return h(
    'div',
    { class: 'stack tight' },
    h('p', null, messageOf(error)),
    h(
      'p',
      { class: 'small' },
      'For example ',
      h('code', null, 'UI_PASSWORD=a-long-password node server.js'),
      ' or, in Docker, ',
      h('code', null, '-e UI_PASSWORD=a-long-password'),
      '.',
    ),
  );
}

void start();
