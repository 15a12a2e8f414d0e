import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONG_ANSWERS } from './answer-samples.ts';
import { answers, ask, idle, openChat, startChat } from './chat-setup.ts';
import { watchStyles } from './page-tasks.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const LONG_CHARS = 60_000;
const PIECES = 20;

/** The first two, a mixed answer and code, have the most elements. */
const TRIED = process.env['IPIN_LONG'] === '1' ? LONG_ANSWERS : LONG_ANSWERS.slice(0, 2);

for (const [what, text] of TRIED) {
  test(`a long answer in the chat: its end alone is styled again: ${what}`, options, async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    await ask(page, 'Tell me much');
    const call = await nextCall();
    call.say(text.slice(0, LONG_CHARS));
    call.say('\n\n\nthe first end');
    await answers(page).getByText('the first end').waitFor();
    const counts = await watchStyles(page, async () => {
      for (let index = 0; index < PIECES; index += 1) {
        call.say(` zebra${index}.`);
        await page.locator('.md').getByText(`zebra${index}.`).waitFor();
      }
      call.finish();
      await idle(page);
    });
    const elements = await page.locator('.answer *').count();
    assert.ok(elements > 1500, `${elements} elements`);
    assert.ok(counts.length > 3, `${counts.length} times`);
    const most = Math.max(...counts);
    assert.ok(most < elements / 2, `${most} of ${elements} elements were styled at once`);
  });
}
