import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answers, ask, openChat, startChat } from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

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
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    await ask(page, text);
    (await nextCall()).reply(422, REFUSAL);
    await answers(page)
      .nth(index + 1)
      .getByText('Slow down.')
      .waitFor();
  }
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  await ask(page, 'asked now');
  assert.deepEqual((await nextCall()).body.messages, [
    { role: 'user', content: 'answered' },
    { role: 'assistant', content: 'Forty-two' },
    { role: 'user', content: 'asked now' },
  ]);
});
