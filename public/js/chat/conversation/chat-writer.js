/** Writes chats and their messages into the history. Has no DOM but for its messages of failure. */
import { messageOf } from '../../lib/api.js';
import { toast } from '../../lib/toast.js';
import { newMessage, titleOf } from './new-message.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Chat} Chat
 * @typedef {import('../request/ask.js').Choices} Choices
 * @typedef {{ chat: Chat | null, thread: import('./thread.js').Thread }} Place
 *   an open chat; chat: null until its first message. A new object for each chat that is opened, so that work that began
 *   for one never writes into another
 * @typedef {{ text: string, attachments: readonly import('../files/attachment.js').Attachment[] }} Draft
 * @typedef {{ text: string, kept: import('../types.js').Attachment[] }} Edited kept: files that the chat has already
 */

/**
 * @param {{ history: () => import('../history/open-history.js').History, keeper: import('./file-keeper.js').FileKeeper }} options
 */
export function createChatWriter({ history, keeper }) {
  /** @param {Message} message @param {{ isLeaf?: boolean }} [options] isLeaf: the chat shows the branch that ends here */
  async function save(message, options) {
    try {
      await history().saveMessage(message, options);
    } catch (error) {
      toast.error(`The message is not kept: ${messageOf(error)}`);
    }
  }

  return {
    save,

    /** @param {Place} place @param {Partial<Omit<Chat, 'id' | 'createdAt' | 'updatedAt'>>} fields */
    async update(place, fields) {
      if (place.chat === null) return;
      place.chat = { ...place.chat, ...fields };
      await history()
        .updateChat(place.chat.id, fields)
        .catch((error) => toast.error(messageOf(error)));
    },

    /**
     * Adds a question to a chat, which begins with it if it has no message yet.
     * @param {Place} place
     * @param {Draft | Edited} draft
     * @param {string | null} parentId
     * @param {Choices} choices
     * @returns {Promise<Message>}
     */
    async addQuestion(place, draft, parentId, { model, settings }) {
      const files = 'kept' in draft ? [] : draft.attachments.map(({ file }) => file);
      if (place.chat === null) {
        const { system, temperature, maxTokens } = settings;
        const title = titleOf(draft.text, files);
        place.chat = await history().createChat({ title, modelId: model.id, system, temperature, maxTokens });
      }
      const chatId = place.chat.id;
      const attachments = 'kept' in draft ? [...draft.kept] : [];
      for (const file of files) attachments.push(await keeper.keep(chatId, file));
      const question = newMessage({ chatId, parentId, role: 'user', text: draft.text, attachments });
      place.thread.add(question);
      await save(question, { isLeaf: true });
      return question;
    },

    /**
     * Adds the answer that is to come.
     * @param {Place} place
     * @param {Message} question
     * @param {Choices} choices
     */
    addAnswer(place, { chatId, id: parentId }, { model }) {
      const answer = newMessage({ chatId, parentId, role: 'assistant', model: model.id });
      place.thread.add(answer);
      return answer;
    },
  };
}
