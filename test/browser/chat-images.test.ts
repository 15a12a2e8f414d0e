import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { chooseFiles, digest, handOver, preview, sentImages } from './chat-attach.ts';
import { GIF, JPEG, PNG, WEBP } from './chat-samples.ts';
import {
  answers,
  ask,
  chooseModel,
  idle,
  messageField,
  modelButton,
  openChat,
  questions,
  startChat,
  textOf,
} from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const LIMIT_BYTES = 30 * 1024 * 1024;

test(
  'images by button, paste and drop reach the provider byte by byte, with their true type',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    await chooseModel(page, 'seeing-model');
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
    assert.equal(await questions(page).getByRole('img').count(), 4);
  },
);

test(
  'an image alone is a message; a blind model that takes over is spared the old images',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'chat page');
    await chooseModel(page, 'seeing-model');
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
    await idle(page);
    await chooseModel(page, 'blind-model');
    await ask(page, 'Are you sure?');
    const blind = await nextCall();
    assert.equal(JSON.stringify(blind.body).includes('data:image'), false);
    assert.deepEqual(blind.body.messages.at(-1), { role: 'user', content: 'Are you sure?' });
  },
);

test('what is no file for a chat is refused in words', options, async (t) => {
  const { app, upstream } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await chooseModel(page, 'seeing-model');
  const hint = page.locator('.composer-hint');
  await handOver(page, 'drop', { ...PNG, name: 'over.png' }, LIMIT_BYTES + 1);
  await hint.getByText('“over.png” is too large').waitFor();
  await chooseFiles(page, [{ name: 'page.png', mimeType: 'image/png', buffer: Buffer.from([0, 1, 2, 3]) }]);
  await hint.getByText('“page.png” cannot be attached.').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Attached files' }).locator('li').count(), 0);
  assert.equal(upstream.received.length, 0);
});

test(
  'a picture waits for a model that sees: one that does not says so, and nothing is sent',
  options,
  async (t) => {
    const { app, nextCall, upstream } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    const button = page.getByRole('button', { name: 'Image', exact: true });
    const hint = page.locator('.composer-hint');
    const refusal = 'Blind Model takes no images. Choose a model with the camera sign, or remove the file.';
    assert.equal(await button.isVisible(), false);
    await handOver(page, 'drop', PNG);
    await hint.getByText(refusal).waitFor();
    await preview(page, 'dot.png').waitFor();
    await ask(page, 'Look');
    assert.equal(await textOf(hint), refusal);
    assert.equal(await messageField(page).inputValue(), 'Look');
    assert.equal(upstream.received.length, 0);
    await chooseModel(page, 'seeing-model');
    assert.equal(await button.isVisible(), true);
    assert.equal(await modelButton(page).getByText('takes images').count(), 1);
    assert.equal(await textOf(hint), '');
    await messageField(page).press('Enter');
    assert.deepEqual(sentImages(await nextCall()), [['image/png', digest(PNG.buffer)]]);
  },
);

function loadedPreviews(page: Page): Promise<number[]> {
  return page
    .getByRole('list', { name: 'Attached files' })
    .getByRole('img')
    .evaluateAll((images) =>
      Promise.all(images.map((image) => (image as HTMLImageElement).decode().then(() => 1))),
    );
}
