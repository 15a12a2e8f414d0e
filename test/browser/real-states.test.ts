import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  type Answer,
  CHAT_ANSWER,
  type FakeUpstream,
  json,
  startUpstream,
} from '../helpers/fake-upstream.ts';
import { makeKey } from '../helpers/records.ts';
import { type AppUnderTest, type StartOptions, startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const SAID = 'Rate limit reached for gpt-4o: <b>limit 3</b>, used 3.';
const WORKS = json(CHAT_ANSWER);
const BUSY = json({ error: { message: SAID, code: 'rate_limit_exceeded' } }, 429, { 'retry-after': '300' });
const REFUSES = json({ error: { message: 'Incorrect API key', code: 'invalid_api_key' } }, 401);
const BREAKS = json({ error: { message: 'Something went wrong.' } }, 500);

interface Place {
  readonly app: AppUnderTest;
  /** Adds a provider with so many keys, and a model of the same name. */
  add(id: string, keyCount: number): Promise<FakeUpstream>;
  /** Sends a request for the model of that name, and gives the status and the number of attempts. */
  call(id: string): Promise<readonly [status: number, attempts: string | null]>;
}

async function startPlace(t: TestContext, startOptions: StartOptions = {}): Promise<Place> {
  const app = await startApp(t, startOptions);
  return {
    app,
    async add(id, keyCount) {
      const upstream = await startUpstream(t, WORKS);
      const keys = Array.from({ length: keyCount }, (_, index) =>
        makeKey({ id: `key_${id}_${index}`, secret: `sk-${id}-0123456789-${index}` }),
      );
      await app.addProvider({ id, name: `It ${id}`, baseUrl: `${upstream.origin}/v1`, keys }, [{ id }]);
      return upstream;
    },
    async call(id) {
      const messages = [{ role: 'user', content: 'Hi' }];
      const response = await app.v1('chat/completions', { model: id, messages });
      await response.arrayBuffer();
      return [response.status, response.headers.get('x-ipin-attempts')];
    },
  };
}

function stateOf(page: Page, name: string): ReturnType<Page['locator']> {
  return row(page, name).getByRole('button', { name: `State of ${name}` });
}

test(
  'a provider goes from Working to Resting before the eyes, and “Try now” brings it back',
  options,
  async (t) => {
    const { app, add, call } = await startPlace(t);
    const upstream = await add('one', 1);
    assert.deepEqual(await call('one'), [200, '1']);
    const { page } = await visitPanel(t, app.origin, 'Overview');
    await page.clock.install();
    await page.getByRole('tab', { name: 'Providers' }).click();
    const state = stateOf(page, 'It one');
    await state.getByText('Working').waitFor();

    upstream.answer = BUSY;
    assert.deepEqual(await call('one'), [429, '1']);
    await page.clock.runFor(10_000);
    await state.getByText(/^Resting 4 min$/).waitFor();
    await row(page, 'It one').getByText(`429 · ${SAID}`).waitFor();
    await row(page, 'It one').getByText('0 of 1 ready').waitFor();

    upstream.answer = WORKS;
    assert.deepEqual(await call('one'), [429, '0'], 'a provider that rests was asked');
    await state.click();
    const dialog = page.getByRole('dialog', { name: 'State and keys of It one' });
    await dialog.getByText(SAID).first().waitFor();
    const wake = dialog.getByRole('button', { name: 'Try now' });
    assert.equal(await wake.count(), 1, 'the only key has a second button');
    await wake.click();
    await wake.waitFor({ state: 'hidden' });
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await state.getByText('Working').waitFor();
    assert.deepEqual(await call('one'), [200, '1']);
  },
);

/** Has each state arise from requests. */
async function makeStates({ add, call }: Place, pass: (ms: number) => void): Promise<void> {
  await add('idle', 1);
  await add('works', 0);
  await call('works');
  const slow = await add('slow', 1);
  slow.answer = (...given) => {
    pass(12_000);
    WORKS(...given);
  };
  for (let count = 0; count < 5; count++) await call('slow');
  const rests = await add('rests', 1);
  rests.answer = BUSY;
  await call('rests');
  await answerInTurn(await add('fails', 1), [BREAKS, WORKS, BREAKS], () => call('fails'));
  await answerInTurn(await add('refuses', 2), [WORKS, REFUSES, WORKS, WORKS], () => call('refuses'));
}

async function answerInTurn(
  upstream: FakeUpstream,
  answers: readonly Answer[],
  call: () => Promise<unknown>,
): Promise<void> {
  for (const answer of answers) {
    upstream.answer = answer;
    await call();
  }
}

test('every state arises from real requests', options, async (t) => {
  // The clock is behind and catches up as time passes in the test, so that the rests end when the page thinks they do.
  let passedMs = 0;
  const place = await startPlace(t, { now: () => Date.now() - 60_000 + passedMs });
  await makeStates(place, (ms) => {
    passedMs += ms;
  });
  const { page } = await visitPanel(t, place.app.origin, 'Providers');
  for (const [name, word, keys] of [
    ['It idle', 'Not used lately', 'sk-'],
    ['It works', 'Working', 'none'],
    ['It slow', 'Slow', 'sk-'],
    ['It rests', 'Resting 4 min', '0 of 1 ready'],
    ['It fails', 'Failing', 'sk-'],
    ['It refuses', 'Working', '1 of 2 ready'],
  ] as const) {
    await stateOf(page, name).getByText(word, { exact: true }).waitFor();
    await row(page, name).getByText(keys).waitFor();
  }
  await checkLooks(page, 'providers with states of real requests');
  await page.setViewportSize({ width: 1280, height: 800 });
  await stateOf(page, 'It refuses').click();
  const items = page.getByRole('list', { name: 'Keys' }).getByRole('listitem');
  const refused = items.filter({ hasText: 'Refused' });
  await refused.getByText('401 invalid_api_key').waitFor();
  await refused.getByText('Incorrect API key').waitFor();
  await refused.getByText(/tried again in 9 min/).waitFor();
  await refused.getByRole('button', { name: /^Try now/ }).click();
  await refused.waitFor({ state: 'detached' });
});
