import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { digest, handOver, preview, sentImages } from './chat-attach.ts';
import { GIF, PNG } from './chat-samples.ts';
import { ask, chooseModel, idle, messageField, newChat, openChat, startChat } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };

test('a message waits for the images that are still being read, in their order', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await chooseModel(page, 'seeing-model');
  const { release } = await holdNextRead(page);
  await handOver(page, 'paste', PNG);
  await handOver(page, 'drop', GIF);
  await ask(page, 'What are these?');
  await messageField(page).press('Enter');
  await release();
  const call = await nextCall();
  assert.deepEqual(sentImages(call), [
    ['image/png', digest(PNG.buffer)],
    ['image/gif', digest(GIF.buffer)],
  ]);
  assert.equal(await attached(page).count(), 0);
  assert.equal(await messageField(page).inputValue(), '');
  call.finish();
  await idle(page);
  assert.equal(upstream.received.length, 1);
});

test('a message whose image turns out to be none stays, and says so', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await chooseModel(page, 'seeing-model');
  const { release } = await holdNextRead(page);
  await handOver(page, 'paste', PNG);
  await handOver(page, 'paste', { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from([0, 1, 2]) });
  await handOver(page, 'paste', GIF);
  await ask(page, 'Look');
  await release();
  await preview(page, 'dot.gif').waitFor();
  await page.locator('.composer-hint').getByText('“page.png” cannot be attached.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'Look');
  assert.equal(upstream.received.length, 0);
  await messageField(page).press('Enter');
  assert.equal(sentImages(await nextCall()).length, 2);
});

test('a new chat leaves what is written and read unsent', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await chooseModel(page, 'seeing-model');
  await ask(page, 'Old');
  const old = await nextCall();
  old.finish();
  await idle(page);
  const { begun, release } = await holdNextRead(page);
  await handOver(page, 'paste', PNG);
  await begun();
  await ask(page, 'New');
  await newChat(page);
  await handOver(page, 'paste', GIF);
  await release();
  await preview(page, 'dot.gif').waitFor();
  assert.equal(await attached(page).count(), 2);
  assert.equal(await messageField(page).inputValue(), 'New');
  assert.equal(upstream.received.length, 1);
  await messageField(page).press('Enter');
  const call = await nextCall();
  assert.equal(call.body.messages.length, 1);
  assert.deepEqual(sentImages(call), [
    ['image/png', digest(PNG.buffer)],
    ['image/gif', digest(GIF.buffer)],
  ]);
});

function attached(page: Page): ReturnType<Page['locator']> {
  return page.getByRole('list', { name: 'Attached files' }).locator('li');
}

interface HeldRead {
  /** Resolves when the read has come so far that it is held. */
  begun(): Promise<void>;
  /** Lets it go on, and resolves when the image is read. */
  release(): Promise<void>;
}

/** Holds the next file that the page reads. */
async function holdNextRead(page: Page): Promise<HeldRead> {
  const held = await page.evaluateHandle(() => {
    const { arrayBuffer } = Blob.prototype;
    const begun = new Promise<() => Promise<void>>((resolve) => {
      Blob.prototype.arrayBuffer = function () {
        Blob.prototype.arrayBuffer = arrayBuffer;
        return new Promise((done) => {
          resolve(async () => done(await arrayBuffer.call(this)));
        });
      };
    });
    return { begun };
  });
  return {
    begun: () => held.evaluate(async ({ begun }) => void (await begun)),
    release: () => held.evaluate(async ({ begun }) => (await begun)()),
  };
}
