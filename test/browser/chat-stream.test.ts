import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answers,
  ask,
  clearConversation,
  messageField,
  openChat,
  PLACES,
  startChat,
  textOf,
} from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const SPEED = /^\d+\.\d\d s to first token · 7 in · 400 tokens · \d+(\.\d)? tokens\/s$/;

for (const place of PLACES) {
  test(`an answer grows on the page while the provider still writes: ${place}`, options, async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, place);
    await page.evaluate(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + Number(document.body.dataset['aheadMs'] ?? 0);
    });
    await ask(page, 'Count');
    const call = await nextCall();
    await page.getByText('Waiting for the answer').waitFor({ state: 'attached' });
    const text = answers(page).locator('.md');
    for (const [piece, whole] of [
      ['One', 'One'],
      [', **tw', 'One, **tw'],
      ['o**, three', 'One, two, three'],
    ] as const) {
      call.say(piece);
      await text.filter({ hasText: whole }).waitFor();
    }
    assert.equal(await textOf(text.locator('strong')), 'two');
    assert.equal(await page.getByRole('button', { name: 'Send', exact: true }).isVisible(), false);
    await page.evaluate(() => {
      document.body.dataset['aheadMs'] = '2000';
    });
    call.finish({ prompt_tokens: 7, completion_tokens: 400 });
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    assert.match(await textOf(page.locator('.chat-speed')), SPEED);
  });
}

test(
  'Stop and Escape close the connection to the provider; what came so far stays and is sent along',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'chat page');
    await ask(page, 'Tell me a story');
    const first = await nextCall();
    first.say('Once upon');
    await answers(page).getByText('Once upon').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await first.closed;
    await answers(page).getByText('Stopped.').waitFor();
    assert.equal(await messageField(page).evaluate((node) => node === document.activeElement), true);
    await ask(page, 'Go on');
    const second = await nextCall();
    assert.deepEqual(second.body.messages, [
      { role: 'user', content: 'Tell me a story' },
      { role: 'assistant', content: 'Once upon' },
      { role: 'user', content: 'Go on' },
    ]);
    await page.keyboard.press('Escape');
    await second.closed;
    await answers(page).nth(1).getByText('Stopped.').waitFor();
  },
);

test('system prompt, temperature and length reach the provider, streamed or not', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await ask(page, 'Plain');
  const plain = await nextCall();
  assert.deepEqual(plain.body, {
    model: 'blind-model',
    messages: [{ role: 'user', content: 'Plain' }],
    stream: true,
    stream_options: { include_usage: true },
  });
  plain.say('Yes');
  plain.finish();
  await answers(page).getByText('Yes').waitFor();
  await clearConversation(page);
  await page.getByLabel('System Prompt').fill('Speak like a pirate.');
  await page.getByLabel('Temperature').fill('0');
  await page.getByLabel('Max Tokens').fill('64');
  await page.getByLabel('Stream the answer').uncheck();
  await ask(page, 'Fancy');
  const fancy = await nextCall();
  assert.deepEqual(fancy.body, {
    model: 'blind-model',
    messages: [
      { role: 'system', content: 'Speak like a pirate.' },
      { role: 'user', content: 'Fancy' },
    ],
    temperature: 0,
    max_tokens: 64,
  });
  fancy.reply(200, { choices: [{ index: 0, message: { content: 'Arr' }, finish_reason: 'length' }] });
  await answers(page).getByText('Arr').waitFor();
  await answers(page).getByText('The answer was cut off: it reached the maximum number of tokens.').waitFor();
  assert.match(await textOf(page.locator('.chat-speed')), /~1 token$/);
});

test('an edited message and a repeated question forget what came after them', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  const turn = async (answer: string): Promise<unknown> => {
    const call = await nextCall();
    call.say(answer);
    call.finish();
    await answers(page).getByText(answer).waitFor();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    return call.body.messages.map(({ role, content }) => `${role}: ${String(content)}`);
  };
  await ask(page, 'first question');
  await turn('first answer');
  await ask(page, 'second question');
  await turn('second answer');
  // That of an earlier answer would take away all that came after it.
  const regenerate = page.getByRole('button', { name: 'Regenerate answer' });
  assert.equal(await regenerate.count(), 1);
  await regenerate.click();
  const again = ['user: first question', 'assistant: first answer', 'user: second question'];
  assert.deepEqual(await turn('better answer'), again);
  assert.deepEqual(await page.getByRole('log').getByRole('article').count(), 4);
  assert.equal(await page.getByText('second answer').count(), 0);
  await ask(page, 'third question');
  assert.deepEqual(await turn('third answer'), [
    ...again,
    'assistant: better answer',
    'user: third question',
  ]);
  await page.getByRole('button', { name: 'Edit message' }).first().click();
  const edit = page.getByRole('textbox', { name: 'Edit message' });
  assert.equal(await edit.inputValue(), 'first question');
  await edit.fill('never sent');
  await edit.press('Escape');
  assert.equal(await page.getByText('first question').isVisible(), true);
  await page.getByRole('button', { name: 'Edit message' }).first().click();
  await edit.fill('edited question');
  await edit.press('Enter');
  assert.deepEqual(await turn('edited answer'), ['user: edited question']);
  assert.equal(await page.getByText('third question').count(), 0);
});

test(
  'a stream that fails or breaks off keeps its text and says so; thoughts are folded away',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'chat page');
    await ask(page, 'Will it hold?');
    const cut = await nextCall();
    cut.say('<thi');
    cut.say('nk>let me see</think>Half an');
    await answers(page).getByText('Half an', { exact: true }).waitFor();
    const thoughts = answers(page).locator('details');
    assert.equal(await thoughts.evaluate((node) => (node as HTMLDetailsElement).open), false);
    assert.equal(await thoughts.locator('.chat-thoughts').textContent(), 'let me see');
    cut.cut();
    const error = answers(page).locator('.note.bad');
    await error.waitFor();
    assert.match(await textOf(error), /provider|upstream/i);
    assert.equal(await answers(page).getByText('Half an', { exact: true }).isVisible(), true);
    await ask(page, 'And now?');
    const late = await nextCall();
    late.say('```js\nconst half = ');
    await answers(page).nth(1).locator('pre').getByText('const half =').waitFor();
    late.cut();
    await answers(page).nth(1).locator('.note.bad').waitFor();
    assert.equal(await textOf(answers(page).nth(1).locator('pre')), 'const half = ');
  },
);
