import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { addDemoProvider } from './chat-samples.ts';
import { answers, ask, chooseModel, converse, idle, newChat, openChat, startChat } from './chat-setup.ts';
import { checkLooks } from './looks.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const LONG = Array.from({ length: 80 }, (_, at) => `Paragraph ${at}`).join('\n\n');

/** How many pixels the window itself can scroll. */
const windowScroll = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollHeight - innerHeight);

test('a long chat scrolls in its log only, and a toast leaves Send alone', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab', { width: 360 });
  await converse(page, chat, 'A long answer', LONG);
  await page.getByRole('button', { name: 'Answer again' }).click();
  const again = await chat.nextCall();
  again.say(LONG);
  again.finish();
  await page.getByText('2 / 2').waitFor();
  assert.equal(await windowScroll(page), 0);
  await page.getByRole('button', { name: /^Model: / }).click();
  await page.getByRole('option').first().waitFor();
  assert.equal(await windowScroll(page), 0);
  await page.keyboard.press('Escape');
  await page.locator('.talk-head').getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  // Without force: what a toast covers cannot be clicked.
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await checkLooks(page, 'the toast of a deleted chat');
});

test('an empty comparison says what it is for', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('heading', { name: 'Compare models' }).waitFor();
  await checkLooks(page, 'an empty comparison');
  await newChat(page);
});

test('headings, nested lists and the player of a sound keep their measures', options, async (t) => {
  const chat = await startChat(t);
  await addDemoProvider(t, chat.app, ['demo-tts']);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(
    page,
    chat,
    'Structure',
    'Text\n\n## Heading\n\n- one\n  - nested\n\n`code`\n\n```js\nlet a\n```\n',
  );
  const sizes = await answers(page).evaluate((answer) =>
    ['.md', 'p code', 'pre code'].map((selector) =>
      Number.parseFloat(getComputedStyle(answer.querySelector(selector) ?? answer).fontSize),
    ),
  );
  assert.deepEqual(sizes.map(Math.round), [15, 13, 13]);
  const gaps = await answers(page).evaluate((answer) =>
    [
      ['.md p', '.md h3'],
      ['.md h3', '.md ul'],
      ['.md > div > div > ul', '.md ul + p'],
      ['li > p', 'li > ul'],
    ].map(([before = '', after = '']) => {
      const end = answer.querySelector(before)?.getBoundingClientRect().bottom ?? 0;
      return Math.round((answer.querySelector(after)?.getBoundingClientRect().top ?? 0) - end);
    }),
  );
  assert.deepEqual(gaps, [24, 12, 12, 4]);
  await chooseModel(page, 'demo-tts');
  await ask(page, 'Good morning');
  const player = answers(page).nth(1).locator('audio');
  await player.waitFor();
  await idle(page);
  assert.ok(((await player.boundingBox())?.width ?? 0) > 300);
});
