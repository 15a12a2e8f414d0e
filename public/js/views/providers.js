import { ApiError, api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { number, plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { KEY_MISSING, providerCondition, severity } from '../lib/health.js';
import { createList } from '../lib/list.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cachedList, loadQuietly, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, rowButton, switchColumn, titleCell } from '../lib/row.js';
import { stateCell } from '../lib/state-mark.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { openProviderDetails } from './provider-details.js';
import { editProvider } from './provider-form.js';
import { importModels } from './provider-import.js';
import { evidenceOf, keysText } from './provider-state.js';
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
  let modelCounts = countModels(cachedList(MODELS) ?? []);
  const list = createList({
    label: 'Providers',
    noun: 'provider',
    signal: context.signal,
    head: context.head,
    open: { url: context.url, show: (one) => showDetails(one, false) },
    path: PATH,
    alsoLoad: [MODELS],
    onLoad: () => {
      modelCounts = countModels(cachedList(MODELS) ?? []);
    },
    id: (provider) => provider.id,
    toFixed: withoutState,
    text: (provider) => `${provider.name} ${provider.id} ${provider.baseUrl} ${provider.type}`,
    actions: [addButton('Add Provider', add)],
    empty: () =>
      emptyState(
        'server',
        'No providers yet',
        'A provider answers the requests: OpenAI, OpenRouter, your own Ollama, or any other service with the OpenAI API.',
      ),
    columns: [
      { label: 'Provider', class: 'main-cell', sort: (one) => one.name, cell: providerTitle },
      {
        label: 'State',
        class: 'state-cell',
        sort: (one) => severity(providerCondition(one)),
        cell: providerState,
        isLive: true,
      },
      { label: 'Keys', class: 'c1 w-k', cell: keysCell, isLive: true },
      {
        label: 'Models',
        class: 'c1 c2 w-n',
        sort: (one) => modelCounts.get(one.id) ?? 0,
        cell: (one) => number(modelCounts.get(one.id) ?? 0),
      },
      switchColumn({
        path: PATH,
        name: (/** @type {Provider} */ one) => one.name,
        onChange: (changed) => list.put(changed),
      }),
      { label: 'Actions', class: 'acts-cell w-actions-4', cell: actions },
    ],
  });

  /** @param {Provider} provider */
  function providerState(provider) {
    const condition = providerCondition(provider);
    const evidence = evidenceOf(provider);
    return stateCell({
      id: provider.id,
      name: provider.name,
      condition,
      evidence:
        condition === KEY_MISSING
          ? linkButton(`add-key:${provider.id}`, ['Add a key'], () => addKey(provider))
          : evidence && h('div', { class: 'truncate', title: evidence }, evidence),
      onclick: () => showDetails(provider, false),
    });
  }

  /** @param {Provider} provider */
  function addKey(provider) {
    // The pressed button is gone once there is a key, so that the focus could not come back to it.
    document.getElementById(`state:${provider.id}`)?.focus();
    showDetails(provider, true);
  }

  /** @param {Provider} provider */
  function keysCell(provider) {
    const name = h('span', { class: 'sr' }, `Keys of ${provider.name}: `);
    return linkButton(`keys:${provider.id}`, [name, keysText(provider)], () => showDetails(provider, false));
  }

  /**
   * @param {Provider} provider
   * @param {boolean} isAddingKey
   */
  function showDetails(provider, isAddingKey) {
    openProviderDetails(latest(provider), { isAddingKey, onChange: list.update });
  }

  /**
   * The newest state of a provider whose row may be older.
   * @param {Provider} provider
   * @returns {Provider}
   */
  function latest(provider) {
    return list.items().find((one) => one.id === provider.id) ?? provider;
  }

  /** @param {Provider} provider */
  function actions(provider) {
    return actionsCell({
      name: provider.name,
      onEdit: () => edit(latest(provider)),
      onDelete: () => remove(provider),
      more: [
        rowButton('bolt', `Test ${provider.name}`, () => testProvider(provider), { text: 'Test' }),
        rowButton('download', `Fetch models of ${provider.name}`, () => fetchModels(provider), {
          text: 'Fetch models',
        }),
      ],
    });
  }

  async function add() {
    const created = await editProvider(
      null,
      list.items().map((one) => one.id),
    );
    if (created === null) return;
    list.put(created);
    toast.ok(`${created.name} is saved. Next: test it, then fetch its models.`);
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
    const helped = countHelped(cachedList(MODELS) ?? [], provider);
    const isDeleted = await confirmAndDelete({
      title: `Delete ${provider.name}?`,
      message: deletionText(used, helped),
      confirmLabel: used === 0 ? 'Delete' : `Delete with ${plural(used, 'model')}`,
      run: () => removeWithModels(provider, used + helped > 0),
      done: `${provider.name} is deleted.`,
    });
    if (!isDeleted) return;
    list.remove(provider.id);
    // The models of the provider were deleted too.
    await list.reload();
  }

  container.append(list.element);
  void list.reload();
  refreshWhileVisible(() => list.refresh(() => loadQuietly(PATH)), context.signal);
  if (context.intent === 'add') void add();
}

/**
 * Deletes a provider. If models were added meanwhile, asks again before deleting them.
 * @param {Provider} provider
 * @param {boolean} withModels
 */
async function removeWithModels(provider, withModels) {
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

/** @param {Provider} provider */
function providerTitle(provider) {
  return titleCell(
    provider.name,
    h('span', { class: 'mono', title: provider.baseUrl }, provider.baseUrl),
    provider.type === 'chutes' && h('span', { class: 'badge' }, 'Chutes'),
  );
}

/**
 * What all but the live cells show.
 * @param {Provider} provider
 */
function withoutState({ health, apiKeys, apiKeyHint, apiKeyUnreadable, updatedAt, ...fixed }) {
  return fixed;
}

/**
 * A button that looks like a link, in a cell whose content changes by itself.
 * @param {string} act
 * @param {import('../lib/h.js').Child[]} content
 * @param {() => unknown} onclick
 */
function linkButton(act, content, onclick) {
  return h(
    'button',
    { type: 'button', class: 'link-button', id: act, 'data-act': act, onclick: () => void onclick() },
    ...content,
  );
}

/**
 * How many models of other providers use a provider as a fallback.
 * @param {import('../lib/types.js').Model[]} models
 * @param {Provider} provider
 */
function countHelped(models, { id }) {
  return models.filter(
    (model) => model.providerId !== id && model.fallbacks.some((fallback) => fallback.providerId === id),
  ).length;
}

/**
 * @param {number} used how many models are deleted too
 * @param {number} helped how many models lose a fallback
 */
function deletionText(used, helped) {
  const deleted =
    used === 0
      ? 'The provider and its stored keys will be deleted.'
      : `The provider, its stored keys and ${plural(used, 'model')} that ${used === 1 ? 'uses' : 'use'} it will be deleted.`;
  if (helped === 0) return deleted;
  return `${deleted} ${plural(helped, 'other model')} will lose a fallback.`;
}

/** @param {import('../lib/types.js').Model[]} models */
function countModels(models) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const model of models) counts.set(model.providerId, (counts.get(model.providerId) ?? 0) + 1);
  return counts;
}
