/** The chat: tries keys and models. Used by the public page and by the panel's Chat tab. */
import { segmented, selectField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createComposer } from './chat-composer.js';
import { createConnection } from './chat-connection.js';
import { createConversation } from './chat-conversation.js';
import { createLog } from './chat-log.js';
import { createSettings } from './chat-settings.js';
import { loadChatStyles } from './chat-styles.js';
import { guessTask, TASKS } from './chat-tasks.js';

/** @typedef {import('./chat-tasks.js').ChatModel} ChatModel */
/** @typedef {import('./chat-tasks.js').Task} Task */

/**
 * Puts the chat into a container. Nothing of it is stored: key and conversation end with the page.
 * @param {HTMLElement} container
 * @param {{ signedIn: boolean, role?: string | null }} options signedIn: the session's cookie serves without a key
 * @returns {{ destroy(): void }}
 */
export function mountChat(container, { signedIn }) {
  /** @type {ChatModel[]} */
  let models = [];
  const log = createLog();
  const settings = createSettings();
  const connection = createConnection({ signedIn, onModels: showModels });
  const model = selectField({ label: 'Model', choices: [], input: { disabled: true } });
  const task = segmented({ label: 'Task', choices: TASKS, value: 'chat', onchange: fit });
  const composer = createComposer({ onSend, onStop: () => conversation.stop() });
  const conversation = createConversation({ log, send: connection.send, onBusy: showBusy });
  const side = h(
    'aside',
    { class: 'chat-side stack', id: 'chat-side', 'aria-label': 'Chat settings' },
    connection.element,
    settings.element,
  );
  const sideButton = h(
    'button',
    {
      type: 'button',
      class: 'btn chat-side-button',
      'aria-controls': 'chat-side',
      onclick: () => showSide(side.hidden !== false),
    },
    icon('settings'),
    'Settings',
  );
  const clear = h('button', { type: 'button', class: 'btn', onclick: clearAll }, icon('trash'), 'Clear');
  const bar = h(
    'div',
    { class: 'chat-bar' },
    model.element,
    task.element,
    h('div', { class: 'row' }, sideButton, clear),
  );
  const main = h('div', { class: 'chat-main' }, log.element, composer.element);
  const element = h('section', { class: 'chat', 'aria-label': 'Chat' }, bar, side, main);

  function chosen() {
    return models.find(({ id }) => id === model.control.value) ?? null;
  }

  function currentTask() {
    return /** @type {Task} */ (task.value());
  }

  /** @param {Task} wanted */
  function chooseTask(wanted) {
    if (currentTask() === wanted) return;
    for (const radio of task.element.querySelectorAll('input')) if (radio.value === wanted) radio.click();
  }

  function fit() {
    settings.showTask(currentTask());
    composer.fit(currentTask(), chosen()?.hasVision === true);
  }

  /** @param {ChatModel[] | null} list */
  function showModels(list) {
    const before = model.control.value;
    models = list ?? [];
    const labels = models.map(({ id, name, hasVision }) => ({
      value: id,
      label: `${name}${name === id ? '' : ` (${id})`}${hasVision ? ' 📷' : ''}`,
    }));
    const nothing = { value: '', label: list ? 'This key may use no model' : 'Enter an API key first' };
    const choices = labels.length > 0 ? labels : [nothing];
    model.control.replaceChildren(...choices.map(({ value, label }) => h('option', { value }, label)));
    model.control.disabled = labels.length === 0;
    const kept = models.some(({ id }) => id === before);
    const first = kept
      ? before
      : (models.find(({ id }) => guessTask(id) === 'chat')?.id ?? models[0]?.id ?? '');
    model.control.value = first;
    if (!kept) onModel();
    else fit();
  }

  function onModel() {
    const found = chosen();
    if (found) chooseTask(guessTask(found.id));
    fit();
  }

  /** @param {import('./chat-composer.js').Draft} draft */
  function onSend(draft) {
    const found = chosen();
    const current = currentTask();
    const chat = settings.chat();
    if (!chat) return false;
    if (!found) {
      showSide(true);
      connection.focus();
      return false;
    }
    void conversation.send({
      ...draft,
      model: found,
      task: current,
      settings: current === 'chat' ? chat : null,
      transcript: settings.transcript(),
    });
    return true;
  }

  /** @param {boolean} isShown */
  function showSide(isShown) {
    side.hidden = !isShown;
    sideButton.setAttribute('aria-expanded', String(isShown));
  }

  /** @param {boolean} isBusy */
  function showBusy(isBusy) {
    element.classList.toggle('is-busy', isBusy);
    composer.setBusy(isBusy);
  }

  function clearAll() {
    conversation.clear();
    composer.clear();
    composer.focus();
  }

  model.control.addEventListener('change', onModel);
  element.addEventListener('chat-show-settings', () => showSide(true));
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && conversation.isBusy()) conversation.stop();
  });
  element.addEventListener('dragover', (event) => event.preventDefault());
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    void composer.addFiles([...(event.dataTransfer?.files ?? [])]);
  });
  container.append(element);
  loadChatStyles();
  showSide(matchMedia('(min-width: 900px)').matches || !signedIn);
  fit();
  connection.start();

  return {
    destroy() {
      conversation.stop();
      connection.destroy();
      log.destroy();
      element.remove();
    },
  };
}
