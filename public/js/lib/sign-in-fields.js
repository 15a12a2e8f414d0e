import { textField } from './form.js';

/**
 * The two fields of every sign-in form.
 * @param {string} [knownUsername] filled in; the password then has the focus
 */
export function signInFields(knownUsername) {
  const username = textField({
    label: 'Username',
    input: {
      name: 'username',
      autocomplete: 'username',
      value: knownUsername,
      required: true,
      autocapitalize: 'none',
      spellcheck: 'false',
    },
  });
  const password = textField({
    label: 'Password',
    input: {
      name: 'password',
      type: 'password',
      autocomplete: 'current-password',
      required: true,
      autofocus: knownUsername !== undefined,
    },
  });
  return { username, password };
}
