/** The history in IndexedDB (W3C Indexed Database API 3.0). */
import { HistoryError, noStorage, toHistoryError } from './history-error.js';

/** A browser that says nothing at all, or a tab that does not let go of the old version, must not hold up the chat. */
const OPEN_TIMEOUT_MS = 5000;

/**
 * Opens a database and brings it to the version of the last migration.
 * @param {string} name
 * @param {readonly ((database: IDBDatabase, transaction: IDBTransaction) => void)[]} migrations
 * @returns {Promise<IDBDatabase>}
 * @throws {HistoryError} also where the browser has no IndexedDB
 */
function openDatabase(name, migrations) {
  return new Promise((resolve, reject) => {
    let isBlocked = false;
    let isOver = false;
    /** @param {unknown} error */
    const fail = (error) => {
      isOver = true;
      clearTimeout(timer);
      reject(toHistoryError(error));
    };
    const timer = setTimeout(() => {
      const why = isBlocked ? 'an old version of this page is open in another tab' : 'it does not answer';
      fail(new Error(`${why}.`));
    }, OPEN_TIMEOUT_MS);
    try {
      if (!globalThis.indexedDB) throw noStorage();
      const request = indexedDB.open(name, migrations.length);
      request.onblocked = () => {
        isBlocked = true;
      };
      request.onupgradeneeded = ({ oldVersion }) => {
        const { transaction, result } = request;
        if (transaction) for (const step of migrations.slice(oldVersion)) step(result, transaction);
      };
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        clearTimeout(timer);
        // After the timeout nobody would close it, and an open connection blocks other tabs.
        if (isOver) request.result.close();
        else resolve(request.result);
      };
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * Deletes a database. Tabs that use it let go of it by themselves.
 * @param {string} name
 * @returns {Promise<void>}
 */
export function deleteDatabase(name) {
  return asPromise(indexedDB.deleteDatabase(name)).then(() => undefined);
}

/**
 * @param {{ name: string, migrations: readonly ((database: IDBDatabase, transaction: IDBTransaction) => void)[],
 *   onOutdated: () => void }} options onOutdated: another tab wants a newer version of the database
 * @returns {Promise<import('./types.js').Driver>}
 * @throws {HistoryError}
 */
export async function createIndexedDbDriver({ name, migrations, onOutdated }) {
  let isOutdated = false;
  let isEnded = false;
  /** @type {IDBDatabase | null} */
  let database = null;
  await connect();

  async function connect() {
    if (isOutdated) throw toHistoryError(new DOMException('', 'VersionError'));
    if (isEnded) throw new HistoryError('failed', 'The history is closed.');
    if (database) return database;
    const opened = await openDatabase(name, migrations);
    if (database) {
      opened.close();
      return database;
    }
    // The browser closes the connection when the person clears the site's data.
    opened.onclose = () => {
      database = null;
    };
    opened.onversionchange = ({ newVersion }) => {
      opened.close();
      database = null;
      if (newVersion === null) return;
      isOutdated = true;
      onOutdated();
    };
    database = opened;
    return opened;
  }

  /**
   * @template T
   * @param {'readonly' | 'readwrite'} mode
   * @param {readonly import('./types.js').StoreName[]} stores
   * @param {(transaction: import('./types.js').Transaction) => Promise<T>} work
   */
  async function run(mode, stores, work) {
    try {
      return await runOnce(await begin(mode, stores), work);
    } catch (error) {
      throw toHistoryError(error);
    }
  }

  /** @param {'readonly' | 'readwrite'} mode @param {readonly string[]} stores */
  async function begin(mode, stores) {
    const connection = await connect();
    try {
      return connection.transaction([...stores], mode);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      // The connection was closing meanwhile.
      if (database === connection) database = null;
      return (await connect()).transaction([...stores], mode);
    }
  }

  return {
    run,
    close() {
      isEnded = true;
      database?.close();
      database = null;
    },
  };
}

/**
 * @template T
 * @param {IDBTransaction} transaction
 * @param {(transaction: import('./types.js').Transaction) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function runOnce(transaction, work) {
  /** @type {Promise<void>} */
  const finished = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser ended the transaction.'));
  });
  finished.catch(() => {});
  let result;
  try {
    result = await work(operationsOf(transaction));
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // It has ended already; its own reason says more than that of the request.
      await finished;
    }
    throw error;
  }
  await finished;
  return result;
}

/**
 * @param {IDBTransaction} transaction
 * @returns {import('./types.js').Transaction}
 */
function operationsOf(transaction) {
  /** @param {string} store */
  const at = (store) => transaction.objectStore(store);
  return {
    get: (store, id) => asPromise(at(store).get(id)),
    has: async (store, id) => (await asPromise(at(store).getKey(id))) !== undefined,
    put: (store, record) => asPromise(at(store).put(record)).then(() => undefined),
    remove: (store, id) => asPromise(at(store).delete(id)),
    clear: (store) => asPromise(at(store).clear()),
    count: (store) => asPromise(at(store).count()),
    all: (store) => asPromise(at(store).getAll()),
    withChat: (store, chatId) => asPromise(at(store).index('byChat').getAll(chatId)),
    idsWithChat: async (store, chatId) =>
      (await asPromise(at(store).index('byChat').getAllKeys(chatId))).map(String),
    newest: ({ from, before, limit }) => newestOf(at('chats').index('byOrder'), from, before, limit),
  };
}

/**
 * A cursor, because `getAll` counts from the lower end.
 * @param {IDBIndex} index
 * @param {import('./types.js').Key} from
 * @param {import('./types.js').Key | null} before
 * @param {number} limit
 * @returns {Promise<any[]>}
 */
function newestOf(index, from, before, limit) {
  const range = before === null ? IDBKeyRange.lowerBound(from) : IDBKeyRange.bound(from, before, false, true);
  return new Promise((resolve, reject) => {
    /** @type {unknown[]} */
    const found = [];
    const request = index.openCursor(range, 'prev');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor) found.push(cursor.value);
      if (cursor && found.length < limit) cursor.continue();
      else resolve(found);
    };
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function asPromise(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
