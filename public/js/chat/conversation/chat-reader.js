/** Reads the chat that the person wants to see, and again what changes meanwhile. */

/**
 * @template T
 * @param {(id: string) => Promise<T>} load
 */
export function createChatReader(load) {
  /** The chat that is being read, and whether it has changed since. @type {{ id: string, isOld: boolean } | null} */
  let reading = null;

  return {
    /** A chat is being read: the one that is to be shown next, or the shown one again. */
    isReading: () => reading !== null,
    /** A chat has changed. @param {string | null} id null: any may have */
    noteChange(id) {
      if (reading && (id === null || reading.id === id)) reading.isOld = true;
    },
    /** Forgets the chat that is being read, unless it is this one. @param {string} [id] */
    cancel(id) {
      if (reading?.id !== id) reading = null;
    },
    /**
     * @param {string} id
     * @returns {Promise<T | null>} null if the person wants to see something else by then
     * @throws {Error} if it cannot be read, and is still wanted
     */
    async read(id) {
      const own = { id, isOld: false };
      reading = own;
      try {
        let loaded;
        do {
          own.isOld = false;
          loaded = await load(id);
        } while (own === reading && own.isOld);
        return own === reading ? loaded : null;
      } catch (error) {
        if (own === reading) throw error;
        return null;
      } finally {
        if (own === reading) reading = null;
      }
    },
  };
}
