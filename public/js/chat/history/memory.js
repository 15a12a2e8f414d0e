import { orderKey } from './records.js';

/**
 * The history in memory, where the browser keeps nothing: the same transactions as in IndexedDB, gone with the page.
 * @returns {import('./types.js').Driver}
 */
export function createMemoryDriver() {
  /** @type {Map<string, Map<string, any>>} */
  const stores = new Map();
  /** One after the other, like the transactions of IndexedDB. @type {Promise<unknown>} */
  let last = Promise.resolve();

  /**
   * @template T
   * @param {readonly string[]} names
   * @param {(transaction: import('./types.js').Transaction) => Promise<T>} work
   */
  async function runOnce(names, work) {
    const copies = new Map(names.map((name) => [name, new Map(stores.get(name))]));
    const result = await work(operationsOn(copies));
    for (const [name, copy] of copies) stores.set(name, copy);
    return result;
  }

  return {
    run(_mode, names, work) {
      const next = last.then(() => runOnce(names, work));
      last = next.catch(() => {});
      return next;
    },
    close: () => stores.clear(),
  };
}

/**
 * @param {Map<string, Map<string, any>>} stores
 * @returns {import('./types.js').Transaction}
 */
function operationsOn(stores) {
  /** @param {string} name */
  const at = (name) => {
    const store = stores.get(name);
    if (!store) throw new Error(`the transaction has no ${name}.`);
    return store;
  };
  /** @param {string} name @param {string} chatId */
  const withChat = (name, chatId) => [...at(name).values()].filter((record) => record.chatId === chatId);
  return {
    get: async (name, id) => structuredClone(at(name).get(id)),
    has: async (name, id) => at(name).has(id),
    put: async (name, record) => void at(name).set(record.id, structuredClone(record)),
    remove: async (name, id) => void at(name).delete(id),
    clear: async (name) => at(name).clear(),
    count: async (name) => at(name).size,
    all: async (name) => structuredClone([...at(name).values()]),
    withChat: async (name, chatId) => structuredClone(withChat(name, chatId)),
    idsWithChat: async (name, chatId) => withChat(name, chatId).map(({ id }) => id),
    newest: async ({ from, before, limit }) =>
      structuredClone(
        [...at('chats').values()]
          .filter((chat) => compareKeys(orderKey(chat), from) >= 0)
          .filter((chat) => before === null || compareKeys(orderKey(chat), before) < 0)
          .sort((a, b) => compareKeys(orderKey(b), orderKey(a)))
          .slice(0, limit),
      ),
  };
}

/**
 * Like keys of IndexedDB: item by item; a shorter array comes first.
 * @param {import('./types.js').Key} a
 * @param {import('./types.js').Key} b
 */
function compareKeys(a, b) {
  const [left, right] = [[a].flat(), [b].flat()];
  for (const [index, value] of left.entries()) {
    const other = right[index];
    if (other === undefined || value > other) return 1;
    if (value < other) return -1;
  }
  return left.length - right.length;
}
