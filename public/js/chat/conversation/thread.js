/** The messages of the chat that is open, and the branch of them that is shown. Has no DOM. */
import { branchTo, newestLeaf, versionsOf } from '../history/tree.js';

/** @typedef {import('../types.js').Message} Message */

/**
 * @param {readonly Message[]} [messages] oldest first
 * @param {string | null} [leafId] the last message of the branch that is shown
 */
export function createThread(messages = [], leafId = null) {
  let all = [...messages];
  let leaf = leafId;
  // Of a chat that another tab has cut short, the newest branch is shown.
  if (!all.some(({ id }) => id === leaf)) leaf = all.at(-1)?.id ?? null;

  return {
    all: () => all,
    leafId: () => leaf,
    /** The messages that are shown. */
    path: () => branchTo(all, leaf),
    /** @param {string | null} id @returns {Message[]} */
    pathTo: (id) => branchTo(all, id),
    /** @param {string} id @returns {Message | null} */
    get: (id) => all.find((message) => message.id === id) ?? null,
    /** True if all of these are here, as far as they have come. @param {readonly Message[]} messages */
    holds: (messages) =>
      messages.every(({ id, text, state }) =>
        all.some((known) => known.id === id && known.text.length === text.length && known.state === state),
      ),
    /** @param {Message} message */
    add(message) {
      all = [...all, message];
    },
    /** Shows the branch that ends at a message. @param {string | null} id */
    show(id) {
      leaf = id;
    },
    /** Shows the newest branch that goes through a message. @param {string} id */
    showThrough(id) {
      leaf = newestLeaf(all, id);
    },
    /** The ids of the versions of a message, oldest first. @param {Message} message */
    versions: (message) => versionsOf(all, message).map(({ id }) => id),
  };
}
/** @typedef {ReturnType<typeof createThread>} Thread */
