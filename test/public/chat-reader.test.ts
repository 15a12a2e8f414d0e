import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

interface ChatReader {
  isReading(): boolean;
  noteChange(id: string | null): void;
  cancel(id?: string): void;
  read(id: string): Promise<string | null>;
}

const { createChatReader } = (await import(
  new URL('../../public/js/chat/conversation/chat-reader.js', import.meta.url).href
)) as { createChatReader(load: (id: string) => Promise<string>): ChatReader };

/** A reader whose chats come when the test says so. */
function createSlowReader() {
  const waiting: { id: string; give: (chat: string) => void; fail: (error: Error) => void }[] = [];
  const load = (id: string): Promise<string> =>
    new Promise((give, fail) => void waiting.push({ id, give, fail }));
  const next = async () => {
    // What was asked for by then is among those that wait.
    await new Promise((resolve) => setImmediate(resolve));
    const first = waiting.shift();
    assert.ok(first);
    return first;
  };
  return { reader: createChatReader(load), next, count: () => waiting.length };
}

describe('the reader of chats', () => {
  it('gives a chat, and reads while it does', async () => {
    const { reader, next } = createSlowReader();
    const read = reader.read('a');
    assert.equal(reader.isReading(), true);
    (await next()).give('A');
    assert.equal(await read, 'A');
    assert.equal(reader.isReading(), false);
  });

  it('gives nothing of a chat that was followed by another wish', async () => {
    const { reader, next } = createSlowReader();
    const [first, second] = [reader.read('a'), reader.read('b')];
    const [a, b] = [await next(), await next()];
    b.give('B');
    assert.equal(await second, 'B');
    a.give('A');
    assert.equal(await first, null);
  });

  it('forgets a chat, unless it is the one that is to be kept', async () => {
    const { reader, next } = createSlowReader();
    const kept = reader.read('a');
    reader.cancel('a');
    (await next()).give('A');
    assert.equal(await kept, 'A');
    const forgotten = reader.read('a');
    reader.cancel('b');
    assert.equal(reader.isReading(), false);
    (await next()).give('A');
    assert.equal(await forgotten, null);
  });

  it('reads a chat again that has changed meanwhile, as often as it does', async () => {
    const { reader, next, count } = createSlowReader();
    const read = reader.read('a');
    for (const changed of ['a', null]) {
      const one = await next();
      reader.noteChange(changed);
      one.give('old');
    }
    reader.noteChange('b');
    (await next()).give('new');
    assert.equal(await read, 'new');
    reader.noteChange('a');
    assert.equal(count(), 0);
  });

  it('tells of a failure as long as the chat is wanted', async () => {
    const { reader, next } = createSlowReader();
    const wanted = reader.read('a');
    (await next()).fail(new Error('no'));
    await assert.rejects(wanted, /no/);
    assert.equal(reader.isReading(), false);
    const unwanted = reader.read('a');
    reader.cancel();
    (await next()).fail(new Error('no'));
    assert.equal(await unwanted, null);
  });
});
