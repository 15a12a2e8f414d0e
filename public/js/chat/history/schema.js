/**
 * The steps from an empty database to the current one. The version of a database is the number of steps that it has taken:
 * a change of the schema is a new step at the end, and a step that was released never changes.
 * @type {readonly ((database: IDBDatabase, transaction: IDBTransaction) => void)[]}
 */
export const MIGRATIONS = [
  (database) => {
    const chats = database.createObjectStore('chats', { keyPath: 'id' });
    chats.createIndex('byOrder', ['rank', 'updatedAt', 'id']);
    const messages = database.createObjectStore('messages', { keyPath: 'id' });
    messages.createIndex('byChat', 'chatId');
    const blobs = database.createObjectStore('blobs', { keyPath: 'id' });
    blobs.createIndex('byChat', 'chatId');
    database.createObjectStore('presets', { keyPath: 'id' });
    database.createObjectStore('totals', { keyPath: 'id' });
  },
  (database) => void database.createObjectStore('drafts', { keyPath: 'id' }),
];
