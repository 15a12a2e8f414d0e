/** The choice of a model and of what to do with it. */
import { segmented, selectField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { guessTask, TASKS } from './chat-tasks.js';

/** @typedef {import('./chat-tasks.js').ChatModel} ChatModel */
/** @typedef {import('./chat-tasks.js').Task} Task */

/**
 * @param {ChatModel} model
 */
function labelOf({ id, name, hasVision }) {
  return `${name}${name === id ? '' : ` (${id})`}${hasVision ? ' · 📷 images' : ''}`;
}

/**
 * @param {{ onChange: () => void, isKeyNeeded: boolean }} options onChange: another model or task is chosen
 */
export function createModelChoice({ onChange, isKeyNeeded }) {
  /** @type {ChatModel[]} */
  let models = [];
  /** The model chosen last: it outlives a time without a list. */
  let wanted = '';
  const select = selectField({ label: 'Model', choices: [], input: { disabled: true } });
  const task = segmented({ label: 'Task', choices: TASKS, value: 'chat', onchange: onChange });

  const chosen = () => models.find(({ id }) => id === select.control.value) ?? null;

  /** The task follows the model: what a whisper is for needs no second choice. */
  function onModel() {
    wanted = select.control.value;
    const guess = guessTask(wanted);
    if (task.value() === guess) onChange();
    else for (const radio of task.element.querySelectorAll('input')) if (radio.value === guess) radio.click();
  }

  /** @param {readonly { value: string, label: string }[]} choices */
  function fill(choices) {
    select.control.replaceChildren(...choices.map(({ value, label }) => h('option', { value }, label)));
  }

  /**
   * @param {ChatModel[] | null} list
   * @param {string} whyNone stands in the place of a list that is null
   */
  function show(list, whyNone) {
    models = list ?? [];
    select.control.disabled = models.length === 0;
    if (models.length === 0) {
      fill([{ value: '', label: list ? 'No model yet' : whyNone }]);
    } else fill(models.map((model) => ({ value: model.id, label: labelOf(model) })));
    const kept = models.find(({ id }) => id === wanted);
    const shown = kept ?? models.find(({ id }) => guessTask(id) === 'chat') ?? models[0];
    select.control.value = shown?.id ?? '';
    // The task was chosen for that model too, so it waits like it.
    if (kept || !shown) onChange();
    else onModel();
  }

  select.control.addEventListener('change', onModel);
  fill([{ value: '', label: isKeyNeeded ? 'Enter an API key first' : 'Reading the models …' }]);
  return {
    elements: [select.element, task.element],
    chosen,
    task: () => /** @type {Task} */ (task.value()),
    show,
  };
}
