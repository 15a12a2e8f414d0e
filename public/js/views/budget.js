/** The budget of a key or a user: in a row of a list, and with “Give more once” in the drawer. */
import { api, messageOf } from '../lib/api.js';
import { budgetBar, progressBar } from '../lib/budget-bar.js';
import { budgetState, paceText } from '../lib/budget-pace.js';
import { setBusy } from '../lib/form.js';
import { compact, money } from '../lib/format.js';
import { h } from '../lib/h.js';
import { budgetOf, periodText, resetNote, resetTime } from '../lib/limits.js';
import { createSegmented } from '../lib/segmented.js';
import { serverNow } from '../lib/server-clock.js';
import { announce, toast } from '../lib/toast.js';
import { parseCount } from './limit-fields.js';

/** @typedef {import('../lib/limits.js').Limited} Limited */
/** @typedef {import('../lib/limits.js').Budget} Budget */

/**
 * The cell with the budget: used of limit, a word, when it opens again.
 * @param {Limited} owner
 */
export function budgetCell(owner) {
  const { usage } = owner;
  if (!usage) return h('span', { class: 'muted' }, '–');
  const budget = budgetState(owner, serverNow());
  if (budget === null) {
    const title = `Spent ${periodText(usage)}`;
    return h('div', { title }, budgetBar({ used: usage.costUsd, limit: null }));
  }
  const isTokens = budget.unit === 'tokens';
  const note = [
    isTokens && 'tokens',
    usage.period !== 'month' && periodText(usage),
    paceText(budget) || resetNote(budget, usage),
  ].filter(Boolean);
  const bar = budgetBar({ ...budget, format: isTokens ? compact : money, note: note.join(' · ') });
  return h('div', { title: periodText(usage) }, bar);
}

/**
 * For sorting: the share that is used, then what was spent.
 * @param {Limited} owner
 */
export function budgetOrder(owner) {
  const budget = budgetOf(owner);
  return budget === null ? (owner.usage?.costUsd ?? 0) / 1e9 : 1 + budget.used / budget.limit;
}

/**
 * The budget in the drawer, with the form that gives more until the period ends.
 * @template {Limited} T
 * @param {T} owner
 * @param {{ path: string, onChange: (owner: T) => void }} options path: of the key or user at the API
 */
export function budgetSection(owner, { path, onChange }) {
  const { usage } = owner;
  if (!usage) return null;
  const budget = budgetState(owner, serverNow());
  if (budget === null) {
    const text = `spent ${periodText(usage)}, no budget`;
    return h('p', null, h('span', { class: 'figure' }, money(usage.costUsd)), ' ', muted(text));
  }
  const { kind } = budget;
  const percent = Math.floor(budget.share * 100);
  const pace = paceText(budget);
  const granted = budget.unit === 'usd' ? usage.grantedUsd : usage.grantedTokens;
  const given = granted > 0 ? `, ${budget.format(granted)} of it given once` : '';
  return h(
    'div',
    { class: 'stack tight' },
    h(
      'div',
      { class: 'row between' },
      h(
        'p',
        null,
        h('span', { class: 'figure' }, budget.format(budget.used)),
        ' ',
        muted(`of ${budget.format(budget.limit)} ${periodText(usage)}${given}`),
      ),
      h(
        'span',
        { class: `badge ${kind === 'ok' ? '' : kind}` },
        kind === 'bad' ? 'used up' : `${percent}\u202f%`,
      ),
    ),
    progressBar({ percent, kind, markPercent: budget.warnPercent }),
    h(
      'p',
      { class: 'small muted' },
      sentence(resetNote(budget, usage)),
      usage.resetsAt && ' your time.',
      pace && ` ${pace}.`,
    ),
    giveMore(budget, usage, { path, onChange }),
  );
}

/** @type {Record<Budget['unit'], readonly number[]>} */
const AMOUNTS = { usd: [5, 10, 20], tokens: [100_000, 1_000_000, 10_000_000] };

/**
 * @template T
 * @param {Budget} budget
 * @param {import('../lib/types.js').PeriodUsage} usage
 * @param {{ path: string, onChange: (owner: T) => void }} options
 */
function giveMore({ unit }, { resetsAt }, { path, onChange }) {
  const write = unit === 'usd' ? (/** @type {number} */ value) => money(value).replace(/\.00$/, '') : compact;
  const amounts = AMOUNTS[unit];
  const choice = createSegmented({
    label: 'Amount',
    choices: amounts.map((value) => ({ value: String(value), label: write(value) })),
    value: String(amounts[1]),
    onChange: () => {
      other.value = '';
      update();
    },
  });
  const other = h('input', {
    class: 'input short',
    'aria-label': 'Another amount',
    placeholder: 'Other',
    inputmode: 'decimal',
    autocomplete: 'off',
    oninput: update,
  });
  const give = h('button', { type: 'submit', class: 'btn' });
  function amount() {
    const text = other.value.trim();
    if (text === '') return Number(choice.value());
    const value = unit === 'usd' ? Number(text.replace(/^\$/, '').replaceAll(',', '')) : parseCount(text);
    return value !== undefined && Number.isFinite(value) && value > 0 ? value : null;
  }
  function update() {
    const value = amount();
    other.setAttribute('aria-invalid', String(value === null));
    give.disabled = value === null;
    give.textContent = value === null ? 'Give' : `Give ${write(value)}${unit === 'tokens' ? ' tokens' : ''}`;
  }
  update();
  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    const value = amount();
    if (value === null || give.getAttribute('aria-busy') === 'true') return;
    setBusy(give, true);
    try {
      const changed = await api.post(`${path}/grant`, { [unit]: value });
      announce('Given.', give);
      onChange(changed);
    } catch (error) {
      toast.error(messageOf(error));
    }
    setBusy(give, false);
  }
  const until = resetsAt === null ? 'Give more once' : `Give more once, until ${resetTime(resetsAt)}`;
  return h(
    'form',
    { class: 'give', 'aria-label': 'Give more once', onsubmit: send },
    h('span', { class: 'medium small' }, until),
    h('div', { class: 'row wrap' }, choice.element, other, give),
  );
}

/** @param {string} text */
function muted(text) {
  return h('span', { class: 'muted num' }, text);
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
