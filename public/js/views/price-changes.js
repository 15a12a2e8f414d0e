import { api, messageOf } from '../lib/api.js';
import { alertBox, setBusy } from '../lib/form.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { AMOUNTS, priceText, sourceText } from '../lib/prices.js';
import { clearCachedLists, memberPath } from '../lib/resource.js';
import { announce } from '../lib/toast.js';

/** @typedef {import('../lib/types.js').Price} Price */
/**
 * @typedef {{
 *   id: string, imported: boolean, price?: Price | null, effectivePrice?: import('../lib/types.js').EffectivePrice,
 *   isLargeChange?: boolean,
 * }} OfferedModel price: as the provider tells it; absent: it never told one; null: it tells none any more
 */

/**
 * The prices of models in use that the provider tells otherwise than they count here. Large changes, which may be mistakes of the
 * list, are not ticked.
 * @param {{ providerId: string, found: readonly OfferedModel[], onDone: () => void }} options onDone: after prices were taken over
 * @returns {HTMLElement | null} null: nothing differs
 */
export function priceChanges({ providerId, found, onDone }) {
  const changes = found.filter((one) => one.imported && differs(one));
  if (changes.length === 0) return null;
  const alert = alertBox();
  const boxes = changes.map((one) =>
    h('input', { type: 'checkbox', checked: one.isLargeChange !== true, onchange: update }),
  );
  const submit = h('button', { type: 'button', class: 'btn', onclick: () => void takeOver() });
  const chosen = () => changes.filter((_, index) => boxes[index].checked).map((one) => one.id);
  function update() {
    const { length } = chosen();
    submit.disabled = length === 0;
    submit.textContent = length === 0 ? 'Take over' : `Take over ${plural(length, 'price')}`;
  }
  async function takeOver() {
    if (submit.getAttribute('aria-busy') === 'true') return;
    setBusy(submit, true);
    try {
      const { data } = await takeOverPrices(providerId, chosen());
      announce(`${plural(data.length, 'price')} taken over.`, submit);
      onDone();
    } catch (error) {
      alert.show(messageOf(error));
    }
    setBusy(submit, false);
  }
  update();
  return h(
    'section',
    { class: 'stack tight', 'aria-label': 'Changed prices' },
    h('h3', null, 'Changed prices'),
    h(
      'p',
      { class: 'hint' },
      'The provider tells other prices for models in use. Dollars for a million tokens, in / out.',
    ),
    alert.element,
    h('ul', { class: 'price-changes' }, ...changes.map((one, index) => changeRow(one, boxes[index]))),
    h('div', null, submit),
  );
}

/**
 * Takes over the prices that the provider tells now.
 * @param {string} providerId
 * @param {readonly string[]} models names at the provider
 */
export async function takeOverPrices(providerId, models) {
  const answer = await api.post(`${memberPath('/api/admin/providers', providerId)}/prices`, { models });
  clearCachedLists('/api/admin/models');
  return answer;
}

/**
 * @param {OfferedModel} model
 * @param {HTMLInputElement} box
 */
function changeRow({ id, price, effectivePrice, isLargeChange }, box) {
  const before = priceText(effectivePrice);
  const source = effectivePrice && before !== null ? ` (${sourceText(effectivePrice)})` : '';
  return h(
    'li',
    null,
    h(
      'label',
      { class: 'check' },
      box,
      h('span', { class: 'grow truncate', title: id }, id),
      isLargeChange && h('span', { class: 'badge warn' }, 'large change'),
      h(
        'span',
        { class: 'num small nowrap' },
        h('del', { class: 'muted' }, before ?? 'no price'),
        h('span', { class: 'sr' }, ' becomes '),
        h('span', { class: 'muted' }, source),
        ' → ',
        priceText(price) ?? 'no price',
      ),
    ),
  );
}

/** @param {OfferedModel} model */
function differs({ price, effectivePrice }) {
  if (price === undefined) return false;
  return AMOUNTS.some((name) => (price?.[name] ?? null) !== (effectivePrice?.[name] ?? null));
}
