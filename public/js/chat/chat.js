/** The chat, on its own page and in the panel's tab. */
import { h } from '../lib/h.js';
import { loadStyles } from '../lib/styles.js';
import { toast } from '../lib/toast.js';
import { createAccountChats } from './account-chats.js';
import { menuItems } from './chat-menu.js';
import { createCompareMode } from './compare/compare-mode.js';
import { createComposer } from './composer/composer.js';
import { createModelButton } from './composer/model-button.js';
import { createPresetMenu } from './composer/preset-menu.js';
import { createConversation } from './conversation/conversation.js';
import { createLog } from './conversation/log.js';
import { createDrafts } from './drafts.js';
import { takeDroppedFiles } from './files/file-sources.js';
import { createHead } from './head.js';
import { createHistoryDrawer } from './history-drawer.js';
import { createNavigation } from './navigation.js';
import { toFailure } from './request/failure.js';
import { kindOf } from './request/models.js';
import { createConnection } from './settings/connection.js';
import { createPresetList } from './settings/presets.js';
import { createSettings } from './settings/settings.js';
import { createSettingsDrawer } from './settings/settings-drawer.js';
import { watchShortcuts } from './shortcuts.js';
import { describeNext, tokensOf } from './use-estimate.js';
import { createWelcome } from './welcome.js';

/** @typedef {import('../lib/types.js').Me & { id?: string }} Person */

/** Here the settings cover the conversation. */
const PHONE = '(max-width: 640px)';

/**
 * Adds the chat to a container. The key is kept in memory, until the page is closed; the chats in the browser.
 * @param {HTMLElement} container
 * @param {{ me: Person | null, isTab?: boolean, onMenu?: ((button: HTMLElement) => void) | null }} options
 *   me: null without an account; the session cookie serves instead of a key otherwise. isTab: in the panel; onMenu: opens the
 *   menu of the page, on a phone
 * @returns {{ mayLoseWork(): boolean, shown(): void }} shown: to be called when the container is on the page again
 */
export function mountChat(container, { me, isTab = false, onMenu = null }) {
  let isListed = false;
  let pathTokens = 0;
  const log = createLog();
  const head = createHead({
    onMenu,
    onHistory: () => drawer.open(),
    onCompare: () => compareMode.toggle(),
    onSettings: () => side.toggle(),
    items: () =>
      menuItems({ chat: conversation.place().chat, list: chats.list(), onNew: navigation.startNew, isTab }),
  });
  const drawer = createHistoryDrawer({ toggle: head.history });
  const chats = createAccountChats({
    host: drawer.element,
    canSignOut: me !== null,
    onOpen: (id, sought) => void navigation.open(id, sought),
    onNew: () => navigation.startNew(),
    onGone: () => navigation.startNew(),
    onStore: (store) => navigation.onStore(store),
    onLeave: () => drafts.leave(),
  });
  const settings = createSettings({ onChange: keepSettings, onInvalid: () => side.open() });
  const model = createModelButton({
    onChange: onModel,
    onMissing() {
      if (!connection.isLoading()) offerModels();
    },
    isKeyNeeded: me === null,
  });
  const connection = createConnection({
    signedIn: me !== null,
    onModels,
    onEntered: () => composer.focus(),
  });
  const presets = createPresetList({
    history: chats.history,
    opened: chats.opened,
    read: readPreset,
    onUse: usePreset,
  });
  const welcome = createWelcome({ role: me?.role ?? null, connection: connection.element });
  const compareMode = createCompareMode({
    conversation: () => conversation,
    log,
    composer: () => composer,
    model,
    onChange,
  });
  const composer = createComposer({
    tools: [model.element, compareMode.chips],
    onSend,
    onStop: () => conversation.stop(),
    onInput() {
      drafts.keep();
      showNext();
    },
    onEditLast: () => conversation.editLast(),
  });
  const conversation = createConversation({
    log,
    history: chats.history,
    send: connection.send,
    readChoices,
    modelName: (id) => model.models().find((one) => one.id === id)?.name ?? id,
    empty: welcome.element,
    onChange,
    onEdited: () => composer.focus(),
  });
  const drafts = createDrafts({ composer: () => composer, store: chats.store });
  const navigation = createNavigation({
    isTab,
    conversation,
    composer,
    drafts,
    chats,
    compareMode,
    presets,
    closeList: drawer.close,
    onChange,
    onSettings(chat) {
      settings.fill(chat);
      model.want(chat.modelId);
      showWelcome();
    },
  });
  const talk = h(
    'section',
    { class: 'talk', 'aria-label': 'Chat' },
    head.element,
    log.element,
    composer.element,
  );
  const element = h('div', { class: 'chat', hidden: true }, drawer.element, drawer.scrim, talk);
  const side = createSettingsDrawer({
    root: element,
    button: head.settings,
    sections: [
      ['Model', settings.element],
      ['Presets', presets.element],
      ['Connection', connection.element],
    ],
    onToggle: showWelcome,
  });

  /** @param {import('./types.js').Model[] | null} models @param {string} [whyNone] */
  function onModels(models, whyNone = '') {
    isListed = models !== null;
    model.show(models, whyNone);
    if (me === null && models !== null) chats.show({ key: connection.key() });
    showWelcome();
    if (!compareMode.current()) conversation.render();
  }

  function onModel() {
    const chosen = model.chosen();
    settings.showKind(chosen?.kind ?? 'chat');
    composer.setModel(chosen);
    compareMode.showPlaceholder();
    const { chat } = conversation.place();
    if (chosen && chat && chat.modelId !== chosen.id) void conversation.update({ modelId: chosen.id });
    onChange();
  }

  /** Called while no model can be chosen. */
  function offerModels() {
    if (me !== null) side.open();
    connection.requestModels();
  }

  /** @param {string | null} [modelId] */
  function readChoices(modelId = null) {
    const chosen = model.chosen();
    if (!chosen) offerModels();
    const request = chosen && settings.read();
    if (!chosen || !request) return null;
    const isOther = modelId !== null && kindOf(modelId) !== chosen.kind;
    const used = (isOther && model.models().find(({ id }) => id === modelId)) || chosen;
    return { model: used, settings: request, fileSettings: settings.file() };
  }

  /** @param {import('./conversation/chat-writer.js').Draft} draft */
  function onSend(draft) {
    const choices = readChoices();
    if (!choices) return false;
    if (matchMedia(PHONE).matches) side.close();
    const asked = chats.opened().then(() => (compareMode.current() ?? conversation).ask(draft, choices));
    asked.catch((/** @type {unknown} */ error) => {
      toast.error(toFailure(error, 'Send').message);
      if (composer.text() === '') composer.setText(draft.text);
    });
    return true;
  }

  /** Another chat, another model, or an answer that began or ended. */
  function onChange() {
    const { chat, thread } = conversation.place();
    drafts.follow(conversation.place());
    const isBusy = conversation.isBusy();
    const isComparing = compareMode.current() !== null;
    element.classList.toggle('is-busy', isBusy);
    talk.classList.toggle('is-comparing', isComparing);
    composer.setBusy(isBusy);
    head.setTitle(chat?.title ?? 'New chat');
    // In a comparison there is more than one context.
    head.showUse(isComparing ? [] : conversation.path(), thread.all());
    head.setCompare({ isOn: isComparing, isPossible: compareMode.isPossible() });
    chats.list()?.setCurrent(chat?.id ?? null);
    if (element.isConnected) navigation.showAddress();
    pathTokens = tokensOf(conversation.path());
    showWelcome();
    showNext();
  }

  function showWelcome() {
    const isKept = chats.store()?.isKept ?? true;
    head.setKept(isKept);
    const hasModels = model.models().length > 0;
    const { system } = settings.kept();
    welcome.show({ hasModels, isListed, isKept, isDrawerOpen: side.isOpen(), system });
  }

  function showNext() {
    const models = compareMode.current()?.models() ?? [model.chosen()].filter((one) => one !== null);
    const draft = { text: composer.text(), files: composer.files() };
    composer.setNext(describeNext({ models, system: settings.kept().system, pathTokens, draft }));
  }

  function keepSettings() {
    void conversation.update(settings.kept());
    showWelcome();
    showNext();
  }

  function readPreset() {
    const { system, temperature } = settings.kept();
    return { system, temperature, modelId: model.chosen()?.id ?? null };
  }

  /** @param {import('./history/types.js').Preset} preset */
  function usePreset(preset) {
    settings.fill(preset);
    model.want(preset.modelId);
    keepSettings();
    toast.ok(`“${preset.name}” is set.`);
    composer.focus();
  }

  createPresetMenu({
    field: composer.field,
    host: composer.form,
    presets: presets.list,
    onUse: usePreset,
  });
  takeDroppedFiles(element, (files) => void composer.addFiles(files));
  watchShortcuts(element, {
    isSearchTaken: isTab,
    actions: {
      newChat: navigation.startNew,
      search() {
        drawer.open();
        chats.list()?.focusSearch();
      },
      focus: composer.focus,
      stop: conversation.stop,
      editLast: conversation.editLast,
      settings: side.toggle,
    },
  });
  container.append(element);
  composer.setModel(null);
  conversation.render();
  showWelcome();
  connection.start();
  chats.show(me ?? { key: '' });
  void loadStyles('chat.css').then(() => {
    element.hidden = false;
    log.follow();
    // On the page of its own one writes at once, or enters a key.
    if (!isTab && me !== null) composer.focusFirst();
    else if (!isTab) connection.focusFirst();
  });

  return {
    shown: onChange,
    mayLoseWork: () =>
      conversation.isAnswering() || (chats.store()?.isKept === false && conversation.path().length > 0),
  };
}
