import { ApiError, api, messageOf, pageUrl } from '../lib/api.js';
import { alertBox, handleSubmit, setBusy } from '../lib/form.js';
import { h } from '../lib/h.js';
import { logo } from '../lib/logo.js';
import { announceSignIn } from '../lib/session-channel.js';
import { signInFields } from '../lib/sign-in-fields.js';
import { themeButton } from '../lib/theme.js';

const HOME = { admin: 'admin.html', user: 'dashboard.html' };

/** Opens the home page of a signed-in person; shows the form to everybody else. */
async function start() {
  const { user } = await api.get('/api/me', { keepSession: true }).catch(() => ({ user: null }));
  if (user !== null) return location.replace(pageUrl(HOME[user.role === 'admin' ? 'admin' : 'user']));
  document
    .querySelector('#app')
    ?.replaceChildren(signInCard(), h('div', { class: 'sign-in-foot' }, themeButton()));
  document.querySelector('input')?.focus();
}

function signInCard() {
  const { username, password } = signInFields();
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
        // The button stays busy until the next page opens.
        await new Promise(() => {});
      } catch (error) {
        password.control.select();
        if (error instanceof ApiError && error.code === 'too_many_attempts')
          await countDown(error, { submit, alert, username: username.control });
        else throw error;
      }
    },
    explain: (error) => (error.code === 'default_password_refused' ? defaultPasswordHelp(error) : null),
  });
  return h(
    'div',
    { class: 'card pad stack loose' },
    h('div', { class: 'brand large' }, logo(), h('h1', null, 'iPin Proxy')),
    form,
  );
}

/**
 * Counts down on the button until another attempt is allowed. Typing another username ends the countdown: the limit is
 * per account.
 * @param {ApiError} error
 * @param {{ submit: HTMLButtonElement, alert: ReturnType<typeof alertBox>, username: HTMLInputElement }} parts
 */
async function countDown(error, { submit, alert, username }) {
  let until = Date.now() + (error.retryAfterSeconds ?? 30) * 1000;
  const edited = new Promise((resolve) => username.addEventListener('input', resolve, { once: true }));
  void edited.then(() => {
    until = 0;
  });
  setBusy(submit, false);
  submit.setAttribute('aria-disabled', 'true');
  alert.show('Too many failed attempts. Wait until you can press the button again.');
  for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
    submit.textContent = `Try again in ${Math.ceil(left / 1000)} s`;
    const second = new Promise((resolve) => setTimeout(resolve, Math.min(left, 1000)));
    await Promise.race([second, edited]);
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
