import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { digest, handOver, preview, sentImages } from './chat-attach.ts';
import { GIF, PNG } from './chat-samples.ts';
import { ask, messageField, modelList, openChat, startChat } from './chat-setup.ts';
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
  await page.locator('.chat-hint').getByText('“page.png” is no PNG, JPEG, WebP or GIF image.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'Look');
  assert.equal(upstream.received.length, 0);
  await messageField(page).press('Enter');
  assert.equal(sentImages(await nextCall()).length, 2);
});

test('what is read when Clear is pressed is forgotten, and the message with it', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await modelList(page).selectOption('seeing-model');
  const { begun, release } = await holdNextRead(page);
  await handOver(page, 'paste', PNG);
  await begun();
  await ask(page, 'Old');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await handOver(page, 'paste', GIF);
  await preview(page, 'dot.gif').waitFor();
  await release();
  assert.deepEqual(await attached(page).allTextContents(), ['']);
  await ask(page, 'New');
  const call = await nextCall();
  assert.deepEqual(sentImages(call), [['image/gif', digest(GIF.buffer)]]);
  assert.equal(upstream.received.length, 1);
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
