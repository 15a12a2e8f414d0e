import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { chooseFiles, digest, handOver, PADDING, preview, sentImages } from './chat-attach.ts';
import { GIF, JPEG, PNG, WEBP } from './chat-samples.ts';
import { answers, ask, messageField, modelList, openChat, startChat, textOf } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const LIMIT_BYTES = 10 * 1024 * 1024;

test(
  'images by button, paste and drop reach the provider byte by byte, with their true type',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    await modelList(page).selectOption('seeing-model');
    await chooseFiles(page, [PNG, { ...WEBP, name: 'mislabelled.png', mimeType: 'image/png' }]);
    await preview(page, 'mislabelled.png').waitFor();
    await handOver(page, 'paste', GIF);
    await preview(page, 'dot.gif').waitFor();
    await handOver(page, 'drop', JPEG);
    await preview(page, 'dot.jpg').waitFor();
    assert.deepEqual(await loadedPreviews(page), [1, 1, 1, 1]);
    await page.getByRole('button', { name: 'Remove dot.gif' }).click();
    assert.equal(await preview(page, 'dot.gif').count(), 0);
    await handOver(page, 'paste', GIF);
    await preview(page, 'dot.gif').waitFor();
    const sent = page.waitForRequest('**/v1/chat/completions');
    await ask(page, 'What are these?');
    // The server would mend a wrong label too.
    assert.equal((await sent).postData()?.includes('data:image/webp;base64,'), true);
    const call = await nextCall();
    assert.deepEqual(sentImages(call), [
      ['image/png', digest(PNG.buffer)],
      ['image/webp', digest(WEBP.buffer)],
      ['image/jpeg', digest(JPEG.buffer)],
      ['image/gif', digest(GIF.buffer)],
    ]);
    assert.equal(await page.getByRole('list', { name: 'Attached files' }).locator('li').count(), 0);
    call.say('Dots');
    call.finish();
    await answers(page).getByText('Dots').waitFor();
    assert.equal(await page.getByRole('article', { name: 'You' }).getByRole('img').count(), 4);
  },
);

test(
  'an image alone is a message; a blind model that takes over is spared the old images',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'chat page');
    await modelList(page).selectOption('seeing-model');
    await chooseFiles(page, [PNG]);
    await preview(page, 'dot.png').waitFor();
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    const seen = await nextCall();
    assert.deepEqual(
      seen.body.messages.map(({ content }) => typeof content === 'object' && content.length),
      [1],
    );
    seen.say('A dot');
    seen.finish();
    await answers(page).getByText('A dot').waitFor();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    await modelList(page).selectOption('blind-model');
    await ask(page, 'Are you sure?');
    const blind = await nextCall();
    assert.equal(JSON.stringify(blind.body).includes('data:image'), false);
    assert.deepEqual(blind.body.messages.at(-1), { role: 'user', content: 'Are you sure?' });
  },
);

test('exactly 10 MB pass, one byte more and other formats are refused in words', options, async (t) => {
  const { app, nextCall, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await modelList(page).selectOption('seeing-model');
  const hint = page.locator('.chat-hint');
  await handOver(page, 'drop', { ...PNG, name: 'over.png' }, LIMIT_BYTES + 1);
  await hint.getByText('“over.png” is too large: it has 10.1 MB, the limit is 10 MB.').waitFor();
  await chooseFiles(page, [
    { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<svg onload=x>') },
  ]);
  await hint.getByText('“page.png” is not a PNG, JPEG, WebP or GIF image.').waitFor();
  await handOver(page, 'drop', {
    name: 'letter.pdf',
    mimeType: 'application/pdf',
    buffer: Buffer.from('%PDF-1.7'),
  });
  await hint.getByText('“letter.pdf” is not a PNG').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Attached files' }).locator('li').count(), 0);
  assert.equal(upstream.received.length, 0);
  await handOver(page, 'paste', { ...PNG, name: 'largest.png' }, LIMIT_BYTES);
  await preview(page, 'largest.png').waitFor();
  const largest = Buffer.concat([PNG.buffer, Buffer.alloc(LIMIT_BYTES - PNG.buffer.length, PADDING)]);
  await ask(page, 'Big?');
  assert.deepEqual(sentImages(await nextCall()), [['image/png', digest(largest)]]);
});

test('a model that does not see explains itself, and nothing is attached or sent', options, async (t) => {
  const { app, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  const button = page.getByRole('button', { name: 'Image', exact: true });
  assert.equal(await button.isDisabled(), true);
  await page.getByText('For images, choose a model marked 📷 images.').waitFor();
  await handOver(page, 'drop', PNG);
  await page.getByText('This model takes no images. Choose a model marked 📷 images.').waitFor();
  await modelList(page).selectOption('seeing-model');
  assert.equal(await button.isDisabled(), false);
  await chooseFiles(page, [PNG]);
  await preview(page, 'dot.png').waitFor();
  await modelList(page).selectOption('blind-model');
  await ask(page, 'Look');
  const hint = page.locator('.chat-hint');
  assert.equal(
    await textOf(hint),
    'This model takes no images. Remove them, or choose a model marked 📷 images.',
  );
  assert.equal(await messageField(page).inputValue(), 'Look');
  assert.equal(upstream.received.length, 0);
});

function loadedPreviews(page: Page): Promise<number[]> {
  return page
    .getByRole('list', { name: 'Attached files' })
    .getByRole('img')
    .evaluateAll((images) =>
      Promise.all(images.map((image) => (image as HTMLImageElement).decode().then(() => 1))),
    );
}
