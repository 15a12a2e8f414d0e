/** The chat, on its own page and in the panel's Chat tab. */
import { pageUrl } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { loadStyles } from '../lib/styles.js';
import { createComposer } from './chat-composer.js';
import { createConnection } from './chat-connection.js';
import { createConversation } from './chat-conversation.js';
import { createLog } from './chat-log.js';
import { createModelChoice } from './chat-models.js';
import { createSettings } from './chat-settings.js';
import { watchChatTop } from './chat-styles.js';

/**
 * Adds the chat to a container. Key and conversation are kept in memory, until the page is closed.
 * @param {HTMLElement} container
 * @param {{ signedIn: boolean, role?: string | null }} options signedIn: the session cookie serves instead of a key
 * @returns {{ hasConversation(): boolean }}
 */
export function mountChat(container, { signedIn, role = null }) {
  const log = createLog();
  const settings = createSettings();
  const choice = createModelChoice({ onChange: applyTask, isKeyNeeded: !signedIn });
  const connection = createConnection({ signedIn, onModels });
  const composer = createComposer({ onSend, onStop: () => conversation.stop() });
  const conversation = createConversation({ log, send: connection.send, readChoices, onBusy });
  const side = h(
    'aside',
    { class: 'chat-side', id: 'chat-side', 'aria-label': 'Chat settings' },
    connection.element,
    settings.element,
  );
  const sideButton = h(
    'button',
    {
      type: 'button',
      class: 'btn chat-side-button',
      'aria-controls': 'chat-side',
      onclick: () => showSide(),
    },
    icon('settings'),
    h('span', null, 'Settings'),
  );
  const clear = h(
    'button',
    { type: 'button', class: 'btn', disabled: true, onclick: () => void clearAll() },
    icon('trash'),
    h('span', null, 'Clear'),
  );
  const element = h(
    'section',
    { class: 'chat', 'aria-label': 'Chat', hidden: true },
    h(
      'div',
      { class: 'chat-bar' },
      choice.elements,
      h('div', { class: 'chat-bar-buttons' }, sideButton, clear),
    ),
    side,
    h('div', { class: 'chat-main' }, log.element, composer.element),
  );

  /** @param {import('./chat-tasks.js').ChatModel[] | null} models @param {string} [whyNone] */
  function onModels(models, whyNone = '') {
    choice.show(models, whyNone);
    log.showEmpty(models?.length === 0 ? noModelHelp(role) : null);
  }

  function applyTask() {
    settings.showTask(choice.task());
    composer.setTask(choice.task(), choice.chosen()?.hasVision === true);
  }

  /** In a narrow window the settings are above the conversation, and can be hidden. */
  function showSide(isShown = !side.classList.contains('is-open')) {
    side.classList.toggle('is-open', isShown);
    sideButton.setAttribute('aria-expanded', String(isShown));
  }

  /** @returns {import('./chat-conversation.js').Choices | null} null if a choice is missing; the page then shows which */
  function readChoices() {
    const model = choice.chosen();
    if (!model) {
      showSide(true);
      connection.requestModels();
      return null;
    }
    const chat = settings.chat();
    return chat && { model, task: choice.task(), settings: chat, transcript: settings.transcript() };
  }

  /** @param {import('./chat-composer.js').Draft} draft */
  function onSend(draft) {
    const choices = readChoices();
    if (!choices) return false;
    showSide(false);
    conversation.send(draft, choices);
    return true;
  }

  /** @param {boolean} isBusy */
  function onBusy(isBusy) {
    element.classList.toggle('is-busy', isBusy);
    composer.setBusy(isBusy);
    clear.disabled = conversation.isEmpty();
  }

  /** Removes the messages. The draft stays: it is not part of the conversation. */
  async function clearAll() {
    composer.cancelSend();
    const isSure = await confirmDialog({
      title: 'Clear the conversation?',
      message: 'The messages are not stored anywhere else. Your draft stays.',
      confirmLabel: 'Clear conversation',
      danger: true,
    });
    if (!isSure) return;
    conversation.clear();
    clear.disabled = true;
    composer.focus();
  }

  /** @param {DragEvent} event */
  function onDrag(event) {
    const hasFiles = event.dataTransfer?.types.includes('Files') === true;
    if (!hasFiles) return;
    event.preventDefault();
    const isOver = event.type === 'dragover' || (event.type === 'dragleave' && isInside(event.relatedTarget));
    element.classList.toggle('is-dropping', isOver);
    if (event.type === 'drop') void composer.addFiles([...(event.dataTransfer?.files ?? [])]);
  }

  /** @param {EventTarget | null} target */
  function isInside(target) {
    return target instanceof Node && element.contains(target);
  }

  /** @param {KeyboardEvent} event */
  function onKeydown(event) {
    if (event.key !== 'Escape' || event.defaultPrevented || !conversation.isBusy() || !element.isConnected)
      return;
    event.preventDefault();
    conversation.stop();
  }

  for (const type of /** @type {const} */ (['dragover', 'dragleave', 'drop']))
    element.addEventListener(type, onDrag);
  element.addEventListener('chat-show-settings', () => showSide(true));
  document.addEventListener('keydown', onKeydown);
  watchChatTop(element);
  container.append(element);
  showSide(!signedIn);
  applyTask();
  connection.start();
  void Promise.all([loadStyles('chat.css'), loadStyles('chat-render.css')]).then(() => {
    element.hidden = false;
  });

  return { hasConversation: () => !conversation.isEmpty() };
}

/**
 * What to do if there is no model.
 * @param {string | null} role
 * @returns {import('../lib/h.js').Child[]}
 */
function noModelHelp(role) {
  if (role === 'user') return ['You may not use any model yet. Ask the person who runs this server.'];
  if (role !== 'admin')
    return ['This key may not use any model. Ask the person who runs this server, or try another key.'];
  const link = h('a', { href: pageUrl('admin.html#overview') }, 'Overview');
  return ['Switch a provider on, and add its models. The ', link, ' shows the next step.'];
}
