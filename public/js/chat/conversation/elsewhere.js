/**
 * Answers that arrive in another tab. They are stored as stopped until they end, so that a tab that crashes leaves nothing
 * wrong behind. Who answers one of them is asked again and again: a tab that is gone says nothing.
 */

/** @typedef {import('../history/types.js').Change} Change */
/** @typedef {import('../types.js').Message} Message */

const ASK_EVERY_MS = 2000;

/**
 * @param {{ tell: (change: Change) => void, isOwn: (messageId: string) => boolean, onChange: (messageId: string) => void }} options
 *   tell: to the other tabs; isOwn: this tab is answering; onChange: another tab is answering, or not any more
 */
export function createElsewhere({ tell, isOwn, onChange }) {
  /** What is on the page and would count as stopped. @type {Set<string>} */
  let watched = new Set();
  /** Those that arrive in another tab, with whether it has said so since the last question. @type {Map<string, boolean>} */
  const arriving = new Map();
  let timer = 0;

  function askAgain() {
    for (const [messageId, isConfirmed] of arriving) {
      arriving.set(messageId, false);
      if (isConfirmed) tell({ type: 'who', messageId });
      else end(messageId);
    }
    if (arriving.size > 0) timer = setTimeout(askAgain, ASK_EVERY_MS);
  }

  /** @param {string} messageId */
  function end(messageId) {
    if (arriving.delete(messageId)) onChange(messageId);
  }

  return {
    /** @param {string} messageId */
    has: (messageId) => arriving.has(messageId),
    /** Asks about the messages that may be arriving, and forgets others. @param {readonly Message[]} messages */
    watch(messages) {
      const unended = messages.filter(({ role, state }) => role === 'assistant' && state === 'stopped');
      watched = new Set(unended.map(({ id }) => id).filter((id) => !isOwn(id)));
      for (const messageId of arriving.keys()) if (!watched.has(messageId)) arriving.delete(messageId);
      for (const messageId of watched) tell({ type: 'who', messageId });
    },
    /** @param {Change} change that another tab has told */
    hear(change) {
      if (change.type === 'who' && isOwn(change.messageId)) tell({ ...change, type: 'mine' });
      if (change.type !== 'mine' || !watched.has(change.messageId)) return;
      const isNews = !arriving.has(change.messageId);
      arriving.set(change.messageId, true);
      if (!isNews) return;
      onChange(change.messageId);
      clearTimeout(timer);
      timer = setTimeout(askAgain, ASK_EVERY_MS);
    },
  };
}
