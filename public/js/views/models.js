import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { knownList, memberPath, needList } from '../lib/resource.js';
import { confirmAndDelete, enabledSwitch, rowButton, titleCell } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { visionBadge } from '../lib/vision.js';
import { editModel } from './model-form.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Provider} Provider */

const PATH = '/api/admin/models';
const PROVIDERS = '/api/admin/providers';
/** What clients see; it says of each model whether it takes images. */
const OFFERED = '/v1/models';

/**
 * The Models tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountModels(container, context) {
  /** @type {Map<string, Provider>} */
  let providers = byId(knownList(PROVIDERS) ?? []);
  /** Those whose name tells the server that they take images. */
  let seeing = idsOfSeeing(knownList(OFFERED) ?? []);
  const addButton = h(
    'button',
    { type: 'button', class: 'btn primary', id: 'add', onclick: () => void edit(null) },
    icon('plus'),
    'Add Model',
  );
  const list = createList({
    label: 'Models',
    search: 'Search models',
    signal: context.signal,
    path: PATH,
    beside: [PROVIDERS, OFFERED],
    onLoad: () => {
      providers = byId(knownList(PROVIDERS) ?? []);
      seeing = idsOfSeeing(knownList(OFFERED) ?? []);
    },
    id: (model) => model.id,
    text: (model) =>
      `${model.id} ${model.name} ${model.upstreamModel ?? ''} ${model.providerId} ${providers.get(model.providerId)?.name ?? ''}`,
    actions: [addButton],
    empty: () =>
      emptyState(
        'cube',
        'No models yet',
        'A model gives a name that clients use to something a provider offers. Fetch them from a provider, or add one by hand.',
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
      { label: 'On', class: 'switch-cell', sort: (one) => Number(!one.enabled), cell: onCell },
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
      (model.vision ?? seeing.has(model.id)) && visionBadge(),
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
      isOff && h('span', { class: 'badge warn', title: 'Its provider is switched off' }, 'off'),
    );
  }

  /** @param {Model} model */
  function onCell(model) {
    return enabledSwitch({
      name: model.name,
      isOn: model.enabled,
      save: async (enabled) => {
        list.put(await api.put(memberPath(PATH, model.id), { enabled }));
      },
    });
  }

  /** @param {Model} model */
  function actions(model) {
    return h(
      'div',
      { class: 'actions' },
      rowButton('edit', `Edit ${model.name}`, () => edit(model)),
      rowButton('trash', `Delete ${model.name}`, () => remove(model), { isDangerous: true }),
    );
  }

  /** @param {Model | null} model */
  async function edit(model) {
    const choices = await needList(PROVIDERS).catch(() => []);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editModel(model, choices);
    if (changed === null) return;
    list.put(changed);
    toast.ok(`${changed.name} is saved.`);
    await list.reload();
  }

  /** @param {Model} model */
  async function remove(model) {
    const isGone = await confirmAndDelete({
      title: `Delete ${model.name}?`,
      message: `Requests for “${model.id}” are refused from then on.`,
      run: () => api.del(memberPath(PATH, model.id)),
      done: `${model.name} is deleted.`,
    });
    if (isGone) list.remove(model.id);
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

/** @param {{ id: string, vision?: boolean }[]} offered */
function idsOfSeeing(offered) {
  return new Set(offered.filter((model) => model.vision === true).map((model) => model.id));
}

/** @param {Provider[]} providers */
function byId(providers) {
  return new Map(providers.map((provider) => [provider.id, provider]));
}
