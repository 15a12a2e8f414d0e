import { api, messageOf } from '../lib/api.js';
import { alertBox, searchField, setBusy } from '../lib/form.js';
import { number, plural, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { needsKey } from '../lib/health.js';
import { createLazyItems, createSentinel } from '../lib/lazy-items.js';
import { exampleCost, priceText } from '../lib/prices.js';
import { memberPath } from '../lib/resource.js';
import { createSegmented } from '../lib/segmented.js';
import { failed } from '../lib/states.js';
import { factsOf, suggestModels } from './first-run-facts.js';
import { stepButtons } from './first-run-step.js';
import { importAll } from './provider-import.js';

/**
 * @import { FirstRun, OfferedModel, Step } from './first-run.js'
 * @import { Price, Provider } from '../lib/types.js'
 */

const PATH = '/api/admin/providers';
const NAMED = 5;

/**
 * The third step: which of the provider's models people may use.
 * @param {FirstRun} run
 * @returns {Step}
 */
export function modelsStep(run) {
  return {
    id: 'models',
    title: 'Models',
    todo: 'Tick what people may use. You can add more at any time.',
    isDone: ({ models }) => models.length > 0,
    doneText: ({ models }) => {
      const rest = models.length - NAMED;
      const names = models.slice(0, NAMED).map(({ id }) => id);
      return `${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    },
    change: { label: 'Change', run: () => run.navigate('models') },
    content: () => modelsBox(run),
  };
}

/** @param {FirstRun} run */
function modelsBox(run) {
  const box = h('div', { class: 'stack' });
  const { provider } = factsOf(run.records());
  const skip = () => run.skip('models');
  const byHand = () =>
    h(
      'button',
      { type: 'button', class: 'btn large', onclick: () => run.navigate('models', 'add') },
      'Add a model',
    );
  if (provider === null) {
    box.append(
      h('p', null, 'Add a provider first: it tells which models it has.'),
      stepButtons(byHand(), skip),
    );
    return box;
  }
  async function load() {
    if (provider === null) return;
    box.replaceChildren(
      h(
        'p',
        { class: 'row muted', role: 'status' },
        h('span', { class: 'spin' }),
        'Fetching the list of models …',
      ),
    );
    try {
      const [models, listed] = await Promise.all([offeredBy(provider, run), listedPrices(provider)]);
      if (run.signal.aborted) return;
      if (models.length > 0) box.replaceChildren(modelPicker(provider, { run, models, listed }));
      else
        box.replaceChildren(
          h('p', null, 'The provider lists no models. You can add them yourself.'),
          stepButtons(byHand(), skip),
        );
    } catch (error) {
      if (!run.signal.aborted)
        box.replaceChildren(failed(messageOf(error), load), stepButtons(byHand(), skip));
    }
  }
  void load();
  return box;
}

/**
 * @param {Provider} provider
 * @param {FirstRun} run
 * @returns {Promise<readonly OfferedModel[]>}
 */
async function offeredBy({ id }, { memory, signal }) {
  if (memory.offered?.providerId === id) return memory.offered.models;
  const { data } = await api.get(`${memberPath(PATH, id)}/upstream-models`, { signal });
  memory.offered = { providerId: id, ms: null, models: data };
  return data;
}

/**
 * The shipped prices of a host, by model.
 * @param {Provider} provider
 * @returns {Promise<Map<string, Price>>}
 */
async function listedPrices({ baseUrl }) {
  const { data } = await api.get('/api/admin/prices').catch(() => ({ data: [] }));
  const { host } = new URL(baseUrl);
  /** @type {{ host: string, model: string, price: Price }[]} */
  const rows = data;
  return new Map(rows.filter((row) => row.host === host).map(({ model, price }) => [model, price]));
}

/**
 * @param {Provider} provider
 * @param {{ run: FirstRun, models: readonly OfferedModel[], listed: ReadonlyMap<string, Price> }} context
 */
function modelPicker(provider, { run, models, listed }) {
  const { suggested, ticked } = suggestModels(models.map(({ id }) => id));
  const selected = new Set(ticked);
  const prices = new Map(models.map(({ id, price }) => [id, price ?? listed.get(id) ?? null]));
  const isPaid = needsKey(provider.baseUrl) || [...prices.values()].some((price) => price !== null);
  let query = '';
  const host = h('ul', {
    class: 'pick-list',
    'aria-label': 'Models offered',
    'aria-description': 'Use the arrow keys to move.',
    onkeydown: moveFocus,
    onfocusin: setTabStop,
  });
  const sentinel = createSentinel();
  const rows = createLazyItems({ host, sentinel, renderItem: row });
  const foot = h('p', { class: 'small', role: 'status' });
  const alert = alertBox();
  const submit = h('button', { type: 'button', class: 'btn primary large', onclick: add });
  const search = searchField(`Search ${plural(models.length, 'model')}`, (text) => {
    query = text;
    rows.reset();
    render();
  });
  const kind = createSegmented({
    label: 'Show',
    choices: [
      { value: 'suggested', label: 'Suggested' },
      { value: 'all', label: 'All' },
    ],
    value: 'suggested',
    onChange: () => {
      rows.reset();
      render();
    },
  });

  /** @param {string} id */
  function row(id) {
    const box = h('input', {
      type: 'checkbox',
      class: 'tick',
      checked: selected.has(id),
      tabindex: -1,
      onchange: () => {
        if (box.checked) selected.add(id);
        else selected.delete(id);
        describe();
      },
    });
    const price = priceText(prices.get(id));
    return h(
      'li',
      null,
      h(
        'label',
        { class: 'pick' },
        box,
        h('span', { class: 'medium truncate', title: id }, id),
        isPaid && h('span', { class: 'r num' }, price ?? h('span', { class: 'badge warn' }, 'no price')),
      ),
    );
  }

  function render() {
    // A search looks in all models.
    const ids = query !== '' || kind.value() === 'all' ? models.map(({ id }) => id) : suggested;
    const found = ids.filter((id) => id.toLowerCase().includes(query));
    rows.show(found);
    if (found.length === 0) host.replaceChildren(h('li', { class: 'card-body muted' }, 'Nothing found.'));
    host.querySelector('input')?.setAttribute('tabindex', '0');
    describe();
  }

  function describe() {
    const { size } = selected;
    const costs = [...selected]
      .map((id) => prices.get(id))
      .map((price) => (price ? exampleCost(price) : null))
      .filter((cost) => cost !== null);
    foot.textContent = `${number(size)} ticked.${costText(costs)}`;
    submit.textContent = size === 0 ? 'Add models' : `Add ${plural(size, 'model')}`;
    submit.disabled = size === 0;
  }

  async function add() {
    if (submit.getAttribute('aria-busy') === 'true') return;
    setBusy(submit, true);
    alert.show(null);
    const ids = [...selected];
    const { problems } = await importAll(provider.id, ids, '');
    const told = models.filter(({ id, price }) => selected.has(id) && price).map(({ id }) => id);
    // The prices can be taken over later too.
    if (told.length > 0)
      await api.post(`${memberPath(PATH, provider.id)}/prices`, { models: told }).catch(() => null);
    setBusy(submit, false);
    if (problems.length > 0)
      alert.show(h('ul', { class: 'small' }, ...problems.slice(0, 10).map((text) => h('li', null, text))));
    if (problems.length < ids.length) await run.finish();
  }

  render();
  const card = h(
    'div',
    { class: 'card' },
    h('div', { class: 'card-head tight-head' }, search.element, kind.element),
    h(
      'div',
      { class: 'pick-head', 'aria-hidden': 'true' },
      h('span', null, 'Model'),
      isPaid && h('span', { class: 'r' }, '$ per 1M tokens, in / out'),
    ),
    h('div', { class: 'pick-scroll' }, host, sentinel),
    h('div', { class: 'card-foot' }, foot),
  );
  return h(
    'div',
    { class: 'stack' },
    alert.element,
    card,
    stepButtons(submit, () => run.skip('models')),
  );
}

/** @param {readonly number[]} costs of a question, one for each model whose price is known */
function costText(costs) {
  if (costs.length === 0) return '';
  const [least, most] = [requestCost(Math.min(...costs)), requestCost(Math.max(...costs))];
  return ` A typical question costs ≈ ${least === most ? least : `${least} to ${most}`}.`;
}

/**
 * The checkbox that had the focus last is the list's only stop of the Tab key.
 * @param {FocusEvent} event
 */
function setTabStop({ target, currentTarget }) {
  if (!(target instanceof HTMLInputElement) || !(currentTarget instanceof Element)) return;
  for (const other of currentTarget.querySelectorAll('input[tabindex="0"]'))
    other.setAttribute('tabindex', '-1');
  target.tabIndex = 0;
}

/** @param {KeyboardEvent} event */
function moveFocus(event) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0 || !(event.currentTarget instanceof Element)) return;
  const boxes = [...event.currentTarget.querySelectorAll('input')];
  const next = boxes[(event.target instanceof HTMLInputElement ? boxes.indexOf(event.target) : -1) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
