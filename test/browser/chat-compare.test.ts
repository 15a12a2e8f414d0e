import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ADMIN } from '../helpers/start-app.ts';
import {
  answers,
  ask,
  type ChatUnderTest,
  converse,
  idle,
  linesOf,
  messageField,
  modelButton,
  openChat,
  startChat,
  stored,
  type UpstreamCall,
} from './chat-setup.ts';
import { holdRequests } from './held-answer.ts';
import { checkLooks } from './looks.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const PRICE = {
  inputPerMTok: 3,
  outputPerMTok: 15,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: null,
  perImage: null,
  perRequest: null,
  above: null,
};

const FREE = { ...PRICE, inputPerMTok: 0, outputPerMTok: 0 };

async function startPriced(t: Parameters<typeof startChat>[0]): Promise<ChatUnderTest> {
  const chat = await startChat(t);
  const changed = await chat.app.admin('PUT', '/api/admin/models/blind-model', { price: PRICE });
  assert.equal(changed.status, 200);
  return chat;
}

/** The calls of the models, by model. */
async function callsOf({ nextCall }: ChatUnderTest, count: number): Promise<Record<string, UpstreamCall>> {
  const calls: UpstreamCall[] = [];
  while (calls.length < count) calls.push(await nextCall());
  return Object.fromEntries(calls.map((call) => [call.body.model ?? '', call]));
}

function card(page: Page, name: string): ReturnType<Page['locator']> {
  return page.locator('.contender').filter({ has: page.getByRole('heading', { name }) });
}

/** The figures of a card, by their names. */
async function figuresOf(contender: ReturnType<Page['locator']>): Promise<Record<string, string>> {
  const pairs = await contender
    .locator('dl.quad > div')
    .evaluateAll((all) =>
      all.map((pair) => [pair.firstChild?.textContent ?? '', pair.lastChild?.textContent ?? '']),
    );
  return Object.fromEntries(pairs);
}

function placeholder(page: Page): Promise<string | null> {
  return messageField(page).getAttribute('placeholder');
}

test(
  'two models answer the same question side by side, each in its own branch; one goes on',
  options,
  async (t) => {
    const chat = await startPriced(t);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    await converse(page, chat, 'Before', 'Earlier answer');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.getByRole('button', { name: 'Model 2: Seeing Model' }).waitFor();
    assert.equal(await placeholder(page), 'Ask both');
    await ask(page, 'Which is better?');
    const first = await callsOf(chat, 2);
    const asked = ['user: Before', 'assistant: Earlier answer', 'user: Which is better?'];
    for (const name of ['blind-model', 'seeing-model']) {
      const call = first[name];
      assert.ok(call, name);
      assert.deepEqual(linesOf(call.body), asked);
      call.say(`Answer of ${name}`);
    }
    const [blind, seeing] = [card(page, 'Blind Model'), card(page, 'Seeing Model')];
    await blind.getByText('Answer of blind-model').waitFor();
    await seeing.getByText('So far').waitFor();
    assert.equal(await blind.getByText('answering', { exact: true }).isVisible(), true);
    await checkLooks(page, 'a comparison that runs');
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.equal(await blind.getByRole('button', { name: 'Continue with this' }).isDisabled(), true);
    first['blind-model']?.finish({ prompt_tokens: 1000, completion_tokens: 200 });
    await blind.getByText('Total').waitFor();
    await blind.getByText('$0.0060', { exact: true }).waitFor();
    await blind.getByText('200 tok').waitFor();
    assert.equal(await blind.getByText('answering', { exact: true }).count(), 0);
    assert.equal(await seeing.getByText('answering', { exact: true }).isVisible(), true);
    first['seeing-model']?.finish({ prompt_tokens: 10, completion_tokens: 20 });
    await seeing.getByText('no price').waitFor();
    await idle(page);
    assert.equal(await page.getByText('answering', { exact: true }).count(), 0);
    await checkLooks(page, 'a comparison');
    await page.setViewportSize({ width: 1280, height: 800 });

    await ask(page, 'Why?');
    const second = await callsOf(chat, 2);
    for (const name of ['blind-model', 'seeing-model']) {
      const call = second[name];
      assert.ok(call, name);
      assert.deepEqual(linesOf(call.body), [...asked, `assistant: Answer of ${name}`, 'user: Why?']);
      call.say(`Reason of ${name}`);
      call.finish();
    }
    await idle(page);
    await seeing.last().getByRole('button', { name: 'Continue with this' }).click();
    await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
    assert.deepEqual(linesOf(await converse(page, chat, 'Go on', 'Gladly')), [
      ...asked,
      'assistant: Answer of seeing-model',
      'user: Why?',
      'assistant: Reason of seeing-model',
      'user: Go on',
    ]);
    // The other answer is a version of this one.
    await answers(page).nth(1).getByRole('button', { name: 'Previous version' }).click();
    await answers(page).getByText('Reason of blind-model').waitFor();
    await stored(page);
    await page.reload();
    await answers(page).getByText('Reason of blind-model').waitFor();
  },
);

test('a comparison begun while the chats are being opened stays', options, async (t) => {
  const chat = await startPriced(t);
  const { page, context } = await visit(t, chat.app.origin, null);
  await context.request.post(`${chat.app.origin}/api/login`, { data: ADMIN });
  const opened = await holdRequests(page, '**/open-history.js');
  await page.goto(`${chat.app.origin}/chat.html`);
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  const heading = page.getByRole('heading', { name: 'Compare models' });
  await heading.waitFor();
  opened.open();
  await page.getByText('No chats yet').waitFor();
  await stored(page);
  assert.equal(await heading.isVisible(), true);
  await ask(page, 'Hello');
  for (const call of Object.values(await callsOf(chat, 2))) {
    call.say('Good day');
    call.finish();
  }
  await card(page, 'Seeing Model').getByText('Good day').waitFor();
});

test(
  'an answer that fails can be asked for again; Stop ends all of them; a model can be exchanged',
  options,
  async (t) => {
    const chat = await startPriced(t);
    await chat.app.addProvider({ id: 'more', name: 'More', baseUrl: `${chat.upstream.origin}/v1` }, [
      { id: 'third-model', name: 'Third Model' },
      { id: 'fourth-model', name: 'Fourth Model' },
    ]);
    const { page } = await openChat(t, chat.app, 'Chat tab');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.getByRole('heading', { name: 'Compare models' }).waitFor();
    await page.getByRole('button', { name: 'Add a third model' }).click();
    await page.getByRole('option').filter({ hasText: 'Third Model' }).click();
    const third = page.getByRole('button', { name: 'Model 3: Third Model' });
    assert.equal(await third.evaluate((node) => node === document.activeElement), true);
    await page.setViewportSize({ width: 360, height: 800 });
    for (const name of ['Model 1: Blind Model', 'Model 2: Seeing Model', 'Model 3: Third Model']) {
      const text = page.getByRole('button', { name }).locator('.truncate');
      assert.equal(await text.evaluate((node) => node.scrollWidth > node.clientWidth), false, name);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.equal(await page.getByRole('button', { name: 'Add a third model' }).count(), 0);
    await page.getByRole('button', { name: 'Remove Third Model' }).click();
    await page.getByRole('button', { name: 'Model 2: ' }).click();
    await page.getByRole('option').filter({ hasText: 'Fourth Model' }).click();
    await ask(page, 'Hello');
    const calls = await callsOf(chat, 2);
    calls['fourth-model']?.reply(422, {
      error: { message: 'Not today.', type: 'x', param: null, code: 'no' },
    });
    await card(page, 'Fourth Model').getByText('Not today.').waitFor();
    await page.keyboard.press('Escape');
    await calls['blind-model']?.closed;
    await idle(page);
    await card(page, 'Fourth Model').getByRole('button', { name: 'Retry' }).click();
    const again = await chat.nextCall();
    assert.equal(again.body.model, 'fourth-model');
    again.say('Now');
    again.finish();
    await card(page, 'Fourth Model').getByText('Now', { exact: true }).waitFor();
    await idle(page);
    await page.getByRole('button', { name: 'End comparison' }).click();
    await answers(page).getByText('Stopped.').waitFor();
    assert.equal(await page.locator('.contender').count(), 0);
  },
);

test('three models: what each figure says, and room for all of them on any screen', options, async (t) => {
  const chat = await startPriced(t);
  await chat.app.addProvider({ id: 'more', name: 'More', baseUrl: `${chat.upstream.origin}/v1` }, [
    { id: 'free-model', name: 'Free Model' },
  ]);
  assert.equal((await chat.app.admin('PUT', '/api/admin/models/free-model', { price: FREE })).status, 200);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: 'Add a third model' }).click();
  await page.getByRole('option').filter({ hasText: 'Free Model' }).click();
  assert.equal(await placeholder(page), 'Ask all three');
  await ask(page, 'Hello');
  const calls = await callsOf(chat, 3);
  const [blind, free] = [card(page, 'Blind Model'), card(page, 'Free Model')];
  const cards = [blind, card(page, 'Seeing Model'), free];
  await blind.getByText('So far').waitFor();
  const waiting = await figuresOf(blind);
  assert.deepEqual([waiting['Out'], waiting['≈ Cost']], ['–', '–']);
  calls['free-model']?.say('Gladly');
  await free.getByText('Gladly').waitFor();
  await free.getByText('≈ 2 tok').waitFor();
  assert.equal((await figuresOf(free))['≈ Cost'], 'free');
  for (const name of ['blind-model', 'seeing-model'])
    calls[name]?.reply(422, { error: { message: 'Not today.', type: 'x', param: null, code: 'no' } });
  calls['free-model']?.finish({ prompt_tokens: 1000, completion_tokens: 200 });
  await idle(page);
  for (const each of cards) await each.getByText('Total').waitFor();
  const ended = await Promise.all(cards.map(figuresOf));
  assert.deepEqual(
    ended.map((figures) => [figures['Out'], figures['≈ Cost']]),
    [
      ['–', '–'],
      ['–', 'no price'],
      ['200\u202ftok', 'free'],
    ],
  );
  await checkLooks(page, 'a comparison of three');

  await page.setViewportSize({ width: 768, height: 800 });
  const row = page.getByRole('group', { name: 'Three answers' });
  for (const each of cards) {
    const { width = 0 } = (await each.boundingBox()) ?? {};
    const button = await each.getByRole('button', { name: 'Continue with this' }).boundingBox();
    assert.ok(width >= 272, `${width} px`);
    assert.ok((button?.width ?? width) <= width - 32, `${button?.width} of ${width} px`);
  }
  await row.focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((node) => (node?.scrollLeft ?? 0) > 0, await row.elementHandle());

  await page.setViewportSize({ width: 360, height: 800 });
  const chips = page.getByRole('button', { name: /^Model \d: / });
  const tops = await chips.evaluateAll((all) => all.map((chip) => chip.getBoundingClientRect().top));
  assert.equal(new Set(tops).size, 1, 'the models stand in one row');
  await page.getByText('End comparison', { exact: true }).click();
  assert.equal(await page.locator('.contender').count(), 0);
});
