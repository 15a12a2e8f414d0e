import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createGate } from '../helpers/gate.ts';
import { answers, ask, idle, openChat, startChat } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const ELSEWHERE = 'Being answered in another tab …';

/** An answer that has begun in one tab, and its chat in a second tab. */
async function startElsewhere(t: Parameters<typeof startChat>[0]) {
  const chat = await startChat(t);
  const { page: first, open, context } = await openChat(t, chat.app, 'Chat tab');
  await ask(first, 'A long story');
  const call = await chat.nextCall();
  call.say('Once upon a time');
  await answers(first).getByText('Once upon a time').waitFor();
  await first.waitForURL(/#chat\?id=/);
  const second = await open(`/chat.html${new URL(first.url()).hash}`);
  await answers(second).getByText(ELSEWHERE).waitFor();
  return { chat, call, first, second, context };
}

test(
  'an answer that ends while its chat is being opened in another tab is there as a whole',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page: first, open, context } = await openChat(t, chat.app, 'Chat tab');
    await ask(first, 'A long story');
    const call = await chat.nextCall();
    call.say('Once upon a time');
    await first.waitForURL(/#chat\?id=/);
    await answers(first).getByText('Once upon a time').waitFor();
    // The second tab reads the chat, and waits for what shows it.
    const asked = createGate();
    const ended = createGate();
    await context.route('**/conversation/media.js', async (route) => {
      asked.open();
      await ended.opened;
      await route.continue();
    });
    const second = await open(`/chat.html${new URL(first.url()).hash}`);
    await asked.opened;
    call.say(' there was a king');
    call.finish();
    await idle(first);
    ended.open();
    await answers(second).getByText('Once upon a time there was a king').waitFor();
    assert.equal(await stopped(second).count(), 0);
  },
);

const stopped = (page: Page) => answers(page).getByText('Stopped.');

test(
  'an answer that arrives in another tab is not called stopped, and its end appears',
  options,
  async (t) => {
    const { call, second, first } = await startElsewhere(t);
    assert.equal(await stopped(second).count(), 0);
    call.say(' there was a king');
    call.finish();
    await answers(second).getByText('Once upon a time there was a king').waitFor();
    assert.equal(await answers(second).getByText(ELSEWHERE).count(), 0);
    assert.equal(await stopped(second).count(), 0);
    assert.equal(await answers(first).getByText(ELSEWHERE).count(), 0);
  },
);

test('an answer that is stopped in the other tab is stopped here too', options, async (t) => {
  const { first, second } = await startElsewhere(t);
  await first.getByRole('button', { name: 'Stop', exact: true }).click();
  await stopped(second).waitFor();
  assert.equal(await answers(second).getByText(ELSEWHERE).count(), 0);
});

for (const how of ['closed', 'crashed'] as const) {
  test(`when the tab that answers is ${how}, the answer is stopped`, options, async (t) => {
    const { first, second, call, context } = await startElsewhere(t);
    if (how === 'closed') await first.close({ runBeforeUnload: false });
    else {
      const devTools = await context.newCDPSession(first);
      const crashed = first.waitForEvent('crash');
      devTools.send('Page.crash').catch(() => {});
      await crashed;
    }
    await call.closed;
    await stopped(second).waitFor();
    assert.equal(await answers(second).getByText(ELSEWHERE).count(), 0);
    if (how === 'crashed') await first.close({ runBeforeUnload: false });
  });
}
