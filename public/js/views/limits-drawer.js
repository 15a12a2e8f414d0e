/** The drawer of a key or a user: budget, limits, what holds in the end, spend. */
import { api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { setBusy } from '../lib/form.js';
import { h } from '../lib/h.js';
import { changeNotes, effectiveLimits } from '../lib/limits.js';
import { note } from '../lib/note.js';
import { rowButton } from '../lib/row.js';
import { announce, toast } from '../lib/toast.js';
import { budgetSection } from './budget.js';
import { limitFields } from './limit-fields.js';
import { spendSection } from './spend-chart.js';

/** @typedef {import('../lib/types.js').User} User */
/** @typedef {import('../lib/limits.js').Limited & { id: string }} Owner */

/**
 * Opens the drawer of one key or user.
 * @template {Owner} T
 * @param {T} owner
 * @param {{
 *   drawer: import('../lib/drawer.js').Drawer, path: string, kind: 'key' | 'user', name: string, subtitle: import('../lib/h.js').Child,
 *   user?: User | null, onEdit: () => unknown, onDelete: () => unknown, onChange: (owner: T) => void, onClose: () => void,
 *   onMove: (step: 1 | -1) => void,
 * }} options path: of the record at the API; user: of a key; onChange: gets the changed record; onClose: also when another is opened
 */
export function openLimits(owner, options) {
  const { drawer, path, kind, name, user = null } = options;
  const controller = new AbortController();
  let now = owner;
  const budget = h('section', { class: 'section', 'aria-label': 'Budget' });
  const limits = h('section', { class: 'section' });
  const effective = h('section', { class: 'section' });
  const notes = h('div', { class: 'gap-top', role: 'status' });
  const save = h(
    'button',
    { type: 'button', class: 'btn primary', onclick: () => void saveLimits() },
    'Save limits',
  );
  const discard = h('button', { type: 'button', class: 'btn', onclick: showLimits }, 'Discard');
  const reset = h(
    'button',
    { type: 'button', class: 'btn quiet', onclick: () => void resetUsage() },
    'Reset usage',
  );
  let fields = limitFields({ limits: owner.limits });
  /** The limits that the fields began with. */
  let shown = '';

  function showBudget() {
    budget.replaceChildren(budgetSection(now, { path, onChange: changed }) ?? '');
  }

  function showLimits() {
    shown = JSON.stringify(now.limits);
    fields = limitFields({ limits: now.limits, onInput: update });
    limits.replaceChildren(
      h('h3', null, 'Limits'),
      fields.element,
      notes,
      h(
        'p',
        { class: 'small muted gap-top' },
        'An empty field is no limit. A running request may pass the budget by its own cost.',
      ),
    );
    update();
  }

  function update() {
    const isChanged = fields.isChanged();
    const hadFocus = [save, discard].some((button) => button === document.activeElement);
    for (const button of [save, discard]) button.disabled = !isChanged;
    if (hadFocus && !isChanged) fields.fields[0]?.control.focus();
    const draft = fields.value();
    const sentences = isChanged ? changeNotes(draft, { owner: now, user }) : [];
    notes.replaceChildren(...(sentences.length > 0 ? [note('info', sentences.join(' '))] : []));
    if (kind === 'key') showEffective({ ...now, limits: draft });
  }

  /** @param {Owner} draft */
  function showEffective(draft) {
    const rows = effectiveLimits(draft, user);
    effective.replaceChildren(
      h('h3', null, 'Limits in effect'),
      rows.length === 0
        ? h('p', { class: 'small muted' }, 'Nothing limits this key.')
        : h(
            'dl',
            { class: 'facts small' },
            ...rows.flatMap(({ label, value, origin }) => [
              h('dt', null, label),
              h('dd', { class: 'num' }, value, h('span', { class: 'muted' }, ` · ${origin}`)),
            ]),
          ),
    );
  }

  /** @param {T} next */
  function changed(next) {
    now = next;
    options.onChange(next);
    showBudget();
    update();
  }

  async function saveLimits() {
    if (!fields.check() || save.getAttribute('aria-busy') === 'true') return;
    setBusy(save, true);
    try {
      const next = await api.put(path, { limits: fields.value() });
      changed(next);
      showLimits();
      // Not a toast, which would cover the buttons.
      notes.replaceChildren(note('ok', `The limits of ${name} are saved.`));
    } catch (error) {
      const param = Reflect.get(Object(error), 'param');
      const field = fields.fields.find((one) => one.param === param);
      if (field) field.setError(messageOf(error));
      else toast.error(messageOf(error));
    }
    setBusy(save, false);
  }

  async function resetUsage() {
    const isSure = await confirmDialog({
      title: `Reset the usage of ${name}?`,
      message:
        'The budget starts again at zero, and what was given once ends. The figures on Usage stay as they are.',
      confirmLabel: 'Reset usage',
    });
    if (!isSure) return;
    try {
      changed(await api.post(`${path}/usage-reset`));
      announce(`The usage of ${name} starts at zero again.`, budget);
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  showBudget();
  showLimits();
  drawer.open({
    label: name,
    title: name,
    subtitle: options.subtitle,
    actions: [
      rowButton('edit', `Edit name and models of ${name}`, options.onEdit),
      rowButton('trash', `Delete ${name} for good`, options.onDelete, { isDangerous: true }),
    ],
    body: [
      budget,
      limits,
      ...(kind === 'key' ? [effective] : []),
      spendSection({ filter: kind, id: owner.id, signal: controller.signal }),
    ],
    footer: [reset, discard, save],
    onMove: (step) => {
      controller.abort();
      options.onMove(step);
    },
    onClose: () => {
      controller.abort();
      options.onClose();
    },
  });
  return {
    id: owner.id,
    /** Shows newer figures, and newer limits unless somebody is changing them. @param {T} next */
    refresh(next) {
      now = next;
      if (!budget.contains(document.activeElement)) showBudget();
      const areOld = JSON.stringify(next.limits) !== shown;
      if (areOld && !fields.isChanged() && !limits.contains(document.activeElement)) showLimits();
    },
    end: () => controller.abort(),
  };
}
