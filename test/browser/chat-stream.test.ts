import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answers,
  ask,
  converse,
  idle,
  linesOf,
  messageField,
  newChat,
  openChat,
  openSettings,
  PLACES,
  questions,
  startChat,
  textOf,
} from './chat-setup.ts';
import { SKIPPED } from './start-browser.ts';

const options = { skip: SKIPPED };
const SPEED = /^7 in · 400 out · \d+(\.\d+)?\u202fm?s to first token · \d+(\.\d)? tok\/s$/;

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
    await idle(page);
    assert.match(await textOf(answers(page).locator('.meta')), SPEED);
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
    assert.deepEqual(linesOf(second.body), ['user: Tell me a story', 'assistant: Once upon', 'user: Go on']);
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
  await idle(page);
  await newChat(page);
  await openSettings(page);
  await page.getByLabel('System prompt').fill('Speak like a pirate.');
  await page.getByLabel('Temperature').fill('0');
  await page.getByLabel('Maximum tokens').fill('64');
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
  assert.match(await textOf(answers(page).locator('.meta')), /^≈ 1 out · .* to first token$/);
});

test(
  'an edited message and another answer are versions; each is followed by its own branch',
  options,
  async (t) => {
    const chat = await startChat(t);
    const { page } = await openChat(t, chat.app, 'chat page');
    // Not the inner text: of what was not drawn yet there is none.
    const said = async (): Promise<string[]> =>
      (await page.getByRole('log').locator('.bubble, .md').allTextContents()).map((text) => text.trim());
    const turn = async (answer: string): Promise<string[]> => {
      const call = await chat.nextCall();
      call.say(answer);
      call.finish();
      await answers(page).getByText(answer).waitFor();
      await idle(page);
      return linesOf(call.body);
    };
    await converse(page, chat, 'first question', 'first answer');
    await converse(page, chat, 'second question', 'second answer');
    await answers(page).nth(1).getByRole('button', { name: 'Answer again' }).click();
    const before = ['user: first question', 'assistant: first answer', 'user: second question'];
    assert.deepEqual(await turn('better answer'), before);
    assert.match(await textOf(answers(page).nth(1).locator('.branch')), /2 \/ 2$/);
    assert.deepEqual(linesOf(await converse(page, chat, 'third question', 'third answer')), [
      ...before,
      'assistant: better answer',
      'user: third question',
    ]);

    await questions(page).first().getByRole('button', { name: 'Edit message' }).click();
    const edit = page.getByRole('textbox', { name: 'Edit message' });
    assert.equal(await edit.inputValue(), 'first question');
    await edit.fill('never sent');
    await edit.press('Escape');
    await questions(page).first().getByRole('button', { name: 'Edit message' }).click();
    assert.equal(await edit.inputValue(), 'never sent');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await questions(page).first().getByRole('button', { name: 'Edit message' }).click();
    assert.equal(await edit.inputValue(), 'first question');
    await edit.fill('edited question');
    await edit.press('Enter');
    assert.deepEqual(await turn('edited answer'), ['user: edited question']);
    assert.deepEqual(await said(), ['edited question', 'edited answer']);

    const back = page.getByRole('button', { name: 'Previous version' });
    await questions(page).first().getByRole('button', { name: 'Previous version' }).click();
    assert.deepEqual(await said(), [
      'first question',
      'first answer',
      'second question',
      'better answer',
      'third question',
      'third answer',
    ]);
    await answers(page).nth(1).getByRole('button', { name: 'Previous version' }).click();
    assert.deepEqual(await said(), ['first question', 'first answer', 'second question', 'second answer']);
    assert.equal(await back.nth(1).isDisabled(), true);
    await page.reload();
    assert.equal(await page.getByRole('log').getByRole('article').count(), 0);
  },
);

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
    assert.match(await textOf(thoughts.locator('summary')), /^Thought for /);
    assert.equal(await thoughts.locator('.thought-text').textContent(), 'let me see');
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

test('sources of an answer are links below it, each once, http and https only', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'Chat tab');
  await openSettings(page);
  await page.getByLabel('Stream the answer').uncheck();
  await ask(page, 'Who says so?');
  const cited = (url: string, title: string): object => ({
    type: 'url_citation',
    url_citation: { url, title },
  });
  const annotations = [
    cited('https://example.com/a', 'First <b>source</b>'),
    cited('https://example.com/a', 'Again'),
    cited('javascript:alert(1)', 'Never'),
    cited('http://example.org/', ''),
  ];
  (await nextCall()).reply(200, {
    choices: [{ index: 0, message: { content: 'They.', annotations }, finish_reason: 'stop' }],
  });
  const links = answers(page).locator('.sources a');
  await links.first().waitFor();
  assert.deepEqual(
    await links.evaluateAll((all) =>
      all.map((link) => [(link as HTMLAnchorElement).href, link.textContent, link.getAttribute('rel')]),
    ),
    [
      ['https://example.com/a', 'First <b>source</b>', 'noopener noreferrer'],
      ['http://example.org/', 'example.org', 'noopener noreferrer'],
    ],
  );
});

test('the end stays in sight when a picture grows just after the log has scrolled', options, async (t) => {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await converse(page, chat, 'A long answer, please', 'line\n\n'.repeat(40));
  const log = page.getByRole('log');
  const hiddenBelowPx = await log.evaluate(async (scroller) => {
    for (let piece = 0; piece < 2; piece++) {
      const picture = document.createElement('div');
      picture.style.height = '300px';
      scroller.firstElementChild?.append(picture);
      // The second one comes before the browser reports the scrolling.
      if (piece === 0) scroller.scrollTop = scroller.scrollHeight;
    }
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  });
  assert.ok(hiddenBelowPx <= 1, `${hiddenBelowPx} px are hidden`);
  await log.evaluate((scroller) => scroller.scrollBy(0, -200));
  await page.getByRole('button', { name: 'Scroll to the end' }).waitFor();
});
