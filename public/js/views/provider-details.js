import { api, messageOf } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { setBusy } from '../lib/form.js';
import { h } from '../lib/h.js';
import { patchChildren } from '../lib/patch.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { memberPath } from '../lib/resource.js';
import { announce, toast } from '../lib/toast.js';
import { providerKeys } from './provider-keys.js';
import { providerStateDetails } from './provider-state.js';

/** @typedef {import('../lib/types.js').Provider} Provider */

/**
 * Shows the state of a provider and its keys. Changes of the keys are saved at once.
 * @param {Provider} provider
 * @param {{ isAddingKey?: boolean, onChange: (provider: Provider) => void }} options
 *   isAddingKey: the focus starts in the field for a new key; onChange: called with each newer state of the provider
 */
export function openProviderDetails(provider, { isAddingKey = false, onChange }) {
  const path = memberPath('/api/admin/providers', provider.id);
  const controller = new AbortController();
  let changes = 0;
  const state = h('div');
  const wake = h('button', { type: 'button', class: 'btn', onclick: () => void wakeAll() }, 'Try now');
  const close = h(
    'button',
    { type: 'button', class: 'btn primary', onclick: () => void dialog.tryClose() },
    'Close',
  );
  const keys = providerKeys({ provider, change });

  /** @param {Provider} next */
  function show(next) {
    patchChildren(state, [providerStateDetails(next)]);
    const isResting = next.enabled && next.health.state === 'resting';
    if (!isResting && document.activeElement === wake) close.focus();
    wake.hidden = !isResting;
    keys.show(next);
  }

  /** @param {() => Promise<unknown>} send */
  async function change(send) {
    changes++;
    await send();
    changes++;
    const next = await api.get(path);
    show(next);
    onChange(next);
  }

  async function wakeAll() {
    setBusy(wake, true);
    try {
      await change(() => api.post(`${path}/wake`));
      announce(`${provider.name} is used again.`, state);
    } catch (error) {
      toast.error(messageOf(error));
    }
    setBusy(wake, false);
  }

  async function refresh() {
    const before = changes;
    const next = await api.get(path, { keepSession: true }).catch(() => null);
    // The answer may be older than a change made here.
    if (next === null || before !== changes || controller.signal.aborted) return;
    show(next);
    onChange(next);
  }

  show(provider);
  const dialog = openDialog({
    title: `State and keys of ${provider.name}`,
    isDirty: () => keys.field.control.value !== '',
    onClose: () => controller.abort(),
    body: [
      h(
        'div',
        { class: 'stack' },
        state,
        h('section', { class: 'stack tight' }, h('h3', null, 'Keys'), keys.element),
      ),
    ],
    footer: [wake, close],
  });
  if (isAddingKey) keys.field.control.focus();
  else close.focus();
  void refresh();
  refreshWhileVisible(refresh, controller.signal);
}
