import { baseUrl } from '../lib/api.js';
import { copyButton } from '../lib/copy.js';
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';

/** @import { Model, Provider } from '../lib/types.js' */

/**
 * Enabled models of enabled providers.
 * @param {{ providers: readonly Provider[], models: readonly Model[] }} records
 */
export function usableModels({ providers, models }) {
  const enabledIds = new Set(providers.filter((one) => one.enabled).map((one) => one.id));
  return models.filter((model) => model.enabled && enabledIds.has(model.providerId));
}

/**
 * Shows how to connect a client, in a dialog.
 * @param {readonly Model[]} models that can be used
 */
export async function showConnect(models) {
  const { exampleModel, snippets } = await import('../lib/snippets.js');
  openDialog({
    title: 'Connect a client',
    size: 'wide',
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'muted' }, 'Every client for the OpenAI API works. It needs two things:'),
        h(
          'dl',
          { class: 'facts' },
          h('dt', null, 'Base URL'),
          h('dd', null, addressLine()),
          h('dt', null, 'API key'),
          h('dd', null, 'One of your keys, in place of the one in the examples.'),
        ),
        snippets({ model: exampleModel(models) }),
      ),
    ],
  });
}

/** The base URL, with a button that copies it. */
export function addressLine() {
  const address = h('code', { title: baseUrl() }, baseUrl());
  return h(
    'div',
    { class: 'copy-line address' },
    address,
    copyButton(baseUrl, address, { label: 'Copy the base URL' }),
  );
}
