import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { openPopup } from '../lib/popup.js';
import { createSegmented } from '../lib/segmented.js';
import { DAY_MS, dayStart, isoTime } from './time-range.js';
import { dateValue, monthName, spanText } from './time-text.js';

/** @import { TimeRange } from './time-range.js' */

/** The ledger keeps days for two years. */
const MOST_DAYS = 731;

/**
 * Chooses the time: the usual ranges, or days from and to.
 * @param {{ range: TimeRange, nowMs: number, onChange: (params: { range: string | null, from: string | null, to: string | null }) => void }} options
 */
export function createRangePicker({ range: first, nowMs, onChange }) {
  let range = first;
  const segmented = createSegmented({
    label: 'Time range',
    choices: [
      { value: '24h', label: '24 hours' },
      { value: '7d', label: '7 days' },
      { value: '30d', label: '30 days' },
      { value: 'month', label: monthName(nowMs, first.zone) },
    ],
    value: first.id,
    onChange: (value) => onChange({ range: value, from: null, to: null }),
  });
  const own = h('button', {
    type: 'button',
    'aria-haspopup': 'dialog',
    'aria-expanded': false,
    title: 'Another range',
  });
  own.addEventListener('click', () => openDays(own, { range, nowMs, onChange }));
  const chip = h('span', { class: 'chip' }, own);

  /** @param {TimeRange} next */
  function show(next) {
    range = next;
    segmented.set(next.id);
    const isOwn = next.id === 'custom';
    chip.className = `chip ${isOwn ? 'set' : 'given'}`;
    own.replaceChildren(
      icon('calendar'),
      isOwn ? spanText(next, nowMs) : h('span', { class: 'sr' }, 'Another range'),
    );
  }
  show(first);
  return { elements: [segmented.element, chip], show };
}

/**
 * @param {HTMLElement} anchor
 * @param {Parameters<typeof createRangePicker>[0]} options
 */
function openDays(anchor, { range, nowMs, onChange }) {
  const { zone } = range;
  const today = dateValue(nowMs, zone);
  const least = dateValue(nowMs - MOST_DAYS * DAY_MS, zone);
  const field = (/** @type {string} */ label, /** @type {string} */ value) => {
    const input = h('input', { type: 'date', class: 'input', value, min: least, max: today, required: true });
    return { input, element: h('label', { class: 'field' }, h('span', { class: 'label' }, label), input) };
  };
  const from = field('From', dateValue(range.fromMs, zone));
  const to = field('To', dateValue(Math.min(range.toMs - 1, nowMs), zone));
  const form = h(
    'form',
    { class: 'range-form', onsubmit: apply },
    from.element,
    to.element,
    h('button', { type: 'submit', class: 'btn primary' }, 'Show'),
  );
  const popup = openPopup(anchor, form, { label: 'Another range', role: 'dialog' });
  /** @param {Event} event */
  function apply(event) {
    event.preventDefault();
    const days = [from.input.value, to.input.value].sort();
    const [first, last] = days.map((value) => dayStart(Date.parse(value) - zone * 60_000, zone));
    popup.close();
    onChange({ range: null, from: isoTime(first), to: isoTime(dayStart(last + DAY_MS, zone)) });
  }
}
