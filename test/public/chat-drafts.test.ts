import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate } from '../helpers/gate.ts';

interface Store {
  readonly isKept: boolean;
  saveDraft(id: string, text: string): Promise<void>;
  loadDraft(id: string): Promise<string>;
}

interface Drafts {
  keep(): void;
  leave(): void;
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
    isKept: true,
    async saveDraft(id, text) {
      await written.opened;
      if (text === '') texts.delete(id);
      else texts.set(id, text);
    },
    loadDraft: async (id) => texts.get(id) ?? '',
  };
  return { store, texts, write: written.open };
}

/** The drafts of a composer that shows `shown`; the account of `store` is the one that is open. */
function createPage(first: Store) {
  const place = { shown: '', store: first };
  const composer = {
    text: () => place.shown,
    isEmpty: () => place.shown === '',
    setDraft: ({ text }: { text: string }) => {
      place.shown = text;
    },
  };
  const drafts = createDrafts({ composer: () => composer, store: () => place.store });
  return {
    place,
    drafts,
    /** Resolves when what can be stored is stored. */
    async write(text: string): Promise<void> {
      place.shown = text;
      drafts.keep();
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** Another account follows. */
    open(next: Store): Promise<void> {
      drafts.leave();
      place.store = next;
      return drafts.open();
    },
  };
}

test('what is written is stored in its account, and leaves it once it is sent', async () => {
  const [guest, own] = [createSlowStore(), createSlowStore()];
  own.write();
  const { place, drafts, write } = createPage(guest.store);
  await drafts.open();
  await write('one');
  await write('one two');
  drafts.leave();
  place.store = own.store;
  // Sent while the chats of the account are being opened.
  place.shown = '';
  const opened = drafts.open();
  guest.write();
  await opened;
  assert.equal(place.shown, '');
  assert.deepEqual([...guest.texts, ...own.texts], []);
});

test('what is written goes along to the next account, once that has stored it', async () => {
  const [guest, own] = [createSlowStore(), createSlowStore()];
  guest.write();
  const { drafts, write, open } = createPage(guest.store);
  await drafts.open();
  await write('one');
  const opened = open(own.store);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([[...guest.texts], [...own.texts]], [[['new', 'one']], []]);
  own.write();
  await opened;
  assert.deepEqual([[...guest.texts], [...own.texts]], [[], [['new', 'one']]]);
});

test('what the next account cannot keep stays', async () => {
  for (const fault of [{ isKept: false }, { saveDraft: () => Promise.reject(new Error('full')) }]) {
    const [guest, own] = [createSlowStore(), createSlowStore()];
    guest.write();
    own.write();
    const { place, drafts, write, open } = createPage(guest.store);
    await drafts.open();
    await write('one');
    await open({ ...own.store, ...fault });
    assert.deepEqual([...guest.texts], [['new', 'one']]);
    assert.equal(place.shown, 'one');
  }
});
