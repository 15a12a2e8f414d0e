/**
 * "Forget on sign-out", for shared computers. Which accounts want it stands in a database of its own, because people sign
 * out on pages that know nothing of chats.
 */
import { databaseName } from './account.js';
import { createIndexedDbDriver, deleteDatabase } from './indexed-db.js';
import { openHistory } from './open-history.js';

/** Signing out does not wait longer than this. */
const TIMEOUT_MS = 5000;

/** @type {readonly ((database: IDBDatabase) => void)[]} */
const MIGRATIONS = [(database) => void database.createObjectStore('forgetful', { keyPath: 'id' })];

/**
 * @template T
 * @param {'readonly' | 'readwrite'} mode
 * @param {(transaction: import('./types.js').Transaction) => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {import('./history-error.js').HistoryError}
 */
async function run(mode, work) {
  const name = databaseName('forgetful');
  const driver = await createIndexedDbDriver({ name, migrations: MIGRATIONS, onOutdated: () => {} });
  try {
    return await driver.run(mode, ['forgetful'], work);
  } finally {
    driver.close();
  }
}

/**
 * Whether the chats of an account are removed when it signs out on this browser.
 * @param {string} account
 * @returns {Promise<boolean>}
 */
export async function isForgetful(account) {
  return (await run('readonly', (transaction) => transaction.get('forgetful', account))) !== undefined;
}

/**
 * @param {string} account
 * @param {boolean} isOn
 * @throws {import('./history-error.js').HistoryError}
 */
export function setForgetful(account, isOn) {
  return run('readwrite', (transaction) =>
    isOn ? transaction.put('forgetful', { id: account }) : transaction.remove('forgetful', account),
  );
}

/** Removes the chats of all accounts that want it. Never fails, and ends after some seconds. */
export async function forgetChats() {
  const timeout = new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS));
  await Promise.race([timeout, forgetAll().catch(() => {})]);
}

async function forgetAll() {
  const accounts = await run('readonly', (transaction) => transaction.all('forgetful'));
  for (const { id } of accounts) {
    const history = await openHistory({ account: id });
    // Emptied first, because deleting waits for tabs that are asleep.
    await history.clear();
    history.close();
    deleteDatabase(history.databaseName).catch(() => {});
  }
}
