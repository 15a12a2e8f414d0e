/** The chat, on its own page and in the panel's tab. */
import { messageOf } from '../lib/api.js';
import { createDrawer } from '../lib/drawer.js';
import { h } from '../lib/h.js';
import { loadStyles } from '../lib/styles.js';
import { toast } from '../lib/toast.js';
import { createUrlState, hashOf } from '../lib/url-state.js';
import { createComposer } from './composer/composer.js';
import { createModelButton } from './composer/model-button.js';
import { createPresetMenu } from './composer/preset-menu.js';
import { createConversation } from './conversation/conversation.js';
import { createLog } from './conversation/log.js';
import { takeDroppedFiles } from './files/file-sources.js';
import { createHead } from './head.js';
import { accountName } from './history/account.js';
import { createHistoryList } from './history/history-list.js';
import { openHistory } from './history/open-history.js';
import { createHistoryDrawer } from './history-drawer.js';
import { kindOf } from './request/models.js';
import { createConnection } from './settings/connection.js';
import { createPresetList } from './settings/presets.js';
import { createSettings } from './settings/settings.js';
import { NEW_CHAT_KEYS, showChatShortcuts, watchShortcuts } from './shortcuts.js';
import { describeNext, tokensOf } from './use-estimate.js';
import { createWelcome } from './welcome.js';

/** @typedef {import('./history/open-history.js').History} History */
/** @typedef {import('../lib/types.js').Me & { id?: string }} Person */

const STYLES = ['chat.css', 'chat-render.css', 'history.css'];

/**
 * Adds the chat to a container. The key is kept in memory, until the page is closed; the chats in the browser.
 * @param {HTMLElement} container
 * @param {{ me: Person | null, isTab?: boolean, onMenu?: ((button: HTMLElement) => void) | null }} options
 *   me: null without an account; the session cookie serves instead of a key otherwise. isTab: in the panel; onMenu: opens the
 *   menu of the page, on a phone
 * @returns {{ mayLoseWork(): boolean }}
 */
export function mountChat(container, { me, isTab = false, onMenu = null }) {
  const url = createUrlState('chat', new AbortController().signal);
  /** @type {History | null} */
  let store = null;
  /** @type {ReturnType<typeof createHistoryList> | null} */
  let list = null;
  let account = '';
  /** Opening the chats: what is asked meanwhile waits for it. */
  let opening = Promise.resolve();
  let isListed = false;
  let pathTokens = 0;
  /** @type {ReturnType<typeof import('./compare/compare.js')['createCompare']> | null} */
  let compare = null;

  const history = () => {
    if (store === null) throw new Error('The chats of this browser are not open yet. Try again in a moment.');
    return store;
  };
  const log = createLog();
  const compared = h('span', { class: 'compare-chips' });
  const head = createHead({
    onMenu,
    onHistory: () => drawer.open(),
    onCompare: () => void toggleCompare(),
    onSettings: toggleSettings,
    items: menuItems,
  });
  const drawer = createHistoryDrawer({ toggle: head.history });
  const settings = createSettings({ onChange: keepSettings, onInvalid: openSettings });
  const model = createModelButton({ onChange: onModel, onMissing, isKeyNeeded: me === null });
  const connection = createConnection({ signedIn: me !== null, onModels });
  const presets = createPresetList({ history, read: readPreset, onUse: usePreset });
  const welcome = createWelcome({ role: me?.role ?? null, connection: connection.element });
  const composer = createComposer({
    tools: [model.element, compared],
    onSend,
    onStop: () => conversation.stop(),
    onInput: showNext,
    onEditLast: () => conversation.editLast(),
  });
  const conversation = createConversation({
    log,
    history,
    send: connection.send,
    readChoices,
    modelName,
    empty: welcome.element,
    onChange,
  });
  const talk = h(
    'section',
    { class: 'talk', 'aria-label': 'Chat' },
    head.element,
    log.element,
    composer.element,
  );
  const element = h('div', { class: 'chat', hidden: true }, drawer.element, drawer.scrim, talk);
  const side = createDrawer(element);

  /**
   * Shows the chats of a person, or of a key that was pasted.
   * @param {Parameters<typeof accountName>[0]} who
   */
  function openAccount(who) {
    opening = opening.then(async () => {
      const name = await accountName(who);
      if (name !== account) await openStore(name);
    });
  }

  /** @param {string} name */
  async function openStore(name) {
    account = name;
    const opened = await openHistory({ account: name });
    list?.close();
    store?.close();
    store = opened;
    list = createHistoryList({
      store: opened,
      account: me === null ? null : name,
      hrefOf: ({ id }) => hashOf('chat', { id }),
      onOpen: ({ id }) => void openChat(id),
      onNew: newChat,
      onGone: newChat,
      newChatKeys: NEW_CHAT_KEYS,
    });
    drawer.element.replaceChildren(list.element);
    opened.onChange((change) => {
      if (change.type === 'presets') void presets.load();
      else if (change.type === 'chat') void conversation.refresh(change.chatId).catch(() => {});
      else if (change.type === 'outdated')
        toast.error('A newer version of this page is open in another tab. Reload this one.');
    });
    await presets.load();
    const [newest] = await opened.listChats({ limit: 1 }).catch(() => []);
    // A new chat begins with the settings of the last one.
    if (newest) settings.fill(newest);
    const id = url.get('id');
    if (id === null || !(await conversation.open(id))) conversation.startNew();
    const chat = conversation.place().chat;
    if (chat) settings.fill(chat);
    model.want(chat?.modelId ?? newest?.modelId ?? null);
  }

  /** @param {string} id */
  async function openChat(id) {
    drawer.close();
    if (conversation.place().chat?.id === id) return;
    endCompare();
    try {
      if (!(await conversation.open(id))) throw new Error('This chat is not in this browser any more.');
      const { chat } = conversation.place();
      if (chat) settings.fill(chat);
      model.want(chat?.modelId ?? null);
      composer.focus();
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  function newChat() {
    drawer.close();
    endCompare();
    composer.cancelSend();
    conversation.startNew();
    composer.focus();
  }

  /** @param {import('./types.js').Model[] | null} models @param {string} [whyNone] */
  function onModels(models, whyNone = '') {
    isListed = models !== null;
    model.show(models, whyNone);
    if (me === null && models !== null) openAccount({ key: connection.key() });
    showWelcome();
    if (!compare) conversation.render();
  }

  function onModel() {
    const chosen = model.chosen();
    settings.showKind(chosen?.kind ?? 'chat');
    composer.setModel(chosen);
    if (chosen && conversation.place().chat?.modelId !== chosen.id)
      void conversation.update({ modelId: chosen.id });
    showCompareButton();
    showNext();
  }

  /** Pressed while no model can be chosen. */
  function onMissing() {
    if (me !== null) openSettings();
    connection.requestModels();
  }

  /** @param {string} id */
  function modelName(id) {
    return model.models().find((one) => one.id === id)?.name ?? id;
  }

  /** @param {string | null} [modelId] */
  function readChoices(modelId = null) {
    const chosen = model.chosen();
    if (!chosen) {
      onMissing();
      return null;
    }
    const chat = settings.read();
    if (!chat) return null;
    const isOther = modelId !== null && kindOf(modelId) !== chosen.kind;
    const used = (isOther && model.models().find(({ id }) => id === modelId)) || chosen;
    return { model: used, settings: chat, fileSettings: settings.file() };
  }

  /** @param {import('./conversation/chat-writer.js').Draft} draft */
  function onSend(draft) {
    const choices = readChoices();
    if (!choices) return false;
    if (side.isOpen() && matchMedia('(max-width: 640px)').matches) side.close();
    const asked = opening.then(() => (compare ?? conversation).ask(draft, choices));
    void asked.catch((/** @type {unknown} */ error) => toast.error(messageOf(error)));
    return true;
  }

  function onChange() {
    const { chat, thread } = conversation.place();
    const isBusy = conversation.isBusy();
    element.classList.toggle('is-busy', isBusy);
    composer.setBusy(isBusy);
    head.setTitle(chat?.title ?? 'New chat');
    head.showUse(conversation.path(), thread.all());
    list?.setCurrent(chat?.id ?? null);
    const id = url.get('id');
    if (store && element.isConnected && id !== (chat?.id ?? null))
      url.set({ id: chat?.id ?? null }, { replace: id === null });
    pathTokens = tokensOf(conversation.path());
    showWelcome();
    showCompareButton();
    showNext();
  }

  function showWelcome() {
    welcome.show({
      hasModels: model.models().length > 0,
      isListed,
      isKept: store?.isKept ?? true,
      isDrawerOpen: side.isOpen(),
    });
  }

  function showNext() {
    const chosen = compare?.models() ?? [model.chosen()].filter((one) => one !== null);
    const { system } = settings.kept();
    const draft = { text: composer.text(), files: composer.files() };
    composer.setNext(describeNext({ models: chosen, system, pathTokens, draft }));
  }

  function keepSettings() {
    void conversation.update(settings.kept());
    showNext();
  }

  function openSettings() {
    if (side.isOpen()) return;
    head.settings.setAttribute('aria-expanded', 'true');
    side.open({
      label: 'Settings',
      title: 'Settings',
      body: [
        section('Model', settings.element),
        section('Presets', presets.element),
        section('Connection', connection.element),
      ],
      onClose() {
        head.settings.setAttribute('aria-expanded', 'false');
        showWelcome();
      },
    });
    showWelcome();
  }

  function toggleSettings() {
    if (side.isOpen()) side.close();
    else openSettings();
  }

  function readPreset() {
    const { system, temperature } = settings.kept();
    return { system, temperature, modelId: model.chosen()?.id ?? null };
  }

  /** @param {import('./history/types.js').Preset} preset */
  function usePreset(preset) {
    settings.fill(preset);
    if (preset.modelId !== null) model.want(preset.modelId);
    keepSettings();
    toast.ok(`“${preset.name}” is set.`);
    composer.focus();
  }

  function menuItems() {
    const chat = conversation.place().chat;
    /** @type {import('../lib/menu.js').MenuItem[]} */
    const items = [
      { label: 'New chat', icon: 'plus', onSelect: newChat },
      { label: 'Keyboard shortcuts', icon: 'info', onSelect: () => showChatShortcuts(isTab) },
    ];
    void chat;
    return items;
  }

  function showCompareButton() {
    const chats = model.models().filter(({ kind }) => kind === 'chat').length;
    const isPossible = chats > 1 && model.chosen()?.kind === 'chat';
    head.setCompare({ isOn: compare !== null, isPossible });
  }

  async function toggleCompare() {
    if (compare) return endCompare();
    try {
      const { createCompare } = await import('./compare/compare.js');
      const first = model.chosen();
      if (!first || compare) return;
      model.element.hidden = true;
      talk.classList.add('is-comparing');
      compare = createCompare({
        conversation,
        log,
        host: compared,
        first,
        models: model.models(),
        onChange,
        onContinue(chosen, leafId) {
          model.want(chosen.id);
          endCompare();
          void conversation.showLeaf(leafId);
          composer.focus();
        },
      });
      composer.setPlaceholder('Ask all of them');
      composer.focus();
      onChange();
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  function endCompare() {
    if (!compare) return;
    compare.close();
    compare = null;
    composer.setModel(model.chosen());
    model.element.hidden = false;
    talk.classList.remove('is-comparing');
    conversation.render({ isEndShown: true });
    onChange();
  }

  createPresetMenu({ field: composer.field, host: composer.form, presets: presets.list, onUse: usePreset });
  takeDroppedFiles(element, (files) => void composer.addFiles(files));
  watchShortcuts(element, {
    isSearchTaken: isTab,
    actions: {
      newChat,
      search() {
        drawer.open();
        list?.focusSearch();
      },
      focus: composer.focus,
      stop() {
        const isBusy = conversation.isBusy();
        conversation.stop();
        return isBusy;
      },
      editLast: conversation.editLast,
      settings: toggleSettings,
    },
  });
  url.onChange(() => {
    const id = url.get('id');
    if (id !== null) void openChat(id);
    else if (!isTab && conversation.place().chat) newChat();
    else onChange();
  });
  element.addEventListener('keydown', (event) => {
    if (
      event.key !== 'Escape' ||
      event.defaultPrevented ||
      !side.body.contains(/** @type {Node} */ (event.target))
    )
      return;
    event.preventDefault();
    side.close();
  });
  container.append(element);
  composer.setModel(null);
  conversation.render();
  showWelcome();
  connection.start();
  openAccount(me ?? { key: '' });
  void Promise.all(STYLES.map(loadStyles)).then(() => {
    element.hidden = false;
    log.follow();
  });

  return {
    mayLoseWork: () =>
      conversation.isAnswering() || (store?.isKept === false && conversation.path().length > 0),
  };
}

/**
 * @param {string} title
 * @param {HTMLElement} content
 */
function section(title, content) {
  return h('section', { class: 'section' }, h('h3', null, title), content);
}
