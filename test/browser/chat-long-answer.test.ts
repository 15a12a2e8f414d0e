import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONG_ANSWERS } from './answer-samples.ts';
import { answers, ask, idle, openChat, startChat } from './chat-setup.ts';
import { watchStyles } from './page-tasks.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const LONG_CHARS = 60_000;
const PIECES = 20;

for (const [what, text] of LONG_ANSWERS) {
  test(`a long answer in the chat: its end alone is styled again: ${what}`, options, async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    await ask(page, 'Tell me much');
    const call = await nextCall();
    call.say(text.slice(0, LONG_CHARS));
    call.say('\n\n\nthe first end');
    await answers(page).getByText('the first end').waitFor();
    // Colours come later, group after group, and style what they change.
    await page.waitForFunction(() => {
      const last = [...document.querySelectorAll('.md-code')].at(-1);
      const groups = [...(last?.querySelectorAll('code > span') ?? [])];
      return groups.slice(0, -1).every((group) => group.querySelector('[class^="tok-"]') !== null);
    });
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
    assert.ok(most < elements / 4, `${most} of ${elements} elements were styled at once`);
  });
}
