import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { digest, handOver, preview, sentImages } from './chat-attach.ts';
import { GIF, PNG } from './chat-samples.ts';
import { ask, clearConversation, messageField, modelList, openChat, startChat } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };

test('a message waits for the images that are still being read, in their order', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await modelList(page).selectOption('seeing-model');
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
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  assert.equal(upstream.received.length, 1);
});

test('a message whose image turns out to be none stays, and says so', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await modelList(page).selectOption('seeing-model');
  const { release } = await holdNextRead(page);
  await handOver(page, 'paste', PNG);
  await handOver(page, 'paste', { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<svg>') });
  await handOver(page, 'paste', GIF);
  await ask(page, 'Look');
  await release();
  await preview(page, 'dot.gif').waitFor();
  await page.locator('.chat-hint').getByText('“page.png” is not a PNG, JPEG, WebP or GIF image.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'Look');
  assert.equal(upstream.received.length, 0);
  await messageField(page).press('Enter');
  assert.equal(sentImages(await nextCall()).length, 2);
});

test(
  'Clear asks, and takes the conversation alone: what is written and read stays unsent',
  options,
  async (t) => {
    const { app, nextCall, upstream } = await startChat(t);
    const { page } = await openChat(t, app, 'chat page');
    await modelList(page).selectOption('seeing-model');
    const clear = page.getByRole('button', { name: 'Clear', exact: true });
    assert.equal(await clear.isDisabled(), true);
    await ask(page, 'Old');
    const old = await nextCall();
    old.finish();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    const { begun, release } = await holdNextRead(page);
    await handOver(page, 'paste', PNG);
    await begun();
    await ask(page, 'New');
    await clear.click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.getByRole('log').getByText('Old').count(), 1);
    await clearConversation(page);
    await page.getByRole('heading', { name: 'Start a conversation' }).waitFor();
    assert.equal(await clear.isDisabled(), true);
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
  },
);

function attached(page: Page): ReturnType<Page['locator']> {
  return page.getByRole('list', { name: 'Attached files' }).locator('li');
}

interface HeldRead {
  /** Resolves when the read has come so far that it is held. */
  begun(): Promise<void>;
  /** Lets it go on, and resolves when the image is read. */
  release(): Promise<void>;
}

/** Holds the next image that the page reads. */
async function holdNextRead(page: Page): Promise<HeldRead> {
  const held = await page.evaluateHandle(() => {
    const { readAsDataURL } = FileReader.prototype;
    const begun = new Promise<() => Promise<void>>((resolve) => {
      FileReader.prototype.readAsDataURL = function (blob) {
        FileReader.prototype.readAsDataURL = readAsDataURL;
        resolve(
          () =>
            new Promise((done) => {
              this.addEventListener('loadend', () => done());
              readAsDataURL.call(this, blob);
            }),
        );
      };
    });
    return { begun };
  });
  return {
    begun: () => held.evaluate(async ({ begun }) => void (await begun)),
    release: () => held.evaluate(async ({ begun }) => (await begun)()),
  };
}
