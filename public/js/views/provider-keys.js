import { api, messageOf } from '../lib/api.js';
import { countdown } from '../lib/countdown.js';
import { confirmDialog } from '../lib/dialog.js';
import { alertBox, handleSubmit, setBusy, textField } from '../lib/form.js';
import { relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { keyCondition } from '../lib/health.js';
import { icon } from '../lib/icons.js';
import { patchChildren } from '../lib/patch.js';
import { memberPath } from '../lib/resource.js';
import { errorDetails, stateMark } from '../lib/state-mark.js';
import { announce, toast } from '../lib/toast.js';

/** @typedef {import('../lib/types.js').Provider} Provider */
/** @typedef {import('../lib/types.js').ProviderKey} Key */
/**
 * @typedef {{ remove: (key: Key) => unknown, wake: (key: Key, button: HTMLButtonElement) => unknown, use: (key: Key, control: HTMLInputElement) => unknown }} KeyActions
 */

/**
 * The keys of a provider: each with its state, a switch, and buttons to remove it and to end its rest; and a field to add
 * another one.
 * @param {{ provider: Provider, change: (send: () => Promise<unknown>) => Promise<void> }} options
 *   change: sends a change, then calls `show` with the changed provider; rejects when the change was refused
 */
export function providerKeys({ provider, change }) {
  const path = `${memberPath('/api/admin/providers', provider.id)}/keys`;
  const list = h('ul', { class: 'keys', 'aria-label': 'Keys' });
  const none = h('p', { class: 'muted' });
  const { form, field } = addForm(async (apiKey) => {
    await change(() => api.post(path, { apiKey }));
    announce('The key is added.', list);
  });
  let keys = provider.apiKeys;

  /** @param {Provider} next */
  function show(next) {
    keys = next.apiKeys;
    // Asked before the button is hidden: hidden elements lose the focus.
    const active = document.activeElement;
    none.textContent = keys.length > 0 ? '' : 'No key is stored: requests are sent without one.';
    none.hidden = keys.length > 0;
    list.hidden = keys.length === 0;
    patchChildren(
      list,
      keys.map((key) => keyItem(key, actions, keys.length === 1)),
    );
    // The button “Try now” disappears with the rest.
    if (active instanceof HTMLButtonElement && active.hidden && list.contains(active))
      active.parentElement?.querySelector('input')?.focus();
  }

  /** @type {KeyActions} */
  const actions = {
    async remove(key) {
      const message =
        keys.length === 1
          ? `It is the only key of ${provider.name}. Requests will be sent without one.`
          : 'Requests will use the other keys.';
      const title = `Remove the key ${nameOf(key)}?`;
      if (!(await confirmDialog({ title, message, confirmLabel: 'Remove', danger: true }))) return;
      const index = keys.findIndex((one) => one.id === key.id);
      try {
        await change(() => api.del(memberPath(path, key.id)));
      } catch (error) {
        return toast.error(messageOf(error));
      }
      // The pressed button is gone with its key.
      const buttons = /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('[data-act^="remove:"]'));
      (buttons[Math.min(index, buttons.length - 1)] ?? field.control).focus();
      announce('The key is removed.', list);
    },
    async wake(key, button) {
      setBusy(button, true);
      try {
        await change(() => api.post(`${memberPath(path, key.id)}/wake`));
        announce(`The key ${nameOf(key)} is used again.`, list);
      } catch (error) {
        toast.error(messageOf(error));
      }
      setBusy(button, false);
    },
    async use(key, control) {
      try {
        await change(() => api.put(memberPath(path, key.id), { enabled: control.checked }));
      } catch (error) {
        control.checked = !control.checked;
        toast.error(messageOf(error));
      }
    },
  };
  show(provider);
  return { element: h('div', { class: 'stack' }, none, list, form), show, field };
}

/** @param {Key} key */
function nameOf(key) {
  return key.hint ?? 'that cannot be decrypted';
}

/**
 * @param {Key} key
 * @param {KeyActions} actions
 * @param {boolean} isOnly the rest of the only key is the provider's rest, which has its own button
 */
function keyItem(key, actions, isOnly) {
  const name = nameOf(key);
  const isResting = key.enabled && key.restingUntil !== null;
  const wake = h(
    'button',
    {
      type: 'button',
      class: 'btn small',
      hidden: !isResting || isOnly,
      'data-act': `wake:${key.id}`,
      onclick: () => void actions.wake(key, wake),
    },
    'Try now',
    h('span', { class: 'sr' }, `: key ${name}`),
  );
  const toggle = h('input', {
    type: 'checkbox',
    role: 'switch',
    class: 'switch',
    'aria-label': `Use the key ${name}`,
    title: key.enabled ? 'On' : 'Off',
    checked: key.enabled,
    'data-act': `use:${key.id}`,
    onchange: () => void actions.use(key, toggle),
  });
  const label = `Remove the key ${name}`;
  const remove = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet small square dangerous',
      'aria-label': label,
      title: label,
      'data-act': `remove:${key.id}`,
      onclick: () => void actions.remove(key),
    },
    icon('trash'),
  );
  return h(
    'li',
    { 'data-act': `key:${key.id}` },
    h(
      'div',
      { class: 'row' },
      h(
        'div',
        { class: 'row wrap grow' },
        key.hint === null ? h('span', null, 'Unknown key') : h('code', { class: 'wrap-anywhere' }, key.hint),
        stateMark(keyCondition(key)),
      ),
      h('div', { class: 'row' }, wake, toggle, remove),
    ),
    h('div', { class: 'muted small' }, ...useOf(key)),
    key.lastError !== null &&
      key.state !== 'ok' &&
      h('div', { class: 'muted small' }, ...errorDetails(key.lastError)),
  );
}

/**
 * When a key was used, and when a refused one is tried again.
 * @param {Key} key
 */
function useOf({ state, restingUntil, lastUsedAt, enabled }) {
  const isRefused = enabled && state === 'refused' && restingUntil !== null;
  // Its state says so already.
  if (lastUsedAt === null && enabled && state === 'untested') return [];
  return [
    lastUsedAt === null ? 'Not used yet' : `Used ${relativeTime(lastUsedAt)}`,
    isRefused ? countdown(restingUntil, ', tried again in ') : null,
  ];
}

/** @param {(apiKey: string) => Promise<void>} add */
function addForm(add) {
  const field = textField({
    label: 'New key',
    param: 'apiKey',
    hint: 'Stored on the server and never shown again. With several keys, requests use them in turn.',
    input: { type: 'password', autocomplete: 'new-password', spellcheck: 'false', required: true },
  });
  const submit = h('button', { type: 'submit', class: 'btn' }, icon('plus'), 'Add key');
  const alert = alertBox();
  const form = h('form', { class: 'add-key' }, alert.element, field.element, submit);
  handleSubmit(form, {
    fields: [field],
    submit,
    alert,
    save: async () => {
      await add(field.control.value.trim());
      field.control.value = '';
      field.control.focus();
    },
  });
  return { form, field };
}
