import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { createList } from '../lib/list.js';
import { cachedList, getList, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn, titleCell } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { visionBadge } from '../lib/vision.js';
import { editModel } from './model-form.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/models';
const PROVIDERS = '/api/admin/providers';
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
  const list = createList({
    label: 'Models',
    noun: 'model',
    signal: context.signal,
    path: PATH,
    alsoLoad: [PROVIDERS, CALLABLE],
    onLoad: () => {
      providers = byId(cachedList(PROVIDERS) ?? []);
      visionIds = visionIdsOf(cachedList(CALLABLE) ?? []);
    },
    id: (model) => model.id,
    text: (model) =>
      `${model.id} ${model.name} ${model.upstreamModel ?? ''} ${model.providerId} ${providers.get(model.providerId)?.name ?? ''}`,
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
      { label: 'Provider', class: 'wide w-l', sort: (one) => providerName(one), cell: providerCell },
      {
        label: 'Upstream name',
        class: 'wide wider mono w-l',
        sort: (one) => one.upstreamModel ?? '',
        cell: upstreamCell,
      },
      switchColumn({
        path: PATH,
        name: (/** @type {Model} */ one) => one.name,
        onChange: (changed) => list.put(changed),
      }),
      { label: 'Actions', class: 'actions-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {Model} model */
  function providerName(model) {
    return providers.get(model.providerId)?.name ?? model.providerId;
  }

  /** @param {Model} model */
  function modelTitle(model) {
    const { id } = model;
    return titleCell(
      model.name,
      [
        h('span', { class: 'mono', title: id }, id),
        h('span', { class: 'narrow-only' }, ` · ${providerName(model)}`),
      ],
      (model.vision ?? visionIds.has(model.id)) && visionBadge(),
    );
  }

  /** @param {Model} model */
  function providerCell(model) {
    const provider = providers.get(model.providerId);
    const isOff = provider !== undefined && !provider.enabled;
    return h(
      'div',
      { class: 'row nowrap' },
      h('span', { class: 'truncate', title: providerName(model) }, providerName(model)),
      isOff && h('span', { class: 'badge warn', title: 'The provider is switched off' }, 'off'),
    );
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

  container.append(list.element);
  void list.reload();
  if (context.intent === 'add') void edit(null);
}

/** @param {Model} model */
function upstreamCell(model) {
  if (model.upstreamModel === null) return h('span', { class: 'muted' }, 'same');
  return h('div', { class: 'truncate', title: model.upstreamModel }, model.upstreamModel);
}

/** @param {{ id: string, vision?: boolean }[]} models */
function visionIdsOf(models) {
  return new Set(models.filter((model) => model.vision === true).map((model) => model.id));
}

/** @param {Provider[]} providers */
function byId(providers) {
  return new Map(providers.map((provider) => [provider.id, provider]));
}
