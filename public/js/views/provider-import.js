import { ApiError, api, messageOf } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { alertBox, checkField, setBusy } from '../lib/form.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { createPicker } from '../lib/picker.js';
import { priceText } from '../lib/prices.js';
import { memberPath } from '../lib/resource.js';
import { failed } from '../lib/states.js';
import { priceChanges, takeOverPrices } from './price-changes.js';

const PARALLEL_IMPORTS = 4;

/**
 * Lists the models of a provider and imports the selected ones.
 * @param {import('../lib/types.js').Provider} provider
 * @returns {Promise<number>} how many were imported
 */
export async function importModels(provider) {
  let imported = 0;
  let hasSelection = false;
  let isBusy = false;
  const body = h('div', { class: 'stack' });
  const submit = h('button', { type: 'button', class: 'btn primary', disabled: true }, 'Import');
  const close = h('button', { type: 'button', class: 'btn', onclick: () => void dialog.tryClose() }, 'Close');
  const dialog = openDialog({
    title: `Models of ${provider.name}`,
    size: 'wide',
    isDirty: () => hasSelection,
    isBusy: () => isBusy,
    body: [body],
    footer: [close, submit],
  });
  close.focus();

  async function load() {
    hasSelection = false;
    submit.disabled = true;
    body.replaceChildren(
      h('p', { class: 'row wrap muted' }, h('span', { class: 'spin' }), 'Fetching the list of models …'),
    );
    try {
      const { data } = await api.get(`${memberPath('/api/admin/providers', provider.id)}/upstream-models`);
      showChoice(data);
    } catch (error) {
      body.replaceChildren(failed(messageOf(error), load));
    }
  }

  /** @param {import('./price-changes.js').OfferedModel[]} found */
  function showChoice(found) {
    if (found.length === 0) {
      body.replaceChildren(
        h(
          'p',
          { class: 'muted' },
          'The provider lists no models. You can add them yourself in the Models tab.',
        ),
      );
      return;
    }
    const prices = priceChanges({ providerId: provider.id, found, onDone: load });
    if (found.every((one) => one.imported)) {
      const all = found.length === 1 ? 'The only model is' : `All ${found.length} models are`;
      body.replaceChildren(h('p', { class: 'muted' }, `${all} already imported.`), prices ?? '');
      return;
    }
    const picker = createPicker({
      label: 'Models offered',
      search: 'Search',
      choices: found.map((one) => ({
        id: one.id,
        detail: priceText(one.price) ?? '',
        isFixed: one.imported,
        note: one.imported ? 'imported' : '',
      })),
      onchange: () => {
        const { length } = picker.selected();
        hasSelection = length > 0;
        submit.disabled = length === 0;
        submit.textContent = length === 0 ? 'Import' : `Import ${plural(length, 'model')}`;
      },
    });
    const prefix = checkField({
      label: `Add the prefix “${provider.id}/” to the IDs`,
      hint: 'Needed if two providers have a model of the same name.',
      input: {},
    });
    const alert = alertBox();
    body.replaceChildren(alert.element, picker.element, prefix.element, prices ?? '');
    // A price far from the one that counts now may be a mistake: it is taken over by hand only.
    const priced = new Set(found.filter((one) => one.price && !one.isLargeChange).map((one) => one.id));
    submit.onclick = () => {
      if (!isBusy) void run(picker.selected(), prefix.control.checked ? `${provider.id}/` : '', priced);
    };
  }

  /**
   * @param {readonly string[]} ids
   * @param {string} prefix
   * @param {ReadonlySet<string>} priced ids whose prices are taken over too
   */
  async function run(ids, prefix, priced) {
    isBusy = true;
    setBusy(submit, true);
    const result = await importAll(provider.id, ids, prefix);
    const told = ids.filter((id) => priced.has(id));
    // Without them the models have the prices of the shipped list, or none, which the list of models shows.
    if (told.length > 0) await takeOverPrices(provider.id, told).catch(() => {});
    setBusy(submit, false);
    isBusy = false;
    imported += result.imported;
    if (result.problems.length === 0) {
      dialog.close();
      return;
    }
    await load();
    body.prepend(problemList(result));
  }

  void load();
  await dialog.closed;
  return imported;
}

/**
 * Creates a model for each id, a few at a time. One failure does not stop the others.
 * @param {string} providerId
 * @param {readonly string[]} ids
 * @param {string} prefix
 */
export async function importAll(providerId, ids, prefix) {
  const queue = [...ids];
  const result = { imported: 0, problems: /** @type {string[]} */ ([]) };
  const worker = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        const upstreamModel = prefix ? id : null;
        await api.post('/api/admin/models', { id: prefix + id, name: id, providerId, upstreamModel });
        result.imported++;
      } catch (error) {
        const isTaken = error instanceof ApiError && error.code === 'already_exists';
        result.problems.push(
          isTaken
            ? `${prefix}${id}: a model with this ID exists. Import it with the prefix.`
            : `${id}: ${messageOf(error)}`,
        );
        // If the server does not answer, the others would fail too.
        if (error instanceof ApiError && error.status === 0) queue.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_IMPORTS }, worker));
  return result;
}

/** @param {{ imported: number, problems: string[] }} result */
function problemList(result) {
  const shown = result.problems.slice(0, 20);
  const rest = result.problems.length - shown.length;
  return h(
    'div',
    { class: 'note warn', role: 'alert' },
    h(
      'div',
      null,
      h('strong', null, `${plural(result.imported, 'model')} imported, ${result.problems.length} failed:`),
      h(
        'ul',
        { class: 'small' },
        ...shown.map((text) => h('li', null, text)),
        rest > 0 && h('li', null, `and ${rest} more`),
      ),
    ),
  );
}
