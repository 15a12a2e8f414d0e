import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASTER_KEY } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  converse,
  idle,
  linesOf,
  messageField,
  openChat,
  startChat,
  textOf,
  useKey,
} from './chat-setup.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const REFUSAL = { error: { message: 'Slow down.', type: 'limit', param: null, code: 'too_fast' } };

test('a question that failed is not sent again with the next one', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await ask(page, 'answered');
  const first = await nextCall();
  first.say('Forty-two');
  first.finish();
  await answers(page).getByText('Forty-two').waitFor();
  for (const [index, text] of ['failed', 'failed too'].entries()) {
    await idle(page);
    await ask(page, text);
    (await nextCall()).reply(422, REFUSAL);
    await answers(page)
      .nth(index + 1)
      .getByText('Slow down.')
      .waitFor();
  }
  await idle(page);
  await ask(page, 'asked now');
  assert.deepEqual(linesOf((await nextCall()).body), [
    'user: answered',
    'assistant: Forty-two',
    'user: asked now',
  ]);
});

test('a connection that breaks off is no riddle, and the button named asks again', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await ask(page, 'Will it hold?');
  (await nextCall()).say('Half of it');
  await answers(page).getByText('Half of it').waitFor();
  app.server.closeAllConnections();
  await answers(page).getByText('The connection was interrupted. Press Retry to try again.').waitFor();
  assert.equal(await answers(page).getByText('Half of it').count(), 1);
  await page.getByRole('button', { name: 'Retry' }).click();
  assert.equal((await nextCall()).body.messages.length, 1);
});

test('who asks too often reads how long to wait, once', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  for (const [index, [message, seconds, told]] of (
    [
      ['Slow down.', '27', 'Slow down. Try again in 27 s.'],
      ['Slow down.', '61', 'Slow down. Try again in 2 min.'],
      ['Too much. Please try again in 20s.', '20', 'Too much. Please try again in 20s.'],
    ] as const
  ).entries()) {
    // Until the time is over, the provider would not be asked.
    app.services.health.wakeProvider('scripted');
    await ask(page, 'Hello');
    (await nextCall()).reply(429, { error: { ...REFUSAL.error, message } }, { 'retry-after': seconds });
    const shown = answers(page).nth(index).locator('.note .plain');
    await shown.waitFor();
    assert.equal((await textOf(shown)).replace(/\s+/g, ' '), told);
    await idle(page);
  }
});

test('the banner of a lost connection leaves the head of the chat free', options, async (t) => {
  const chat = await startChat(t);
  const { page, context } = await openChat(t, chat.app, 'Chat tab');
  // The first message loads what shows answers.
  await converse(page, chat, 'Hello', 'Hello');
  await context.setOffline(true);
  await ask(page, 'Anybody there?');
  await page.locator('.banner').waitFor();
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const [banner, head] = await Promise.all([
      page.locator('.banner').boundingBox(),
      page.locator('.talk-head').boundingBox(),
    ]);
    assert.ok(banner && head && banner.y >= head.y + head.height, `${width} px`);
    assert.ok(banner && banner.x >= 0 && banner.x + banner.width <= width, `${width} px`);
  }
  await context.setOffline(false);
  await page.locator('.banner').waitFor({ state: 'detached' });
});

test('a first message without a network comes back, in words, and is sent later', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page, context } = await openChat(t, app, 'Chat tab');
  await page.getByText('No chats yet').waitFor();
  await context.setOffline(true);
  await ask(page, 'Anybody there?');
  await page.getByText('The connection was interrupted. Press Send to try again.').waitFor();
  assert.equal(await messageField(page).inputValue(), 'Anybody there?');
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const call = await nextCall();
  assert.deepEqual(linesOf(call.body), ['user: Anybody there?']);
  call.say('Yes');
  call.finish();
  await answers(page).getByText('Yes').waitFor();
  // By chat-render.css, which could not be loaded before.
  const wrap = await answers(page)
    .locator('.md')
    .evaluate((node) => getComputedStyle(node).overflowWrap);
  assert.equal(wrap, 'anywhere');
});

test('chats that could not be opened are opened with the next message', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page, context } = await visit(t, app.origin, null);
  const module = '**/js/chat/history/open-history.js';
  await context.route(module, (route) => route.abort());
  await page.goto(`${app.origin}/chat.html`);
  await useKey(page, MASTER_KEY);
  await page.getByText('Connection works').waitFor();
  await page.getByText('The connection was interrupted. Press Send to try again.').first().waitFor();
  await context.unroute(module);
  await ask(page, 'Anybody there?');
  await page.getByRole('navigation', { name: 'Chats' }).getByText('Anybody there?').waitFor();
  assert.deepEqual(linesOf((await nextCall()).body), ['user: Anybody there?']);
});

test('an error within a stream speaks of no status that was good', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await ask(page, 'Hello');
  const call = await nextCall();
  call.say('Half of it');
  call.fail('went_wrong');
  const detail = answers(page).locator('.failure-detail');
  await detail.getByText('request id').waitFor();
  assert.match(await textOf(detail), /^went_wrong · request id /);
});
