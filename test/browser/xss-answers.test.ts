import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { addDemoProvider, pngOfText, wavOfText } from './chat-samples.ts';
import {
  answers,
  ask,
  chooseModel,
  converse,
  idle,
  messageField,
  modelReady,
  newChat,
  openSettings,
  startChat,
  textOf,
} from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';
import { expectText, findStrangers, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };

async function openWatchedChat(page: Page, origin: string): Promise<void> {
  await page.context().request.post(`${origin}/api/login`, { data: ADMIN });
  await page.goto(`${origin}/chat.html`);
  await modelReady(page);
}

test('what a model streams, and how a stream fails, is text, then and after a reload', options, async (t) => {
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
    assert.equal(await textOf(answer.locator('.note .plain')), payload);
    await answer.getByText('the end', { exact: true }).waitFor();
    await idle(page);
  }
  await expectText(page, PAYLOADS, 'the conversation');
  await page.reload();
  await answers(page)
    .nth(PAYLOADS.length - 1)
    .getByText('the end', { exact: true })
    .waitFor();
  await expectText(page, PAYLOADS, 'the conversation after a reload');
  const links = await page
    .locator('.md a')
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
  for (const link of links) assert.match(link, /^https:\/\/evil\.example\//);
  assert.ok(links.length > 0);
});

test(
  'what a model answers at once, its thoughts, tools, sources and refusals are text',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await visitWatched(t, app.origin);
    await openWatchedChat(page, app.origin);
    await openSettings(page);
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
      annotations: PAYLOADS.map((payload) => ({
        type: 'url_citation',
        url_citation: { url: `https://evil.example/${payload}`, title: payload },
      })),
    };
    (await nextCall()).reply(200, {
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      citations: PAYLOADS,
    });
    await answers(page).locator('.tool-call').waitFor();
    await answers(page).locator('.sources li').first().waitFor();
    await answers(page).locator('details > summary').click();
    await expectText(page, [all], 'a whole answer');
    for (const [status, body] of [
      [400, { error: { message: all, type: all, param: all, code: all } }],
      [500, { error: all }],
      [422, { detail: all }],
    ] as const) {
      const again = page
        .getByRole('button', { name: 'Answer again' })
        .or(page.getByRole('button', { name: 'Retry' }));
      await again.click();
      (await nextCall()).reply(status, body);
      await answers(page).locator('.note').waitFor();
      await idle(page);
      assert.deepEqual(await findStrangers(page), [], String(status));
    }
  },
);

test(
  'titles of chats and names of presets are text, in the list, the head and the menus',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await visitWatched(t, chat.app.origin);
    await openWatchedChat(page, chat.app.origin);
    await openSettings(page);
    // What stands before the first word of a title is left out, and a title is one line.
    const titles = PAYLOADS.slice(0, 6).map((payload) => `x${payload}`.slice(0, 60));
    for (const title of titles) {
      await converse(page, chat, title, 'Yes');
      await newChat(page);
    }
    for (const payload of PAYLOADS.slice(0, 6)) {
      await page.getByLabel('System prompt').fill(payload);
      await page.getByRole('button', { name: 'Save as a preset' }).click();
      await page.getByLabel('Name', { exact: true }).fill(payload.slice(0, 60));
      await page.getByRole('button', { name: 'Save preset' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await messageField(page).fill('/');
    await page.getByRole('option').nth(5).waitFor();
    await expectText(page, titles, 'the list and the presets');
    await messageField(page).fill('');
    await page.getByRole('link', { name: titles[1] ?? '' }).click();
    await page
      .locator('.talk-head h2')
      .getByText(titles[1] ?? '')
      .waitFor();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.locator('.toast').first().waitFor();
    assert.deepEqual(await findStrangers(page), []);
  },
);

test('text read from images, heard in audio, and the names of their files are text', options, async (t) => {
  const app = await startApp(t);
  await addDemoProvider(t, app, ['demo-image', 'demo-tts']);
  const { page } = await visitWatched(t, app.origin);
  await openWatchedChat(page, app.origin);
  const all = PAYLOADS.join('\n').replaceAll('\ufeff', '');
  const name = '"><img src=x onerror=xss()>.png';
  await chooseModel(page, 'demo-ocr');
  await page
    .getByLabel('Image file')
    .setInputFiles({ name, mimeType: 'image/png', buffer: Buffer.from([0, 1, 2]) });
  await page.getByText(`“${name}” cannot be attached`).waitFor();
  await page.getByLabel('Image file').setInputFiles(pngOfText(name, all));
  await page.getByRole('button', { name: `Remove ${name}` }).waitFor();
  assert.deepEqual(await findStrangers(page), []);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await answers(page).locator('.md .plain').waitFor();
  await expectText(
    page,
    PAYLOADS.map((payload) => payload.replaceAll('\ufeff', '')),
    'OCR',
  );

  await chooseModel(page, 'demo-whisper');
  const audioName = '<svg onload=xss()>.wav';
  await page.getByLabel('Audio file').setInputFiles(wavOfText(audioName, all));
  await page.getByRole('button', { name: `Remove ${audioName}` }).waitFor();
  assert.deepEqual(await findStrangers(page), []);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await answers(page).nth(1).locator('.md .plain').waitFor();
  await expectText(
    page,
    [audioName, '<iframe srcdoc="<script>parent.xss()</script>"></iframe>'],
    'transcription',
  );
  await openSettings(page);
  await page.getByLabel('Format').selectOption('vtt');
  await page.getByRole('button', { name: 'Answer again' }).last().click();
  await answers(page).nth(1).locator('pre').waitFor();
  await expectText(page, ['<img src=/xss onerror=xss()>'], 'subtitles');
  for (const [at, model] of ['demo-image', 'demo-tts'].entries()) {
    await chooseModel(page, model);
    await ask(page, all.slice(0, 3000));
    await answers(page)
      .nth(2 + at)
      .getByRole('link', { name: 'Download' })
      .waitFor();
    assert.deepEqual(await findStrangers(page), [], model);
  }
});
