import { ApiError, api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { plural } from '../lib/format.js';
import { memberPath } from '../lib/resource.js';

/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/providers';

/**
 * Deletes a provider. If models were added meanwhile, asks again before deleting them.
 * @param {Provider} provider
 * @param {boolean} withModels
 */
export async function removeWithModels(provider, withModels) {
  const path = memberPath(PATH, provider.id);
  try {
    await api.del(withModels ? `${path}?cascade=true` : path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'provider_in_use') throw error;
    const question = {
      title: 'Delete the models too?',
      message: messageOf(error),
      confirmLabel: 'Delete models',
      danger: true,
    };
    if (!(await confirmDialog(question))) throw new Error('Nothing was deleted.');
    await api.del(`${path}?cascade=true`);
  }
}

/**
 * How many models of other providers use a provider as a fallback.
 * @param {import('../lib/types.js').Model[]} models
 * @param {Provider} provider
 */
export function countHelped(models, { id }) {
  return models.filter(
    (model) => model.providerId !== id && model.fallbacks.some((fallback) => fallback.providerId === id),
  ).length;
}

/**
 * What a deletion takes along, in sentences.
 * @param {number} used how many models are deleted too
 * @param {number} helped how many models lose a fallback
 */
export function deletionText(used, helped) {
  const deleted =
    used === 0
      ? 'The provider and its stored keys will be deleted.'
      : `The provider, its stored keys and ${plural(used, 'model')} that ${used === 1 ? 'uses' : 'use'} it will be deleted.`;
  if (helped === 0) return deleted;
  return `${deleted} ${plural(helped, 'other model')} will lose a fallback.`;
}
