import { statusStrip } from '../charts/status-strip.js';
import { money, number, plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { KEY_MISSING, providerCondition, severity } from '../lib/health.js';
import { createList } from '../lib/list.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cachedList, loadQuietly } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, rowButton, switchColumn } from '../lib/row.js';
import { serverNow } from '../lib/server-clock.js';
import { stateCell } from '../lib/state-mark.js';
import { emptyState } from '../lib/states.js';
import { loadStyles } from '../lib/styles.js';
import { toast } from '../lib/toast.js';
import { openProviderDetails } from './provider-details.js';
import { editProvider } from './provider-form.js';
import { importModels } from './provider-import.js';
import { countHelped, deletionText, removeWithModels } from './provider-removal.js';
import { evidenceOf, keysText } from './provider-state.js';
import { loadProviderHours } from './provider-strips.js';
import { testProvider } from './provider-test.js';
import { providerTitle } from './provider-title.js';

/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/providers';
const MODELS = '/api/admin/models';
/** The last 24 hours change slowly. */
const HOURS_EVERY_MS = 60_000;

/**
 * The Providers tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountProviders(container, context) {
  /** @type {import('./provider-strips.js').ProviderHours} */
  let hours = new Map();
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
      {
        label: 'Last 24 hours',
        class: 'c1 c2 w-strip',
        sort: (one) => -errorShare(one),
        cell: stripCell,
        isLive: true,
      },
      {
        label: '≈ Spend, 24 h',
        class: 'c1 c3 w-m r',
        sort: (one) => -(spendOf(one) ?? -1),
        cell: (one) => h('span', { class: 'num' }, money(spendOf(one))),
        isLive: true,
      },
      { label: 'Keys', class: 'c1 w-k', cell: keysCell, isLive: true },
      {
        label: 'Models',
        class: 'c1 c3 w-n',
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
  function stripCell({ id, name }) {
    const shown = hours.get(id) ?? [];
    const zone = -new Date().getTimezoneOffset();
    return statusStrip({ name, hours: shown, nowMs: serverNow(), zone });
  }

  /** What was spent there in the last 24 hours; null: nothing was priced. @param {Provider} provider */
  function spendOf({ id }) {
    const costs = (hours.get(id) ?? []).map((hour) => hour.costUsd).filter((cost) => cost !== null);
    return costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0);
  }

  /** @param {Provider} provider */
  function errorShare({ id }) {
    const shown = hours.get(id) ?? [];
    const requests = shown.reduce((sum, hour) => sum + hour.requests, 0);
    return requests === 0 ? 0 : shown.reduce((sum, hour) => sum + hour.failed, 0) / requests;
  }

  /** @param {boolean} isQuiet */
  async function loadHours(isQuiet) {
    const next = await loadProviderHours(context.signal, { isQuiet }).catch(() => null);
    if (next === null || context.signal.aborted) return;
    hours = next;
    list.renderLive();
  }

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
  void Promise.all([loadHours(false), loadStyles('charts.css')]);
  refreshWhileVisible(() => loadHours(true), context.signal, HOURS_EVERY_MS);
  if (context.intent === 'add') void add();
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

/** @param {import('../lib/types.js').Model[]} models */
function countModels(models) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const model of models) counts.set(model.providerId, (counts.get(model.providerId) ?? 0) + 1);
  return counts;
}
