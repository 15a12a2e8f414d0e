import { api, messageOf } from '../lib/api.js';
import { selectField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { toast } from '../lib/toast.js';

/**
 * The card that chooses the provider of requests that name no model.
 * @param {string | null} stored
 * @param {import('../lib/types.js').Provider[]} providers
 */
export function defaultProviderCard(stored, providers) {
  let saved = stored;
  const choice = selectField({
    label: 'Default provider',
    param: 'defaultProviderId',
    choices: [{ value: '', label: 'None' }, ...providers.map(({ id, name }) => ({ value: id, label: name }))],
    value: stored ?? '',
    hint: 'Gets requests that name no model, and other paths of /v1, such as files and batches. You, the master key and keys that allow it can send them.',
  });
  choice.control.addEventListener('change', async () => {
    try {
      const body = { defaultProviderId: choice.control.value || null };
      saved = (await api.put('/api/admin/settings', body)).defaultProviderId;
      toast.ok(saved === null ? 'There is no default provider now.' : 'The default provider is saved.');
    } catch (error) {
      toast.error(messageOf(error));
    }
    choice.control.value = saved ?? '';
  });
  return h('section', { class: 'card pad stack' }, h('h2', null, 'Other requests'), choice.element);
}
