/** The chat that is open: its messages on the page, questions and answers. */
import { pageSlots } from '../../charts/slots.js';
import { createChatReader } from './chat-reader.js';
import { createChatWriter } from './chat-writer.js';
import { createElsewhere } from './elsewhere.js';
import { createFileKeeper } from './file-keeper.js';
import { createRuns } from './runs.js';
import { createThread } from './thread.js';
import { createVersions } from './versions.js';
import { loadViews } from './views.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Chat} Chat
 * @typedef {import('../types.js').Sought} Sought
 * @typedef {import('../request/ask.js').Choices} Choices
 * @typedef {import('./chat-writer.js').Place} Place
 * @typedef {import('./chat-writer.js').Draft} Draft
 * @typedef {ReturnType<typeof createConversation>} Conversation
 */

/**
 * @param {{
 *   log: ReturnType<typeof import('./log.js').createLog>, history: () => import('../history/open-history.js').History,
 *   send: import('../types.js').Send, readChoices: (modelId?: string | null) => Choices | null,
 *   modelName: (id: string) => string, empty: HTMLElement, onChange: () => void, onEdited: () => void,
 * }} options
 *   readChoices: null if a choice is missing, which the page then shows; with the id of a model, that model unless the
 *   chosen one is for the same thing; empty: shown without messages; onChange: another chat, or an answer began or ended;
 *   onEdited: a changed message is sent, and its form goes
 */
export function createConversation({
  log,
  history,
  send,
  readChoices,
  modelName,
  empty,
  onChange,
  onEdited,
}) {
  /** @type {Place} */
  let place = { chat: null, thread: createThread() };
  let isSending = false;
  const reader = createChatReader(load);
  /** @type {Map<string, { element: HTMLElement, edit?: () => unknown, setElsewhere?: (next: boolean) => void }>} */
  const views = new Map();
  const keeper = createFileKeeper(history);
  const writer = createChatWriter({ history, keeper });
  /** Loaded with the first message. @type {Awaited<ReturnType<typeof loadViews>> | null} */
  let parts = null;
  const runs = createRuns({
    send,
    files: { loadFile: keeper.load, keepFile: keeper.keep },
    save: writer.save,
    onChange(run) {
      onChange();
      if (run.message.chatId === place.chat?.id) announce(run.message);
    },
  });

  const elsewhere = createElsewhere({
    tell: (change) => history().tellOthers(change),
    isOwn: (id) => runs.get(id) !== null,
    onChange: (id) => views.get(id)?.setElsewhere?.(elsewhere.has(id)),
  });

  const versions = createVersions({
    thread: () => place.thread,
    elementOf: (id) => views.get(id)?.element,
    onShow() {
      render();
      void writer.update(place, { leafId: place.thread.leafId() });
      onChange();
    },
  });

  const isBusy = () => isSending || (place.chat !== null && runs.ofChat(place.chat.id).length > 0);

  /** @param {Message} message */
  function announce({ id, state, error, note = '', text }) {
    if (runs.get(id)) log.announce('');
    else if (error) log.announce(`Error: ${error.message}`);
    else log.announce(`${state === 'stopped' ? 'Stopped.' : note} Answer: ${text}`.trim());
  }

  /** @param {{ isEndShown: boolean }} [options] */
  function render(options = { isEndShown: false }) {
    const path = place.thread.path();
    log.show(path.length === 0 ? [empty] : path.map((message) => viewOf(message).element), options);
  }

  /** @param {Message} message */
  function viewOf(message) {
    let view = views.get(message.id);
    if (!view) {
      view =
        message.role === 'assistant' ? answerView(message) : questionView(message, message.role === 'user');
      views.set(message.id, view);
    }
    return view;
  }

  /** Loads what shows messages. */
  async function prepare() {
    parts ??= await loadViews({ load: keeper.load, onRender: log.follow });
  }

  function prepared() {
    if (parts === null) throw new Error('The parts of the page are still loading.');
    return parts;
  }

  /** @param {Message} message @param {boolean} isEditable */
  function questionView(message, isEditable) {
    const { createUserMessage, media } = prepared();
    return createUserMessage(message, {
      files: media.attached(message),
      versions: versions.of(message),
      onEdit: isEditable ? (text) => void edit(message, text) : null,
    });
  }

  /**
   * @param {Message} message
   * @param {{ slot: number, onAgain: () => void }} [compared] where the answer stands beside others
   */
  function answerView(message, compared) {
    const { createAnswer, media } = prepared();
    const model = message.model ?? '';
    const view = createAnswer(message, {
      modelName: modelName(model),
      slot: compared?.slot ?? pageSlots.assign([model]).get(model) ?? 1,
      versions: compared ? null : versions.of(message),
      media: media.made,
      onRegenerate: compared?.onAgain ?? (() => void regenerate(message)),
      onRender: log.follow,
    });
    view.catchUp();
    const run = runs.get(message.id);
    if (run) run.view = view;
    else view.finish();
    view.setElsewhere(elsewhere.has(message.id));
    return view;
  }

  /** A new message makes its siblings versions. @param {Message} message */
  function forgetSiblings(message) {
    for (const id of place.thread.versions(message)) if (runs.get(id) === null) views.delete(id);
  }

  /**
   * @param {() => Promise<Message>} addQuestion
   * @param {Choices} choices
   */
  async function ask(addQuestion, choices) {
    const here = place;
    isSending = true;
    onChange();
    try {
      await prepare();
      const question = await addQuestion();
      const answer = writer.addAnswer(here, question, choices);
      here.thread.show(answer.id);
      runs.start(answer, here.thread.pathTo(question.id), choices);
      if (here === place) {
        forgetSiblings(question);
        forgetSiblings(answer);
        render({ isEndShown: true });
      }
      await writer.save(answer, { isLeaf: true });
    } finally {
      isSending = false;
      onChange();
    }
  }

  /** @param {Message} message @param {string} text */
  async function edit(message, text) {
    const next = place.thread.all().find(({ parentId }) => parentId === message.id);
    const choices = isBusy() ? null : readChoices(next?.model);
    if (!choices) return;
    onEdited();
    const edited = { text, kept: message.attachments };
    await ask(() => writer.addQuestion(place, edited, message.parentId, choices), choices);
  }

  /** @param {Message} message */
  async function regenerate(message) {
    const question = place.thread.get(message.parentId ?? '');
    const choices = isBusy() ? null : readChoices(message.model);
    if (choices && question) await ask(async () => question, choices);
  }

  /** @param {Chat | null} chat @param {readonly Message[]} messages */
  function show(chat, messages) {
    views.clear();
    parts?.media.release();
    // Those that grow are the ones in memory, not those that were stored a moment ago.
    const current = messages.map((message) => runs.get(message.id)?.message ?? message);
    const added = runs.ofChat(chat?.id ?? null).map(({ message }) => message);
    const all = [...current, ...added.filter((message) => !current.includes(message))];
    place = { chat, thread: createThread(all, chat?.leafId ?? null) };
    elsewhere.watch(all);
    render({ isEndShown: true });
    log.announce('');
    onChange();
  }

  /** @param {string} id */
  async function load(id) {
    const [chat, messages] = await Promise.all([
      history().getChat(id),
      history().loadMessages(id),
      prepare(),
    ]);
    return { chat, messages };
  }

  /** Takes over what another tab has changed. @param {string | null} chatId null: any chat */
  async function refresh(chatId) {
    reader.noteChange(chatId);
    const here = place;
    const id = here.chat?.id;
    if (id === undefined || reader.isReading() || isBusy() || (chatId !== null && chatId !== id)) return;
    const loaded = await reader.read(id);
    if (loaded === null || here !== place || isBusy()) return;
    const { chat, messages } = loaded;
    if (chat === null) show(null, []);
    else if (!here.thread.holds(messages)) show(chat, messages);
    else here.chat = { ...chat, leafId: here.thread.leafId() };
    onChange();
  }

  return {
    place: () => place,
    path: () => place.thread.path(),
    prepare,
    isBusy,
    isReading: reader.isReading,
    /** Keeps what is on the page, whatever is being read. */
    stay: () => reader.cancel(place.chat?.id),
    isAnswering: () => runs.count() > 0,
    /** Ends the answer that arrives. Returns whether there was one. */
    stop() {
      const wasBusy = isBusy();
      runs.stopChat(place.chat?.id ?? null);
      return wasBusy;
    },
    /** @param {Partial<Omit<Chat, 'id' | 'createdAt' | 'updatedAt'>>} fields */
    update: (fields) => writer.update(place, fields),
    hear: elsewhere.hear,
    render,
    writer,
    runs,
    viewOf,
    questionView,
    answerView,
    /** Begins a new chat. It is stored with its first message. */
    startNew() {
      reader.cancel();
      show(null, []);
    },
    /** Shows a chat, unless something else is wished meanwhile. @param {string} id @returns {Promise<boolean>} false if it is gone */
    async open(id) {
      try {
        const loaded = await reader.read(id);
        if (loaded?.chat) show(loaded.chat, loaded.messages);
        return loaded === null || loaded.chat !== null;
      } finally {
        // A chat that stays on the page may have changed while this one was being read.
        if (place.chat && place.chat.id !== id) void refresh(place.chat.id).catch(() => {});
      }
    },
    /** @param {Draft} draft @param {Choices} choices */
    ask: (draft, choices) =>
      ask(() => writer.addQuestion(place, draft, place.thread.leafId(), choices), choices),
    /** Shows the branch that ends at a message. @param {string} id */
    async showLeaf(id) {
      place.thread.show(id);
      views.clear();
      render({ isEndShown: true });
      await writer.update(place, { leafId: id });
      onChange();
    },
    /** Brings into view what a search has found, in whichever version. @param {Sought} sought */
    seek({ messageId, word }) {
      const message = place.thread.get(messageId);
      if (!message) return;
      if (!place.thread.path().includes(message)) versions.show(messageId);
      log.seek(viewOf(message).element, word);
    },
    /** Opens the editor of the person's last message. */
    editLast() {
      const last = place.thread.path().findLast(({ role }) => role === 'user');
      if (last && !isBusy()) views.get(last.id)?.edit?.();
    },
    refresh,
  };
}
