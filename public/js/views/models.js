import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { day, number, plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { severity } from '../lib/health.js';
import { createList } from '../lib/list.js';
import { isUnpriced, priceCell } from '../lib/prices.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cachedList, getList, loadQuietly, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn, titleCell } from '../lib/row.js';
import { stateCell } from '../lib/state-mark.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { visionBadge } from '../lib/vision.js';
import { editModel } from './model-form.js';
import { modelState, openModelDetails, targetsCell } from './model-state.js';
import { createModelUsage } from './model-usage.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/models';
const PROVIDERS = '/api/admin/providers';
/** Sums of 30 days move slowly. */
const USE_MS = 60_000;
/** The models as clients see them, with `vision` guessed where the model has no setting. */
const CALLABLE = '/v1/models';

/**
 * The Models tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountModels(container, context) {
  /** @type {Map<string, Provider>} */
  let providers = byId(cachedList(PROVIDERS) ?? []);
  /** Ids of the models that take images. */
  let visionIds = visionIdsOf(cachedList(CALLABLE) ?? []);
  const usage = createModelUsage({
    signal: context.signal,
    models: () => list.items(),
    onChange: () => list.renderLive(),
  });
  /** @type {ReturnType<typeof createList<Model>>} */
  const list = createList({
    label: 'Models',
    noun: 'model',
    signal: context.signal,
    head: context.head,
    open: { url: context.url, show: showDetails },
    path: PATH,
    alsoLoad: [PROVIDERS, CALLABLE],
    onLoad: () => {
      providers = byId(cachedList(PROVIDERS) ?? []);
      visionIds = visionIdsOf(cachedList(CALLABLE) ?? []);
      usage.forget();
      queueMicrotask(prices.update);
    },
    id: (model) => model.id,
    text: (model) => [model.id, model.name, ...[model, ...model.fallbacks].map(targetText)].join(' '),
    actions: [addButton('Add Model', () => edit(null))],
    empty: () =>
      emptyState(
        'cube',
        'No models yet',
        'A model is a name that clients use, and the provider that serves it. Fetch models from a provider, or add one yourself.',
        h(
          'button',
          { type: 'button', class: 'btn', onclick: () => context.navigate('providers') },
          'Go to Providers',
        ),
      ),
    columns: [
      { label: 'Model', class: 'main-cell', sort: (one) => one.name, cell: modelTitle },
      {
        label: 'State',
        class: 'state-cell',
        sort: (one) => severity(modelState(one, providers)),
        cell: stateOf,
        isLive: true,
      },
      {
        label: 'Runs on',
        class: 'c1 c2 w-runs',
        sort: (one) => providerName(one.providerId),
        cell: (one) => targetsCell(one, providers),
        isLive: true,
      },
      {
        label: '$ per 1M, in / out',
        class: 'c1 w-price r',
        sort: (one) => one.effectivePrice?.inputPerMTok ?? Number.MAX_SAFE_INTEGER,
        cell: modelPrice,
      },
      ...usage.columns,
      switchColumn({
        path: PATH,
        name: (/** @type {Model} */ one) => one.name,
        onChange: (changed) => list.put(changed),
      }),
      { label: 'Actions', class: 'acts-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {string} id */
  function providerName(id) {
    return providers.get(id)?.name ?? id;
  }

  /** @param {import('../lib/types.js').Fallback} target */
  function targetText({ providerId, upstreamModel }) {
    return `${upstreamModel ?? ''} ${providerId} ${providerName(providerId)}`;
  }

  /** @param {Model} model */
  function modelTitle(model) {
    const { id } = model;
    const count = model.fallbacks.length;
    const more = count === 0 ? '' : ` + ${plural(count, 'fallback')}`;
    return titleCell(
      model.name,
      [
        h('span', { class: 'mono', title: id }, id),
        h('span', { class: 'only-narrow' }, ` · ${providerName(model.providerId)}${more}`),
      ],
      id.includes('*') &&
        h(
          'span',
          { class: 'badge', title: 'Serves every name that fits and that no other model has' },
          'pattern',
        ),
      (model.vision ?? visionIds.has(model.id)) && visionBadge(),
    );
  }

  /** @param {Model} model */
  function stateOf(model) {
    const condition = modelState(model, providers);
    const { detail } = condition;
    return stateCell({
      id: model.id,
      name: model.name,
      condition,
      evidence: detail && h('div', { class: 'truncate', title: detail }, detail),
      onclick: () => showDetails(model),
    });
  }

  /** @param {Model} model */
  function showDetails(model) {
    openModelDetails(model, { providers: () => providers, refresh: refreshProviders });
  }

  async function refreshProviders() {
    const next = await loadQuietly(PROVIDERS);
    if (next === null || context.signal.aborted) return;
    providers = byId(next);
    list.renderLive();
  }

  /** @param {Model} model */
  function actions(model) {
    return actionsCell({ name: model.name, onEdit: () => edit(model), onDelete: () => remove(model) });
  }

  /** @param {Model | null} model */
  async function edit(model) {
    const allProviders = await getList(PROVIDERS).catch(() => []);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editModel(model, allProviders);
    if (changed === null) return;
    list.put(changed);
    toast.ok(`${changed.name} is saved.`);
    await list.reload();
  }

  /** @param {Model} model */
  async function remove(model) {
    const isDeleted = await confirmAndDelete({
      title: `Delete ${model.name}?`,
      message: `Requests for “${model.id}” will then be refused.`,
      run: () => api.del(memberPath(PATH, model.id)),
      done: `${model.name} is deleted.`,
    });
    if (isDeleted) list.remove(model.id);
  }

  const prices = priceFilter(list, context.url);
  container.append(h('div', { class: 'stack' }, prices.element, list.element));
  void list.reload();
  void usage.load();
  refreshWhileVisible(refreshProviders, context.signal);
  refreshWhileVisible(usage.load, context.signal, USE_MS);
  if (context.intent === 'add') void edit(null);
}

/** @param {Model} model */
function modelPrice(model) {
  const isByName = model.id.includes('*') && model.effectivePrice?.source === null;
  if (isByName)
    return h('span', { class: 'muted', title: 'Each name that fits has its own price' }, 'by name');
  return priceCell(model.effectivePrice);
}

/**
 * The chip above the list that shows only models without a price.
 * @param {{ items: () => Model[], filter: (isShown: ((model: Model) => boolean) | null) => void }} list
 * @param {import('../lib/url-state.js').UrlState} url
 */
function priceFilter(list, url) {
  const count = h('span', { class: 'badge' });
  const button = h(
    'button',
    {
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => url.set({ price: url.get('price') === 'none' ? null : 'none' }),
    },
    'Without price',
    count,
  );
  const chip = h('span', { class: 'chip' }, button);
  const asOf = h('span', { class: 'small muted push' });
  function apply() {
    const isOn = url.get('price') === 'none';
    chip.classList.toggle('set', isOn);
    button.setAttribute('aria-pressed', String(isOn));
    list.filter(isOn ? isUnpriced : null);
  }
  url.onChange(apply);
  apply();
  return {
    element: h('div', { class: 'filters' }, chip, asOf),
    update() {
      const models = list.items();
      const missing = models.filter(isUnpriced).length;
      count.textContent = number(missing);
      count.classList.toggle('warn', missing > 0);
      const listed = models.find((model) => model.effectivePrice?.source === 'list');
      asOf.textContent = listed ? `List prices of ${day(listed.effectivePrice?.asOf)}.` : '';
    },
  };
}

/** @param {{ id: string, vision?: boolean }[]} models */
function visionIdsOf(models) {
  return new Set(models.filter((model) => model.vision === true).map((model) => model.id));
}

/** @param {Provider[]} providers */
function byId(providers) {
  return new Map(providers.map((provider) => [provider.id, provider]));
}
