import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { modelCondition, targetsOf } from '../lib/health.js';
import { patchChildren } from '../lib/patch.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { errorDetails, stateMark } from '../lib/state-mark.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/health.js').Target} Target */
/** @typedef {ReadonlyMap<string, import('../lib/types.js').Provider>} Providers */

/**
 * Where a model runs, in two lines: the providers that share its load, and the name that it has there and its fallbacks.
 * @param {Model} model
 * @param {Providers} providers
 */
export function targetsCell(model, providers) {
  const targets = targetsOf(model, providers);
  const group = targets.filter((target) => target.share !== null);
  const first = group.map((one) => (group.length > 1 ? `${one.name} ${percent(one)}` : one.name)).join(' · ');
  const fallbacks = fallbackText(targets);
  const detail = [model.upstreamModel, fallbacks].filter(Boolean).join(' · ');
  return h(
    'div',
    null,
    h(
      'div',
      { class: 'row' },
      h('span', { class: 'truncate', title: first }, first),
      targets[0].provider?.enabled === false &&
        h('span', { class: 'badge warn', title: 'The provider is switched off' }, 'off'),
    ),
    detail &&
      h(
        'div',
        { class: 'muted small truncate', title: detail },
        model.upstreamModel && h('span', { class: 'mono' }, model.upstreamModel),
        model.upstreamModel && fallbacks && ' · ',
        fallbacks,
      ),
  );
}

/**
 * `then OpenRouter`; empty without fallbacks.
 * @param {readonly Target[]} targets
 */
function fallbackText(targets) {
  const names = targets.filter((target) => target.share === null).map((target) => target.name);
  return names.length === 0 ? '' : `then ${names.join(', ')}`;
}

/** @param {Target} target */
function percent({ share }) {
  return `${Math.round((share ?? 0) * 100)} %`;
}

/**
 * Shows the state of each target of a model.
 * @param {Model} model
 * @param {{ providers: () => Providers, refresh: () => Promise<unknown> }} options providers: the newest; refresh: loads them
 */
export function openModelDetails(model, { providers, refresh }) {
  const controller = new AbortController();
  const content = h('div', { class: 'stack' });
  const show = () => patchChildren(content, targetList(model, providers()));
  const close = h('button', { type: 'button', class: 'btn primary', onclick: () => dialog.close() }, 'Close');
  show();
  const dialog = openDialog({
    title: `State of ${model.name}`,
    onClose: () => controller.abort(),
    body: [content],
    footer: [close],
  });
  refreshWhileVisible(async () => {
    await refresh();
    show();
  }, controller.signal);
}

/**
 * @param {Model} model
 * @param {Providers} providers
 */
function targetList(model, providers) {
  const targets = targetsOf(model, providers);
  const intro =
    targets.length > 1
      ? 'Requests go to the first provider here that works. Those with a percentage share the requests.'
      : 'The state of the provider that serves this model.';
  return [
    h('p', { class: 'muted' }, intro),
    !model.enabled && h('p', null, 'The model itself is switched off.'),
    h('ol', { class: 'targets' }, ...targets.map((target) => targetItem(model, target))),
  ].filter((node) => node instanceof Node);
}

/**
 * @param {Model} model
 * @param {Target} target
 */
function targetItem(model, target) {
  const { share, provider, condition } = target;
  const isShared = share !== null && share < 1;
  const lastError = provider?.health.lastError ?? null;
  const isTroubled = condition.kind === 'bad' || condition.kind === 'warn';
  return h(
    'li',
    null,
    h(
      'div',
      { class: 'row wrap between' },
      h('strong', { class: 'wrap-anywhere' }, target.name),
      stateMark(condition),
    ),
    h(
      'div',
      { class: 'muted small wrap-anywhere' },
      h('span', { class: 'mono' }, target.upstreamModel ?? model.id),
      isShared ? `, ${percent(target)} of the requests` : share === null ? ', fallback' : null,
    ),
    isTroubled && lastError !== null && h('div', { class: 'small' }, ...errorDetails(lastError)),
  );
}

/**
 * The state of a model and which of its targets do not answer.
 * @param {Model} model
 * @param {Providers} providers
 */
export function modelState(model, providers) {
  return modelCondition(model, targetsOf(model, providers));
}
