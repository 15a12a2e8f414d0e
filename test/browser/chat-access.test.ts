import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { PNG } from './chat-samples.ts';
import {
  answers,
  ask,
  type ChatUnderTest,
  chooseModel,
  converse,
  idle,
  messageField,
  modelButton,
  openChat,
  openSettings,
  PLACES,
  questions,
  settingsButton,
  startChat,
} from './chat-setup.ts';
import { checkLooks, settle } from './looks.ts';
import { findBarriers, isOverflowing, SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const ANSWER = `# Title

Text with \`code\`, **stress**, a [link](https://example.com/) and $$x^2$$.

| A column | Another one that is rather wide | Third column of the table |
|---|---|---|
| a-word-that-is-much-too-long-for-any-telephone-held-upright | b | c |

\`\`\`python
print("a line of code that does not fit into the width of a telephone held upright, however it is turned")
\`\`\`

- [x] done
`;

async function wide(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Looks at the page with something open that a new size of the window would close, or that only one size has. */
async function checkOpen(page: Page, place: string, width: number, open: () => Promise<void>): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  await open();
  await settle(page);
  assert.deepEqual(await findBarriers(page), [], place);
  assert.equal(await isOverflowing(page), false, `${place} is wider than the window`);
}

async function talk(page: Page, chat: ChatUnderTest): Promise<void> {
  await chooseModel(page, 'seeing-model');
  await page.getByLabel('Image file').setInputFiles(PNG);
  await page.getByRole('button', { name: 'Remove dot.png' }).waitFor();
  await ask(page, 'What is this?');
  const call = await chat.nextCall();
  call.say('<think>a thought</think>Half an answer');
  await answers(page).getByText('Half an answer').waitFor();
  await checkLooks(page, 'an answer that arrives');
  call.say(`\n\n${ANSWER}`);
  call.finish({ prompt_tokens: 3, completion_tokens: 40 });
  await idle(page);
  await answers(page).getByText('3 in · 40 out').waitFor();
  await ask(page, 'And now?');
  (await chat.nextCall()).reply(400, {
    error: { message: 'No more.', type: 'x', param: null, code: 'over' },
  });
  await answers(page).getByText('No more.').waitFor();
  await idle(page);
}

for (const place of PLACES) {
  test(`no barriers in any state: ${place}`, options, async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, place);
    await checkLooks(page, 'empty');
    await talk(page, chat);
    await questions(page).last().getByRole('button', { name: 'Edit message' }).click();
    await wide(page);
    assert.equal(await isWholeInLog(page, '.said-edit textarea'), true);
    await page.getByLabel('Image file').setInputFiles(PNG);
    await page.getByRole('button', { name: 'Remove dot.png' }).waitFor();
    await checkLooks(page, 'a conversation, a message that is edited, and a file for the next one');
    await wide(page);
    await openSettings(page);
    await checkLooks(page, 'the settings');
    await wide(page);
    await settingsButton(page).click();
    for (const width of [360, 1440]) {
      const at = (name: string): string => `${name} at ${width} px`;
      await checkOpen(page, at('the models'), width, () => modelButton(page).click());
      await page.keyboard.press('Escape');
      await checkOpen(page, at('the menu'), width, () =>
        page.getByRole('button', { name: 'More', exact: true }).click(),
      );
      await page.keyboard.press('Escape');
      await checkOpen(page, at('the shortcuts'), width, () => page.keyboard.press('Control+/'));
      await page.keyboard.press('Escape');
    }
    await checkOpen(page, 'the chats on a phone', 360, () =>
      page.getByRole('button', { name: 'Chats', exact: true }).click(),
    );
    await page.keyboard.press('Escape');
    assert.equal(await focusedName(page), 'Chats');
  });
}

test('no barriers for people without an account', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html');
  await page.getByRole('heading', { name: 'Chat with an API key' }).waitFor();
  await checkLooks(page, 'the key');
  await wide(page);
  await messageField(page).fill('Hello');
  await messageField(page).press('Enter');
  await page.getByText('Enter an API key first.', { exact: true }).waitFor();
  await checkLooks(page, 'the missing key');
});

test('new text is announced once it is whole, the end of an answer by one short text', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  const spoken = page.locator('.talk-frame > [role="status"]');
  await page.evaluate(() => {
    const node = document.querySelector('.talk-frame > [role="status"]');
    const heard: string[] = [];
    Reflect.set(window, 'heard', heard);
    if (node)
      new MutationObserver(() => heard.push(node.textContent ?? '')).observe(node, { childList: true });
  });
  await converse(page, chat, 'Count', 'One, two, three');
  await spoken.getByText('Answer: One, two, three').waitFor({ state: 'attached' });
  const heard = await page.evaluate(() => Reflect.get(window, 'heard') as string[]);
  assert.deepEqual(
    heard.filter((text) => text !== ''),
    ['Answer: One, two, three'],
  );
  assert.equal(await page.getByRole('log').getAttribute('aria-live'), 'off');
});

function isWholeInLog(page: Page, selector: string): Promise<boolean> {
  return page.evaluate(async (css) => {
    // Until what was observed of the new layout has been acted on.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const inner = document.querySelector(css)?.getBoundingClientRect();
    const outer = document.querySelector('.talk-body')?.getBoundingClientRect();
    return (
      inner !== undefined && outer !== undefined && inner.top >= outer.top && inner.bottom <= outer.bottom
    );
  }, selector);
}

function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
}
