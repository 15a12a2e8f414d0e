import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { startApp } from '../helpers/start-app.ts';
import { addDemoProvider, PNG, pngOfText, wavOfText } from './chat-samples.ts';
import { answers, ask, modelList, openChat, textOf } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const SPOKEN = 'The quick brown fox jumps. The lazy dog sleeps.';
const LIMIT_BYTES = 25 * 1024 * 1024;

test('a model that hears makes text and subtitles of an audio file', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'Chat tab');
  await modelList(page).selectOption('demo-whisper');
  assert.equal(await task(page, 'Transcribe').isChecked(), true);
  const send = page.getByRole('button', { name: 'Send', exact: true });
  await send.click();
  await page.getByText('Choose an audio file first.').waitFor();
  await page.getByRole('textbox', { name: 'Hint for the transcription (optional)' }).waitFor();
  const audio = page.getByLabel('Audio file');
  await audio.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  await page.getByText('“notes.txt” is not an audio file.').waitFor();
  await drop(page, 'long.wav', LIMIT_BYTES + 1);
  await page.getByText('“long.wav” is too large: the limit is 25 MB.').waitFor();
  await audio.setInputFiles(wavOfText('speech.wav', SPOKEN));
  await page.getByRole('button', { name: 'Remove speech.wav' }).waitFor();
  const attached = page.getByRole('list', { name: 'Attached files' });
  assert.equal(await isBesideIcon(attached.getByText('speech.wav')), true);
  await send.click();
  await answers(page).getByText(SPOKEN).waitFor();
  assert.equal(await isBesideIcon(page.getByRole('article', { name: 'You' }).getByText('speech.wav')), true);
  await page.getByLabel('Format').selectOption('srt');
  await page.getByRole('button', { name: 'Regenerate answer' }).click();
  const subtitles = answers(page).locator('pre');
  await subtitles.waitFor();
  assert.match(await textOf(subtitles), /^1\n00:00:00,000 --> .*\nThe quick brown fox jumps\./);
});

test('a model that reads makes text of an image', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'chat page');
  await modelList(page).selectOption('demo-ocr');
  assert.equal(await task(page, 'OCR').isChecked(), true);
  await ask(page, 'Read this');
  await page.getByText('Choose an image first.').waitFor();
  await page.getByLabel('Image file').setInputFiles([PNG, pngOfText('invoice.png', 'Total: 12 <b>EUR</b>')]);
  await page.getByRole('button', { name: 'Remove invoice.png' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Remove/ }).count(), 1);
  await ask(page, 'Read this');
  await answers(page).getByText('Total: 12 <b>EUR</b>').waitFor();
  await page.getByRole('article', { name: 'You' }).getByRole('img', { name: 'invoice.png' }).waitFor();
  await modelList(page).selectOption('demo-chat');
  assert.equal(await task(page, 'Chat').isChecked(), true);
  await ask(page, 'Thank you');
  await answers(page).nth(1).locator('.chat-speed').filter({ hasText: 'to first token' }).waitFor();
});

test('audio that is dropped where a message is written leads to the task for it', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'Chat tab');
  await page.getByRole('textbox', { name: 'Message', exact: true }).waitFor();
  await drop(page, 'speech.wav', 100);
  await page.getByText('For audio, choose the task Transcribe.').waitFor();
  await task(page, 'Transcribe').locator('..').click();
  await drop(page, 'speech.wav', 100);
  await page.getByRole('button', { name: 'Remove speech.wav' }).waitFor();
});

/** True where the words stand to the right of the icon before them. */
function isBesideIcon(words: Locator): Promise<boolean> {
  return words.evaluate((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const icon = node.parentElement?.querySelector('svg.icon')?.getBoundingClientRect();
    const text = range.getBoundingClientRect();
    return icon !== undefined && icon.right <= text.left && icon.top < text.bottom && text.top < icon.bottom;
  });
}

function task(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('radio', { name, exact: true });
}

function drop(page: Page, name: string, lengthBytes: number): Promise<void> {
  return page.evaluate(
    ({ name, lengthBytes }) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(lengthBytes)], name, { type: 'audio/wav' }));
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
      document.querySelector('.chat-log')?.dispatchEvent(event);
    },
    { name, lengthBytes },
  );
}
