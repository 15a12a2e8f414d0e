import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  answers,
  ask,
  type ChatUnderTest,
  converse,
  idle,
  linesOf,
  modelButton,
  openChat,
  startChat,
  stored,
  type UpstreamCall,
} from './chat-setup.ts';
import { checkLooks } from './looks.ts';
import { SKIPPED } from './start-browser.ts';

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

async function startPriced(t: Parameters<typeof startChat>[0]): Promise<ChatUnderTest> {
  const chat = await startChat(t);
  const changed = await chat.app.admin('PUT', '/api/admin/models/blind-model', { price: PRICE });
  assert.equal(changed.status, 200);
  return chat;
}

/** The calls of both models, by model. */
async function bothCalls({ nextCall }: ChatUnderTest): Promise<Record<string, UpstreamCall>> {
  const calls = [await nextCall(), await nextCall()];
  return Object.fromEntries(calls.map((call) => [call.body.model ?? '', call]));
}

function card(page: Page, name: string): ReturnType<Page['locator']> {
  return page.locator('.contender').filter({ has: page.getByRole('heading', { name }) });
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
    await ask(page, 'Which is better?');
    const first = await bothCalls(chat);
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
    await checkLooks(page, 'a comparison that runs');
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.equal(await blind.getByRole('button', { name: 'Continue with this one' }).isDisabled(), true);
    first['blind-model']?.finish({ prompt_tokens: 1000, completion_tokens: 200 });
    await blind.getByText('Total').waitFor();
    await blind.getByText('$0.0060', { exact: true }).waitFor();
    await blind.getByText('200 tok').waitFor();
    first['seeing-model']?.finish({ prompt_tokens: 10, completion_tokens: 20 });
    await seeing.getByText('no price').waitFor();
    await idle(page);
    await checkLooks(page, 'a comparison');
    await page.setViewportSize({ width: 1280, height: 800 });

    await ask(page, 'Why?');
    const second = await bothCalls(chat);
    for (const name of ['blind-model', 'seeing-model']) {
      const call = second[name];
      assert.ok(call, name);
      assert.deepEqual(linesOf(call.body), [...asked, `assistant: Answer of ${name}`, 'user: Why?']);
      call.say(`Reason of ${name}`);
      call.finish();
    }
    await idle(page);
    await seeing.last().getByRole('button', { name: 'Continue with this one' }).click();
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
    const calls = await bothCalls(chat);
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
