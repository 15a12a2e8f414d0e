/** Presets: a name for a system prompt, a model and a temperature, for the drawer and for `/name` in the composer. */
import { messageOf } from '../../lib/api.js';
import { openDialog } from '../../lib/dialog.js';
import { alertBox, handleSubmit, textField } from '../../lib/form.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { toast } from '../../lib/toast.js';

/** @typedef {import('../history/types.js').Preset} Preset */

/**
 * @param {{ history: () => import('../history/open-history.js').History, opened: () => Promise<void>,
 *   read: () => Omit<Preset, 'id' | 'name'>, onUse: (preset: Preset) => void }} options opened: resolves when the
 *   history is open; read: what a new preset would hold
 */
export function createPresetList({ history, opened, read, onUse }) {
  /** @type {Preset[]} */
  let presets = [];
  const list = h('ul', { class: 'preset-list', 'aria-label': 'Presets' });
  const none = h(
    'p',
    { class: 'muted small' },
    'None yet. A preset keeps a system prompt, a model and a temperature. Type / and its name in the message field to use it.',
  );
  const add = h(
    'button',
    { type: 'button', class: 'btn small', onclick: () => askForName() },
    icon('plus'),
    'Save as a preset',
  );
  const element = h('div', { class: 'stack tight' }, list, none, h('div', null, add));

  async function load() {
    presets = await history()
      .listPresets()
      .catch(() => []);
    list.replaceChildren(...presets.map(item));
    list.hidden = presets.length === 0;
    none.hidden = presets.length > 0;
  }

  /** @param {Preset} preset */
  function item(preset) {
    const use = h(
      'button',
      { type: 'button', class: 'link-btn truncate', title: preset.system, onclick: () => onUse(preset) },
      preset.name,
    );
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'btn quiet small square dangerous',
        'aria-label': `Delete ${preset.name}`,
        title: 'Delete',
      },
      icon('trash'),
    );
    remove.addEventListener('click', async () => {
      await history().removePreset(preset.id);
      toast.undo(`The preset “${preset.name}” is deleted.`, () => history().savePreset(preset));
      add.focus();
    });
    const detail = h('span', { class: 'tiny muted truncate grow' }, preset.modelId ?? '');
    return h('li', { class: 'row' }, use, detail, remove);
  }

  function askForName() {
    const name = textField({
      label: 'Name',
      input: { required: true, maxlength: 60, placeholder: 'Translator' },
    });
    const alert = alertBox();
    const submit = h('button', { type: 'submit', class: 'btn primary' }, 'Save preset');
    const cancel = h('button', { type: 'button', class: 'btn', onclick: () => dialog.close() }, 'Cancel');
    const form = h(
      'form',
      { class: 'stack' },
      alert.element,
      name.element,
      h(
        'p',
        { class: 'muted small' },
        'It keeps the system prompt, the model and the temperature as they are now.',
      ),
      h('div', { class: 'row between' }, cancel, submit),
    );
    const dialog = openDialog({ title: 'Save as a preset', size: 'narrow', body: [form] });
    handleSubmit(form, {
      fields: [name],
      submit,
      alert,
      save: async () => {
        const given = name.control.value.trim();
        const values = read();
        await opened();
        const same = presets.find((preset) => preset.name.toLowerCase() === given.toLowerCase());
        await history().savePreset({ ...(same ? { id: same.id } : {}), name: given, ...values });
        dialog.close();
        toast.ok(same ? `The preset “${given}” is replaced.` : `The preset “${given}” is saved.`);
      },
    });
  }

  return {
    element,
    load: () => load().catch((error) => toast.error(messageOf(error))),
    list: () => presets,
  };
}
