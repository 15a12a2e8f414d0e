/** The choice of the model and of the task. */
import { selectField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { createSegmented } from '../lib/segmented.js';
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
 * @param {{ onChange: () => void, isKeyNeeded: boolean }} options onChange: called for another model or task
 */
export function createModelChoice({ onChange, isKeyNeeded }) {
  /** @type {ChatModel[]} */
  let models = [];
  /** The id of the model chosen last, kept while there is no list. */
  let lastChosen = '';
  const select = selectField({ label: 'Model', choices: [], input: { disabled: true } });
  const task = createSegmented({
    hasLegend: true,
    label: 'Task',
    choices: TASKS,
    value: 'chat',
    onChange: onChange,
  });

  const chosen = () => models.find(({ id }) => id === select.control.value) ?? null;

  /** Chooses the task that fits the model: a Whisper model is for transcription. */
  function onModel() {
    lastChosen = select.control.value;
    const guess = guessTask(lastChosen);
    if (task.value() === guess) onChange();
    else for (const radio of task.element.querySelectorAll('input')) if (radio.value === guess) radio.click();
  }

  /** @param {readonly { value: string, label: string }[]} choices */
  function fill(choices) {
    select.control.replaceChildren(...choices.map(({ value, label }) => h('option', { value }, label)));
  }

  /**
   * @param {ChatModel[] | null} list
   * @param {string} whyNone shown if the list is null
   */
  function show(list, whyNone) {
    models = list ?? [];
    select.control.disabled = models.length === 0;
    if (models.length === 0) fill([{ value: '', label: list ? 'No model yet' : whyNone }]);
    else fill(models.map((model) => ({ value: model.id, label: labelOf(model) })));
    const kept = models.find(({ id }) => id === lastChosen);
    const shown = kept ?? models.find(({ id }) => guessTask(id) === 'chat') ?? models[0];
    select.control.value = shown?.id ?? '';
    // The task was chosen for the last model, so it stays as long as that model.
    if (kept || !shown) onChange();
    else onModel();
  }

  select.control.addEventListener('change', onModel);
  fill([{ value: '', label: isKeyNeeded ? 'Enter an API key first' : 'Loading the models …' }]);
  return {
    elements: [select.element, task.element],
    chosen,
    task: () => /** @type {Task} */ (task.value()),
    show,
  };
}
