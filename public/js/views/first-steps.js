import { baseUrl } from '../lib/api.js';
import { copyButton } from '../lib/copy.js';
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { exampleModel, snippets } from '../lib/snippets.js';

/**
 * @import { ApiKey, Model, Provider } from '../lib/types.js'
 * @typedef {{ providers: readonly Provider[], models: readonly Model[], keys: readonly ApiKey[] }} Records
 */

/**
 * Enabled models of enabled providers.
 * @param {Pick<Records, 'providers' | 'models'>} records
 */
export function usableModels({ providers, models }) {
  const enabledIds = new Set(providers.filter((one) => one.enabled).map((one) => one.id));
  return models.filter((model) => model.enabled && enabledIds.has(model.providerId));
}

/**
 * True when a program can send requests with a key of its own.
 * @param {Records} records
 */
export function isSetUp(records) {
  return usableModels(records).length > 0 && records.keys.some((one) => one.id !== 'master');
}

/**
 * The steps of the setup, with a button for each step that is not done.
 * @param {Records} records
 * @param {{ navigate: import('../pages/admin.js').Navigate }} context
 */
export function setupSteps(records, { navigate }) {
  const hasProvider = records.providers.some((one) => one.enabled);
  const steps = [
    {
      title: 'Add a provider',
      text: 'A provider answers the requests. Choose one, paste its API key, and test it.',
      isDone: hasProvider,
      action: 'Add a provider',
      run: () => navigate('providers', 'add'),
    },
    {
      title: 'Choose models',
      text: hasProvider
        ? 'Fetch the models of the provider, or add one yourself.'
        : 'When a provider is switched on, you can fetch its models.',
      isDone: usableModels(records).length > 0,
      action: hasProvider ? 'Fetch models' : 'Add a model',
      run: () => (hasProvider ? navigate('providers') : navigate('models', 'add')),
    },
    {
      title: 'Make an API key',
      text: 'Make a separate key for each program or person. You can switch each key off by itself.',
      isDone: records.keys.some((one) => one.id !== 'master'),
      action: 'Make a key',
      run: () => navigate('keys', 'add'),
    },
  ];
  const next = steps.findIndex((step) => !step.isDone);
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Set it up'),
    h(
      'ol',
      { class: 'setup' },
      ...steps.map((step, index) => stepLine(step, { index, isNext: index === next })),
    ),
  );
}

/**
 * @param {{ title: string, text: string, isDone: boolean, action: string, run: () => void }} step
 * @param {{ index: number, isNext: boolean }} place
 */
function stepLine(step, { index, isNext }) {
  return h(
    'li',
    { class: step.isDone ? 'done' : '' },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, step.isDone ? icon('check') : index + 1),
    h(
      'div',
      { class: 'grow' },
      h('h3', null, step.title, step.isDone && h('span', { class: 'sr' }, ' (done)')),
      h('p', { class: 'muted small' }, step.text),
    ),
    !step.isDone &&
      h('button', { type: 'button', class: isNext ? 'btn primary' : 'btn', onclick: step.run }, step.action),
  );
}

/**
 * The card that waits for the first request, with how to send it.
 * @param {readonly Model[]} models that can be used
 */
export function connectCard(models) {
  return h(
    'section',
    { class: 'card pad stack w8' },
    h('h2', null, 'Connect'),
    h(
      'p',
      { class: 'muted' },
      'Every client for the OpenAI API works. Enter the base URL above and one of your keys.',
    ),
    snippets({ model: exampleModel(models) }),
    h(
      'p',
      { class: 'row muted small' },
      h('span', { class: 'dot live', 'aria-hidden': 'true' }),
      'Waiting for the first request. It appears here as soon as it is answered.',
    ),
  );
}

/**
 * Shows how to connect a client, in a dialog.
 * @param {readonly Model[]} models that can be used
 */
export function showConnect(models) {
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
