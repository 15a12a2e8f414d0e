/** The branches of a chat: messages point to the one before. Pointers from outside may be wrong or go in circles. */

/** @typedef {import('./types.js').Message} Message */

/**
 * The branch that ends at a message, from its first message on.
 * @param {readonly Message[]} messages of one chat
 * @param {string | null} leafId
 * @returns {Message[]}
 */
export function branchTo(messages, leafId) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  /** @type {Message[]} */
  const branch = [];
  let current = byId.get(leafId ?? '');
  while (current) {
    branch.push(current);
    byId.delete(current.id);
    current = byId.get(current.parentId ?? '');
  }
  return branch.reverse();
}

/**
 * The messages with the same parent, itself included, oldest first: the versions ‹2/3›.
 * @param {readonly Message[]} messages of one chat, oldest first
 * @param {Message} message
 * @returns {Message[]}
 */
export function versionsOf(messages, message) {
  return messages.filter(({ parentId, role }) => parentId === message.parentId && role === message.role);
}

/**
 * The end of the newest branch that goes through a message.
 * @param {readonly Message[]} messages of one chat, oldest first
 * @param {string} id
 * @returns {string}
 */
export function newestLeaf(messages, id) {
  /** @type {Map<string, string>} */
  const newestChild = new Map();
  for (const message of messages) if (message.parentId) newestChild.set(message.parentId, message.id);
  let leaf = id;
  const seen = new Set([id]);
  for (;;) {
    const child = newestChild.get(leaf);
    if (child === undefined || seen.has(child)) return leaf;
    seen.add(child);
    leaf = child;
  }
}
