import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { addDemoProvider, pngOfText, wavOfText } from './chat-samples.ts';
import { answers, ask, modelList, startChat, textOf } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';
import { expectText, findStrangers, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };

async function openWatchedChat(page: Page, origin: string): Promise<void> {
  await page.context().request.post(`${origin}/api/login`, { data: ADMIN });
  await page.goto(`${origin}/chat.html`);
  await modelList(page).locator('option').nth(1).waitFor({ state: 'attached' });
}

test('what a model streams, and how a stream fails, is text', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await visitWatched(t, app.origin);
  await openWatchedChat(page, app.origin);
  for (const [index, payload] of PAYLOADS.entries()) {
    await ask(page, payload);
    const call = await nextCall();
    const middle = Math.floor(payload.length / 2);
    call.say(`${payload.slice(0, middle)}`);
    call.say(`${payload.slice(middle)}\n\nthe end`);
    call.fail(payload);
    const answer = answers(page).nth(index);
    await answer.locator('.note').waitFor();
    assert.equal(await textOf(answer.locator('.note .chat-text')), payload);
    await answer.getByText('the end', { exact: true }).waitFor();
  }
  await expectText(page, PAYLOADS, 'the conversation');
  const links = await page
    .locator('.md a')
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
  for (const link of links) assert.match(link, /^https:\/\/evil\.example\//);
  assert.ok(links.length > 0);
});

test(
  'what a model answers at once, its thoughts, its tools and its refusals are text',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await visitWatched(t, app.origin);
    await openWatchedChat(page, app.origin);
    await page.getByLabel('Stream the answer').uncheck();
    const all = PAYLOADS.join('\n\n');
    const fence = PAYLOADS.map((payload) => `\`\`\`${payload.split('\n')[0]}\n${payload}\n\`\`\``).join(
      '\n\n',
    );
    await ask(page, 'At once');
    const tool = {
      id: '<img src=x onerror=xss()>',
      type: 'function',
      function: { name: all, arguments: all },
    };
    const message = {
      content: `${all}\n\n${fence}`,
      reasoning_content: all,
      refusal: all,
      tool_calls: [tool],
    };
    (await nextCall()).reply(200, { choices: [{ index: 0, message, finish_reason: 'stop' }] });
    await answers(page).locator('.chat-tool').waitFor();
    await answers(page).locator('details > summary').click();
    await expectText(page, [all], 'a whole answer');
    for (const [status, body] of [
      [400, { error: { message: all, type: all, param: all, code: all } }],
      [500, { error: all }],
      [422, { detail: all }],
    ] as const) {
      await page.getByRole('button', { name: 'Regenerate answer' }).click();
      (await nextCall()).reply(status, body);
      await answers(page).locator('.note').waitFor();
      assert.deepEqual(await findStrangers(page), [], String(status));
    }
  },
);

test('text read from images, heard in audio, and the names of their files are text', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app);
  const { page } = await visitWatched(t, app.origin);
  await openWatchedChat(page, app.origin);
  const all = PAYLOADS.join('\n').replaceAll('\ufeff', '');
  const name = '"><img src=x onerror=xss()>.png';
  await modelList(page).selectOption('demo-ocr');
  await page
    .getByLabel('Image file')
    .setInputFiles({ name, mimeType: 'image/png', buffer: Buffer.from('no image') });
  await page.getByText(`“${name}” is not a PNG`).waitFor();
  await page.getByLabel('Image file').setInputFiles(pngOfText(name, all));
  await page.getByRole('button', { name: `Remove ${name}` }).waitFor();
  assert.deepEqual(await findStrangers(page), []);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await answers(page).locator('.md .chat-text').waitFor();
  await expectText(
    page,
    PAYLOADS.map((payload) => payload.replaceAll('\ufeff', '')),
    'OCR',
  );

  await modelList(page).selectOption('demo-whisper');
  const audioName = '<svg onload=xss()>.wav';
  await page.getByLabel('Audio file').setInputFiles(wavOfText(audioName, all));
  await page.getByRole('button', { name: `Remove ${audioName}` }).waitFor();
  assert.deepEqual(await findStrangers(page), []);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await answers(page).nth(1).locator('.md .chat-text').waitFor();
  await expectText(
    page,
    [audioName, '<iframe srcdoc="<script>parent.xss()</script>"></iframe>'],
    'transcription',
  );
  await page.getByLabel('Format').selectOption('vtt');
  await page.getByRole('button', { name: 'Regenerate answer' }).last().click();
  await answers(page).nth(1).locator('pre').waitFor();
  await expectText(page, ['<img src=/xss onerror=xss()>'], 'subtitles');
});
