/** Messages that were written and not sent yet, one for each chat. Their files are kept by the page alone. */

/** @param {{ driver: import('./types.js').Driver }} options */
export function createDrafts({ driver }) {
  return {
    /** @param {string} id of the chat @returns {Promise<string>} '' without a draft */
    async loadDraft(id) {
      const draft = await driver.run('readonly', ['drafts'], (transaction) => transaction.get('drafts', id));
      return draft?.text ?? '';
    },

    /** @param {string} id of the chat @param {string} text '' removes the draft */
    async saveDraft(id, text) {
      await driver.run('readwrite', ['drafts'], (transaction) =>
        text === '' ? transaction.remove('drafts', id) : transaction.put('drafts', { id, text }),
      );
    },
  };
}
