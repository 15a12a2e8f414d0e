/** The answers that are being given: each goes on while another chat is on the page. */
import { describeFailure, toFailure } from '../request/failure.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {ReturnType<typeof import('./answer.js').createAnswer>} AnswerView
 * @typedef {{ message: Message, view: AnswerView | null, controller: AbortController, ended: Promise<void> }} Run
 *   view: null while the message is not on the page
 */

/** How often an answer is stored while it arrives, so that a closed tab loses little. */
const SAVE_EVERY_MS = 1000;

/**
 * @param {{ send: import('../types.js').Send, files: import('../request/ask.js').Files,
 *   save: (message: Message) => Promise<void>, onChange: (run: Run) => void }} options
 *   onChange: a run began or ended
 */
export function createRuns({ send, files, save, onChange }) {
  /** @type {Map<string, Run>} */
  const runs = new Map();

  /** @param {Run} run @param {readonly Message[]} path @param {import('../request/ask.js').Choices} choices */
  async function execute(run, path, choices) {
    const { message, controller } = run;
    let savedAt = performance.now();
    /** @param {'text' | 'thought' | 'tools'} kind @param {string} piece */
    const onPiece = (kind, piece) => {
      if (kind === 'text') run.view?.addText(piece);
      else if (kind === 'thought') run.view?.addThought(piece);
      else run.view?.showToolCalls();
      if (performance.now() - savedAt < SAVE_EVERY_MS) return;
      savedAt = performance.now();
      void save(message);
    };
    try {
      const { ask } = await import('../request/ask.js');
      await ask({ message, path, choices, send, files, signal: controller.signal, onPiece });
      message.state = 'done';
    } catch (error) {
      // While it arrives, a message counts as stopped: that is what is stored if the tab is closed.
      if (!controller.signal.aborted) {
        const failure = toFailure(error, 'Retry');
        message.state = 'failed';
        message.error = { message: failure.message, detail: describeFailure(failure) };
      }
    } finally {
      const { view } = run;
      view?.finish();
      // Until it is stored, leaving the page would lose its end.
      await save(message);
      runs.delete(message.id);
      // The chat was opened again meanwhile.
      if (run.view !== view) run.view?.finish();
      onChange(run);
    }
  }

  /** @param {string | null} chatId */
  const ofChat = (chatId) => [...runs.values()].filter(({ message }) => message.chatId === chatId);

  return {
    /**
     * @param {Message} message the answer to be filled
     * @param {readonly Message[]} path from the first message to the question
     * @param {import('../request/ask.js').Choices} choices
     * @returns {Run}
     */
    start(message, path, choices) {
      /** @type {Run} */
      const run = { message, view: null, controller: new AbortController(), ended: Promise.resolve() };
      runs.set(message.id, run);
      run.ended = Promise.resolve().then(() => execute(run, path, choices));
      onChange(run);
      return run;
    },
    get: (/** @type {string} */ messageId) => runs.get(messageId) ?? null,
    ofChat,
    count: () => runs.size,
    /** @param {string | null} chatId */
    stopChat(chatId) {
      for (const { controller } of ofChat(chatId)) controller.abort();
    },
  };
}
