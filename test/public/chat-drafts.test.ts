import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate } from '../helpers/gate.ts';

interface Store {
  saveDraft(id: string, text: string): Promise<void>;
  loadDraft(id: string): Promise<string>;
}

interface Drafts {
  keep(): void;
  leave(): () => Promise<void>;
  open(): Promise<void>;
}

const { createDrafts } = (await import(new URL('../../public/js/chat/drafts.js', import.meta.url).href)) as {
  createDrafts(options: { composer: () => object; store: () => Store }): Drafts;
};

/** The drafts of an account. The first one is written when the test says so. */
function createSlowStore() {
  const texts = new Map<string, string>();
  const written = createGate();
  const store: Store = {
    async saveDraft(id, text) {
      await written.opened;
      if (text === '') texts.delete(id);
      else texts.set(id, text);
    },
    loadDraft: async (id) => texts.get(id) ?? '',
  };
  return { store, texts, write: written.open };
}

test('what is written is stored where it was written, and leaves it once the next account has it', async () => {
  const guest = createSlowStore();
  const own = createSlowStore();
  own.write();
  let store = guest.store;
  let shown = '';
  const composer = {
    text: () => shown,
    isEmpty: () => shown === '',
    setDraft: ({ text }: { text: string }) => {
      shown = text;
    },
  };
  const drafts = createDrafts({ composer: () => composer, store: () => store });
  await drafts.open();
  for (shown of ['one', 'one two']) drafts.keep();
  const forget = drafts.leave();
  store = own.store;
  // Sent while the chats of the account are opened.
  shown = '';
  const opened = drafts.open();
  guest.write();
  await opened;
  assert.equal(shown, '');
  assert.deepEqual([[...guest.texts], [...own.texts]], [[['new', 'one two']], []]);
  await forget();
  assert.deepEqual([...guest.texts], []);
});
