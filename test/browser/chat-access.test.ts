import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import { PNG } from './chat-samples.ts';
import {
  answers,
  ask,
  type ChatUnderTest,
  keyField,
  messageField,
  modelList,
  openChat,
  PLACES,
  startChat,
} from './chat-setup.ts';
import { findBarriers, isOverflowing, type OpenOptions, SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const LOOKS: readonly OpenOptions[] = [
  { width: 360, theme: 'dark' },
  { width: 1440, theme: 'light' },
  ...(process.env['IPIN_LONG'] === '1'
    ? ([
        { width: 360, theme: 'light' },
        { width: 1440, theme: 'dark' },
      ] as const)
    : []),
];
const ANSWER = `# Title

Text with \`code\`, **stress** and a [link](https://example.com/).

| A column | Another one that is rather wide | Third column of the table |
|---|---|---|
| a-word-that-is-much-too-long-for-any-telephone-held-upright | b | c |

\`\`\`python
print("a line of code that does not fit into the width of a telephone held upright, however it is turned")
\`\`\`

- [x] done
`;

async function check(page: Page, place: string): Promise<void> {
  await page.evaluate(() =>
    Promise.all(
      document.getAnimations().map((animation) => {
        animation.finish();
        return animation.finished;
      }),
    ),
  );
  assert.deepEqual(await findBarriers(page), [], place);
  assert.equal(await isOverflowing(page), false, `${place} is wider than the window`);
}

async function converse(page: Page, { nextCall }: ChatUnderTest): Promise<void> {
  await modelList(page).selectOption('seeing-model');
  await page.getByLabel('Image file').setInputFiles(PNG);
  await page.getByRole('button', { name: 'Remove dot.png' }).waitFor();
  await ask(page, 'What is this?');
  const call = await nextCall();
  call.say(`<think>a thought</think>${ANSWER}`);
  call.finish({ prompt_tokens: 3, completion_tokens: 40 });
  await answers(page).locator('.chat-speed').filter({ hasText: '40 tokens' }).waitFor();
  await ask(page, 'And now?');
  (await nextCall()).reply(400, { error: { message: 'No more.', type: 'x', param: null, code: 'over' } });
  await answers(page).getByText('No more.').waitFor();
  await page.getByRole('button', { name: 'Edit message' }).last().click();
  await nextFrames(page);
  assert.equal(await isWholeInLog(page, '.chat-edit textarea'), true);
  await page.getByLabel('Image file').setInputFiles(PNG);
  await page.getByRole('button', { name: 'Remove dot.png' }).waitFor();
}

/** Until what was observed of the new layout has been acted on. */
function nextFrames(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}

function isWholeInLog(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((css) => {
    const inner = document.querySelector(css)?.getBoundingClientRect();
    const outer = document.querySelector('.chat-log')?.getBoundingClientRect();
    return (
      inner !== undefined && outer !== undefined && inner.top >= outer.top && inner.bottom <= outer.bottom
    );
  }, selector);
}

for (const look of LOOKS) {
  for (const place of PLACES) {
    test(`no barriers at ${look.width} px, ${look.theme}: ${place}`, options, async (t) => {
      const chat = await startChat(t);
      const { page } = await openChat(t, chat.app, place, look);
      await check(page, 'empty');
      await converse(page, chat);
      await check(page, 'with a conversation');
      const settings = page.getByRole('button', { name: 'Settings', exact: true });
      if (look.width === 360) {
        assert.equal(await keyField(page).isVisible(), false);
        assert.equal(await settings.getAttribute('aria-expanded'), 'false');
        await settings.click();
        assert.equal(await settings.getAttribute('aria-expanded'), 'true');
        await check(page, 'with settings');
      } else assert.equal(await settings.isVisible(), false);
      assert.equal(await keyField(page).isVisible(), true);
    });
  }
}

test('the chat works from the keyboard alone, from the key to the answer', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html');
  await keyField(page).focus();
  await page.keyboard.type(MASTER_KEY);
  await page.keyboard.press('Enter');
  await modelList(page).locator('option[value="blind-model"]').waitFor({ state: 'attached' });
  await tabTo(page, 'Message');
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  assert.equal(await messageField(page).inputValue(), 'one\ntwo');
  await page.keyboard.press('Enter');
  const first = await nextCall();
  assert.deepEqual(first.body.messages, [{ role: 'user', content: 'one\ntwo' }]);
  assert.equal(await focusedName(page), 'Message');
  await page.keyboard.type('typed while the answer comes');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await first.closed;
  await answers(page).getByText('Stopped.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'typed while the answer comes');
  await tabTo(page, 'Send');
  await page.keyboard.press('Enter');
  const second = await nextCall();
  assert.equal(await focusedName(page), 'Message');
  second.say('```\ncode\n```');
  second.finish();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  await tabTo(page, 'Edit message', 'Shift+Tab');
  await page.keyboard.press('Enter');
  assert.equal(await focusedName(page), 'Edit message');
  await page.keyboard.press('Escape');
  assert.equal(await focusedName(page), 'Edit message');
  await tabTo(page, 'Regenerate answer');
  await page.keyboard.press('Enter');
  const third = await nextCall();
  assert.equal(await focusedName(page), 'Conversation');
  third.say('again');
  third.finish();
  await answers(page).getByText('again').waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  await tabTo(page, 'Clear', 'Shift+Tab');
  await page.keyboard.press('Enter');
  // One Enter too many takes nothing away.
  assert.equal(await focusedName(page), 'Cancel');
  await page.keyboard.press('Enter');
  assert.equal(await focusedName(page), 'Clear');
  assert.equal(await answers(page).count(), 2);
  await page.keyboard.press('Enter');
  await tabTo(page, 'Clear conversation');
  await page.keyboard.press('Enter');
  await answers(page).first().waitFor({ state: 'detached' });
  assert.equal(await answers(page).count(), 0);
  assert.equal(await focusedName(page), 'Message');
});

async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let step = 0; step < 30; step += 1) {
    await page.keyboard.press(key);
    if ((await focusedName(page)) === name) return;
  }
  assert.fail(`${name} is not reached with ${key}`);
}

/** The name of the element that has the focus; empty where none has. */
function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return '';
    const label = element instanceof HTMLTextAreaElement ? element.labels[0]?.textContent : null;
    return (element.getAttribute('aria-label') ?? label ?? element.textContent ?? '').trim();
  });
}
