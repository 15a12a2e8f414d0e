import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startApp } from '../helpers/start-app.ts';
import { addDemoProvider, PNG, pngOfText, wavOfText } from './chat-samples.ts';
import {
  answers,
  ask,
  chooseModel,
  idle,
  messageField,
  openChat,
  openSettings,
  questions,
  startChat,
  textOf,
} from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const SPOKEN = 'The quick brown fox jumps. The lazy dog sleeps.';
const LIMIT_BYTES = 25 * 1024 * 1024;

test('a model that hears makes text and subtitles of an audio file', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'Chat tab');
  await chooseModel(page, 'demo-whisper');
  const send = page.getByRole('button', { name: 'Send', exact: true });
  await send.click();
  await page.getByText('Choose an audio file first.').waitFor();
  await page.getByRole('textbox', { name: 'Names and words that occur (optional)' }).waitFor();
  const audio = page.getByLabel('Audio file');
  await audio.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  await page.getByText('demo-whisper takes no text files.').waitFor();
  await drop(page, 'long.wav', LIMIT_BYTES + 1);
  await page.getByText('“long.wav” is too large').waitFor();
  await audio.setInputFiles(wavOfText('speech.wav', SPOKEN));
  await page.getByRole('button', { name: 'Remove speech.wav' }).waitFor();
  await send.click();
  await answers(page).getByText(SPOKEN).waitFor();
  await questions(page).getByText('speech.wav').waitFor();
  await openSettings(page);
  await page.getByLabel('Format').selectOption('srt');
  await page.getByRole('button', { name: 'Answer again' }).click();
  const subtitles = answers(page).locator('pre');
  await subtitles.waitFor();
  assert.match(await textOf(subtitles), /^1\n00:00:00,000 --> .*\nThe quick brown fox jumps\./);
});

test('a model that reads makes text of an image; a chat model goes on with it', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'chat page');
  await chooseModel(page, 'demo-ocr');
  await ask(page, 'Read this');
  await page.getByText('Choose an image first.').waitFor();
  await page.getByLabel('Image file').setInputFiles(PNG);
  await page.getByRole('button', { name: 'Remove dot.png' }).waitFor();
  await page.getByLabel('Image file').setInputFiles(pngOfText('invoice.png', 'Total: 12 <b>EUR</b>'));
  await page.getByRole('button', { name: 'Remove invoice.png' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Remove/ }).count(), 1);
  await messageField(page).press('Enter');
  await answers(page).getByText('Total: 12 <b>EUR</b>').waitFor();
  await questions(page).getByRole('img', { name: 'invoice.png' }).waitFor();
  await chooseModel(page, 'demo-chat');
  await ask(page, 'Thank you');
  await answers(page).nth(1).locator('.meta').filter({ hasText: 'to first token' }).waitFor();
});

test('audio waits for a model that hears, and a chat model says what to choose', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await openChat(t, app, 'Chat tab');
  await drop(page, 'speech.wav', 100);
  await page.getByText('demo-chat takes no audio. Choose a model for audio, such as Whisper').waitFor();
  await page.getByRole('button', { name: 'Remove speech.wav' }).waitFor();
  await chooseModel(page, 'demo-whisper');
  assert.equal(await textOf(page.locator('.composer-hint')), '');
  await page.getByRole('button', { name: 'Remove speech.wav' }).waitFor();
});

test(
  'a model that speaks answers with sound, one that draws with a picture; both can be kept',
  options,
  async (t) => {
    const app = await startApp(t);
    await addDemoProvider(t, app, ['demo-tts', 'demo-image', 'demo-embed']);
    const { page } = await openChat(t, app, 'Chat tab');
    await chooseModel(page, 'demo-tts');
    await messageField(page).press('Enter');
    await page.getByText('Write a text first.').waitFor();
    await ask(page, 'Good morning');
    const player = answers(page).locator('audio');
    await player.waitFor();
    assert.equal(await isPlayable(page, 'audio'), true);
    const { width } = (await player.boundingBox()) ?? { width: 0 };
    assert.ok(width >= 300, `the player is ${width} px wide: there is no place to seek`);
    const [sound] = await Promise.all([
      page.waitForEvent('download'),
      answers(page).getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.match(sound.suggestedFilename(), /^speech\.(mp3|wav)$/);

    await chooseModel(page, 'demo-image');
    await ask(page, 'A red house');
    const picture = answers(page).nth(1).getByRole('img');
    await picture.waitFor();
    assert.ok((await picture.evaluate((node) => (node as HTMLImageElement).naturalWidth)) > 0);
    const [kept] = await Promise.all([
      page.waitForEvent('download'),
      answers(page).nth(1).getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.match(kept.suggestedFilename(), /^picture-1\.(png|jpeg|webp)$/);
    await idle(page);
    await page.reload();
    await answers(page).nth(1).getByRole('img').waitFor();
    await answers(page).locator('audio').waitFor();

    await chooseModel(page, 'demo-embed');
    await ask(page, 'Numbers?');
    await page.getByText('This model makes no answers to read').waitFor();
  },
);

test('a text file is part of the message, and in the history', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const file = page.getByLabel('File', { exact: true });
  await file.setInputFiles({ name: 'a.sql', mimeType: '', buffer: Buffer.from('select 1;\n') });
  await page.getByRole('button', { name: 'Remove a.sql' }).waitFor();
  await ask(page, 'Explain');
  const call = await nextCall();
  const content = call.body.messages[0]?.content;
  assert.equal(content, 'a.sql:\n\n```sql\nselect 1;\n```\n\nExplain');
  call.say('One');
  call.finish();
  await idle(page);
  await questions(page).getByText('a.sql').waitFor();
  await ask(page, 'And now?');
  assert.equal((await nextCall()).body.messages[0]?.content, content);
});

function isPlayable(page: Page, selector: string): Promise<boolean> {
  return page.locator(selector).evaluate(
    (node) =>
      new Promise((resolve) => {
        const audio = node as HTMLAudioElement;
        if (audio.readyState > 0) resolve(true);
        audio.addEventListener('loadedmetadata', () => resolve(true));
        audio.addEventListener('error', () => resolve(false));
        audio.load();
      }),
  );
}

function drop(page: Page, name: string, lengthBytes: number): Promise<void> {
  return page.evaluate(
    ({ name, lengthBytes }) => {
      const head = new TextEncoder().encode('RIFF\0\0\0\0WAVEfmt ');
      const data = new DataTransfer();
      data.items.add(
        new File([head, new Uint8Array(lengthBytes - head.length)], name, { type: 'audio/wav' }),
      );
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
      document.querySelector('.talk-body')?.dispatchEvent(event);
    },
    { name, lengthBytes },
  );
}
