import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { answers, converse, messageField, newChat, openChat, startChat } from './chat-setup.ts';
import { expectFocus } from './keyboard-hands.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };

/** A hundred paragraphs, with one more among them. */
function around(text: string): string {
  const sentence = 'says **little** of anything, in more words than fit on one line of a narrow page.';
  const lines = Array.from({ length: 100 }, (_, number) => `Paragraph ${number} ${sentence}`);
  lines.splice(50, 0, text);
  return lines.join('\n\n');
}

async function openFound(page: Page, word: string): Promise<void> {
  await page.getByLabel('Search chats').fill(word);
  await page.locator('.history-snippet').getByText(word, { exact: true }).click();
}

/** Until the marked word is this one, and in view. */
async function markInView(page: Page, word: string): Promise<void> {
  await page.waitForFunction((expected) => {
    const [range] = CSS.highlights.get('found') ?? [];
    if (!(range instanceof Range) || range.toString() !== expected) return false;
    const log = document.querySelector('.talk-body')?.getBoundingClientRect();
    const { top, bottom, left, right } = range.getBoundingClientRect();
    const isHigh = log !== undefined && top >= log.top && bottom <= log.bottom;
    return isHigh && left >= log.left && right <= log.right;
  }, word);
}

/** Resolves when what has changed is laid out and drawn. */
function nextFrame(page: Page): Promise<void> {
  return page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 0))));
}

test('a chat that was found opens at the word, until the reader moves on', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  // Safari has no scroll anchoring: Chromium does without it here.
  await page.getByRole('log').evaluate((log) => log.style.setProperty('overflow-anchor', 'none'));
  await converse(page, chat, 'Of birds', around('The albatross sleeps as it flies.'));
  await converse(page, chat, 'And of fish?', around('The salmon returns.'));
  await newChat(page);
  await openFound(page, 'albatross');
  await markInView(page, 'albatross');
  // Another search, in the chat that is open already.
  await openFound(page, 'salmon');
  await markInView(page, 'salmon');
  // Lines are broken elsewhere, which moves what is below them.
  await page.setViewportSize({ width: 700, height: 700 });
  await markInView(page, 'salmon');

  const log = page.getByRole('log');
  // Who writes looks elsewhere too.
  await messageField(page).press('x');
  await log.evaluate((element) => element.scrollTo(0, 0));
  await page.setViewportSize({ width: 1280, height: 800 });
  await nextFrame(page);
  assert.equal(await log.evaluate((element) => element.scrollTop), 0);
  await openFound(page, 'salmon');
  await markInView(page, 'salmon');
  await log.hover();
  await page.mouse.wheel(0, -100_000);
  await page.waitForFunction(() => document.querySelector('.talk-body')?.scrollTop === 0);
  await page.setViewportSize({ width: 900, height: 700 });
  await nextFrame(page);
  assert.equal(await log.evaluate((element) => element.scrollTop), 0);
  await newChat(page);
  assert.equal(await page.evaluate(() => CSS.highlights.has('found')), false);
});

test(
  'a hit in an earlier version shows that version; a hit in the title, the end of the chat',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    await converse(page, chat, 'Of birds', around('The albatross sleeps as it flies.'));
    await answers(page).getByRole('button', { name: 'Answer again' }).click();
    const again = await chat.nextCall();
    again.say('Not of that.');
    again.finish();
    await answers(page).getByText('Not of that.').waitFor();
    await newChat(page);
    await openFound(page, 'albatross');
    await markInView(page, 'albatross');
    await answers(page).getByText('1 / 2').waitFor();
    await expectFocus(page, messageField(page));
    await page.getByLabel('Search chats').fill('birds');
    await page.locator('.history-snippet').waitFor({ state: 'hidden' });
    await newChat(page);
    await page.getByRole('link', { name: 'Of birds' }).click();
    await answers(page).getByText('Paragraph 99').waitFor();
    await page.waitForFunction(() => {
      const log = document.querySelector('.talk-body');
      return log !== null && log.scrollTop > 0 && log.scrollTop + log.clientHeight >= log.scrollHeight - 24;
    });
  },
);

test(
  'of an answer its text is searched, not its model or its thoughts; in code, sideways too',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    await converse(
      page,
      chat,
      'Of cats',
      `<think>A blind one</think>${around('İYİDİR İZMİR, blind and small.')}`,
    );
    await converse(page, chat, 'Of mice', around(`\`\`\`\n${'x '.repeat(300)}mouse\n\`\`\``));
    await openFound(page, 'blind');
    await markInView(page, 'blind');
    const sentence = await page.evaluate(() => {
      const [range] = CSS.highlights.get('found') ?? [];
      return range?.startContainer.textContent;
    });
    assert.equal(sentence, 'İYİDİR İZMİR, blind and small.');
    await openFound(page, 'mouse');
    await markInView(page, 'mouse');
  },
);

test('a hit in a chat that fits the page leaves nothing to scroll to', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'Of birds', 'The albatross.');
  await openFound(page, 'albatross');
  await markInView(page, 'albatross');
  assert.equal(await page.getByRole('button', { name: 'Scroll to the end' }).count(), 0);
});

test('a hit in the chat that is being compared ends the comparison', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'Of birds', around('The albatross sleeps as it flies.'));
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.locator('.is-comparing').waitFor();
  await openFound(page, 'albatross');
  await markInView(page, 'albatross');
  assert.equal(await page.locator('.is-comparing').count(), 0);
});
