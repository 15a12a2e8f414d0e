/** What was written and not sent yet: each chat has its own, and the text is there again when the page is opened again. */

/** @typedef {import('./history/open-history.js').History} History */
/** @typedef {ReturnType<typeof import('./composer/composer.js').createComposer>} Composer */

/** The name of the draft of a chat that does not exist yet. */
const NEW = 'new';

/**
 * @param {{ composer: () => Composer, store: () => History | null }} options store: null until the chats are open
 */
export function createDrafts({ composer, store }) {
  let id = NEW;
  /** @type {object | null} */
  let place = null;
  let isOpen = false;
  /** Drafts of this page, with their files. @type {Map<string, ReturnType<Composer['draft']>>} */
  const drafts = new Map();
  /** Texts that are to be stored, each where it was written. @type {Map<string, { to: History | null, text: string }>} */
  const waiting = new Map();
  /** Resolves when all of them are stored. */
  let storing = Promise.resolve();
  /** Whether the last one of them will be there when the page is opened again. */
  let isKept = true;
  let stored = '';
  /** Where the draft was that the account before had. @type {{ store: History, key: string } | null} */
  let left = null;

  async function storeWaiting() {
    for (const [key, { to, text }] of waiting) {
      waiting.delete(key);
      isKept = await save(to, key, text);
    }
  }

  /** @param {string} key @param {string} text */
  function keepText(key, text) {
    waiting.set(key, { to: store(), text });
    storing = storing.then(storeWaiting);
  }

  /** Shows the draft of the chat, unless something is written meanwhile. */
  async function restore() {
    const key = id;
    const known = drafts.get(key);
    // What is shown may be sent.
    drafts.delete(key);
    const text = known
      ? known.text
      : await store()
          ?.loadDraft(key)
          .catch(() => '');
    if (key !== id || !composer().isEmpty()) return;
    stored = text ?? '';
    composer().setDraft({ text: stored, attachments: known?.attachments ?? [] });
  }

  function keep() {
    const text = composer().text();
    if (!isOpen || text === stored) return;
    stored = text;
    keepText(id, text);
  }

  return {
    /** Stores what the composer holds. To be called whenever that changes. */
    keep,
    /**
     * Another chat is shown, or the one that is shown has got its id.
     * @param {{ chat: { id: string } | null }} next a new object for each chat that is opened
     */
    follow(next) {
      const nextId = next.chat?.id ?? NEW;
      const isSame = next === place;
      place = next;
      if (nextId === id) return;
      const before = id;
      id = nextId;
      if (!isOpen) return;
      // What was written since the first message was sent belongs to its chat, and a file that is being read goes along.
      if (isSame || composer().isReading()) {
        keepText(before, '');
        if (stored !== '') keepText(id, stored);
        return;
      }
      drafts.set(before, composer().draft());
      stored = '';
      composer().setDraft({ text: '', attachments: [] });
      void restore();
    },
    /** Another account follows, into which goes what the composer holds. */
    leave() {
      isOpen = false;
      const from = store();
      if (stored !== '' && from) left = { store: from, key: id };
    },
    /** The chats of an account are open from now on. The account before loses what they hold, or what was sent. */
    async open() {
      isOpen = true;
      drafts.clear();
      stored = '';
      if (composer().isEmpty()) void restore();
      else keep();
      await storing;
      if (left && (composer().text() === '' || isKept)) await save(left.store, left.key, '');
      left = null;
    },
  };
}

/**
 * @param {History | null} to
 * @param {string} key
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there when the page is opened again
 */
async function save(to, key, text) {
  try {
    await to?.saveDraft(key, text);
    return to?.isKept === true;
  } catch {
    return false;
  }
}
