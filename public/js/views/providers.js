import { ApiError, api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { number, plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { knownList, memberPath } from '../lib/resource.js';
import { confirmAndDelete, enabledSwitch, rowButton, titleCell } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { editProvider } from './provider-form.js';
import { importModels } from './provider-import.js';
import { testProvider } from './provider-test.js';

/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/providers';
const MODELS = '/api/admin/models';

/**
 * The Providers tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountProviders(container, context) {
  /** @type {Map<string, number>} */
  let modelCounts = countModels(knownList(MODELS) ?? []);
  const addButton = h(
    'button',
    { type: 'button', class: 'btn primary', id: 'add', onclick: () => void add() },
    icon('plus'),
    'Add Provider',
  );
  const list = createList({
    label: 'Providers',
    search: 'Search providers',
    signal: context.signal,
    path: PATH,
    beside: [MODELS],
    onLoad: () => {
      modelCounts = countModels(knownList(MODELS) ?? []);
    },
    id: (provider) => provider.id,
    text: (provider) => `${provider.name} ${provider.id} ${provider.baseUrl} ${provider.type}`,
    actions: [addButton],
    empty: () =>
      emptyState(
        'server',
        'No providers yet',
        'A provider is where requests go: OpenAI, OpenRouter, your own Ollama, anything that speaks the OpenAI API.',
      ),
    columns: [
      { label: 'Provider', class: 'main-cell', sort: (one) => one.name, cell: providerTitle },
      {
        label: 'Stored key',
        class: 'wide mono w-m',
        cell: (one) => one.apiKeyHint ?? h('span', { class: 'muted' }, 'none'),
      },
      {
        label: 'Models',
        class: 'wide w-s',
        sort: (one) => modelCounts.get(one.id) ?? 0,
        cell: (one) => number(modelCounts.get(one.id) ?? 0),
      },
      { label: 'On', class: 'switch-cell', sort: (one) => Number(!one.enabled), cell: onCell },
      { label: 'Actions', class: 'actions-cell w-actions-4', cell: actions },
    ],
  });

  /** @param {Provider} provider */
  function onCell(provider) {
    return enabledSwitch({
      name: provider.name,
      isOn: provider.enabled,
      save: async (enabled) => {
        list.put(await api.put(memberPath(PATH, provider.id), { enabled }));
      },
    });
  }

  /** @param {Provider} provider */
  function actions(provider) {
    return h(
      'div',
      { class: 'actions' },
      rowButton('bolt', `Test ${provider.name}`, () => testProvider(provider), { text: 'Test' }),
      rowButton('download', `Fetch models of ${provider.name}`, () => fetchModels(provider), {
        text: 'Fetch models',
      }),
      rowButton('edit', `Edit ${provider.name}`, () => edit(provider)),
      rowButton('trash', `Delete ${provider.name}`, () => remove(provider), { isDangerous: true }),
    );
  }

  async function add() {
    const made = await editProvider(
      null,
      list.items().map((one) => one.id),
    );
    if (made === null) return;
    list.put(made);
    toast.ok(`${made.name} is saved. Next: test it, then fetch its models.`);
  }

  /** @param {Provider} provider */
  async function edit(provider) {
    const changed = await editProvider(provider, []);
    if (changed === null) return;
    list.put(changed);
    toast.ok(`${changed.name} is saved.`);
  }

  /** @param {Provider} provider */
  async function fetchModels(provider) {
    const imported = await importModels(provider);
    if (imported === 0) return;
    toast.ok(`${plural(imported, 'model')} imported.`);
    await list.reload();
  }

  /** @param {Provider} provider */
  async function remove(provider) {
    const used = modelCounts.get(provider.id) ?? 0;
    const message =
      used === 0
        ? 'Its address and stored key are removed.'
        : `${plural(used, 'model')} ${used === 1 ? 'depends' : 'depend'} on it and would be removed with it.`;
    const isGone = await confirmAndDelete({
      title: `Delete ${provider.name}?`,
      message,
      confirmLabel: used === 0 ? 'Delete' : `Delete with ${plural(used, 'model')}`,
      run: () => removeWithModels(provider, used > 0),
      done: `${provider.name} is deleted.`,
    });
    if (!isGone) return;
    list.remove(provider.id);
    // Its models went with it.
    await list.reload();
  }

  container.append(list.element);
  void list.reload();
  if (context.intent === 'add') void add();
}

/**
 * Deletes; models added meanwhile are asked about.
 * @param {Provider} provider
 * @param {boolean} isAgreed
 */
async function removeWithModels(provider, isAgreed) {
  const path = memberPath(PATH, provider.id);
  try {
    await api.del(isAgreed ? `${path}?cascade=true` : path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'provider_in_use') throw error;
    const question = {
      title: 'Models depend on it',
      message: messageOf(error),
      confirmLabel: 'Delete them too',
      danger: true,
    };
    if (!(await confirmDialog(question))) throw new Error('Nothing was deleted.');
    await api.del(`${path}?cascade=true`);
  }
}

/** @param {Provider} provider */
function providerTitle(provider) {
  return titleCell(
    provider.name,
    h('span', { class: 'mono', title: provider.baseUrl }, provider.baseUrl),
    provider.type === 'chutes' && h('span', { class: 'badge' }, 'Chutes'),
    provider.apiKeyUnreadable &&
      h('span', { class: 'badge danger', title: 'Its stored key cannot be decrypted' }, 'key unreadable'),
  );
}

/** @param {import('../lib/types.js').Model[]} models */
function countModels(models) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const model of models) counts.set(model.providerId, (counts.get(model.providerId) ?? 0) + 1);
  return counts;
}
