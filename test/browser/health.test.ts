import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { fromNow, type GivenState, giveStates } from './given-states.ts';
import { expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };
const SAID = 'Rate limit reached for gpt-4o: <b>limit 3</b>, used 3. Please try again in 20 s.';

const IDS = ['works', 'slow', 'fails', 'rests'];

/** As of now: tests of other files may run between the start of this one and a test. */
function someStates(): Readonly<Record<string, GivenState>> {
  const lastError = recentError();
  return {
    works: { health: { state: 'ok', lastSuccessAt: fromNow(-8), requests5m: 12 } },
    slow: { health: { state: 'slow', ttftMs: { p50: 2100, p95: 12_400 }, lastSuccessAt: fromNow(-8) } },
    fails: {
      health: { state: 'failing', lastError: { ...lastError, status: 401 }, requests5m: 4, errors5m: 3 },
    },
    rests: { health: { state: 'resting', restingUntil: fromNow(500), lastError } },
  };
}

function recentError() {
  return { at: fromNow(-70), status: 429, code: 'rate_limit_exceeded', message: SAID };
}

async function startWithStates(t: TestContext): Promise<AppUnderTest> {
  const app = await startApp(t);
  for (const id of [...IDS, 'idle', 'off'])
    await app.addProvider(
      { id, name: `It ${id}`, baseUrl: 'https://api.example.com/v1', apiKey: 'sk-1', enabled: id !== 'off' },
      [],
    );
  await app.addProvider({ id: 'keyless', name: 'Keyless', baseUrl: 'https://api.groq.com/openai/v1' }, []);
  await app.addProvider({ id: 'ollama', name: 'At home', baseUrl: 'http://localhost:11434/v1' }, []);
  return app;
}

function stateOf(page: Page, name: string): ReturnType<Page['locator']> {
  return row(page, name).getByRole('button', { name: `State of ${name}` });
}

test('every state of a provider has its word, with what it rests on', options, async (t) => {
  const app = await startWithStates(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await giveStates(page, someStates());
  await page.getByRole('tab', { name: 'Providers' }).click();
  for (const [name, word, evidence] of [
    ['It works', 'Working', 'just now'],
    ['It slow', 'Slow', 'first byte after 12.4 s'],
    ['It fails', 'Failing', `401 · ${SAID}`],
    ['It rests', 'Resting', `429 · ${SAID}`],
    ['It idle', 'Not used lately', ''],
    ['It off', 'Off', ''],
    ['Keyless', 'Key missing', 'Add a key'],
    ['At home', 'Not used lately', ''],
  ] as const) {
    await stateOf(page, name)
      .getByText(word, { exact: word !== 'Resting' })
      .waitFor();
    if (evidence !== '') await row(page, name).getByText(evidence).waitFor();
  }
  await stateOf(page, 'It rests')
    .getByText(/^Resting 8 min$/)
    .waitFor();
  await checkLooks(page, 'providers in all states');

  await page.setViewportSize({ width: 1280, height: 800 });
  await stateOf(page, 'It rests').click();
  const dialog = page.getByRole('dialog', { name: 'State and keys of It rests' });
  await dialog.getByText(SAID).waitFor();
  await dialog.getByText('429 rate_limit_exceeded, 1 minute ago').waitFor();
  await checkLooks(page, 'state of a provider');
});

test('a state changes quietly: the focus and the button stay, and a rest counts down', options, async (t) => {
  const app = await startWithStates(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.clock.install();
  const given = await giveStates(page, {
    works: { health: { state: 'resting', restingUntil: fromNow(58), lastError: recentError() } },
  });
  await page.getByRole('tab', { name: 'Providers' }).click();
  const state = stateOf(page, 'It works');
  await state.getByText(/Resting \d+ s/).waitFor();
  const before = Number(/Resting (\d+) s/.exec((await state.textContent()) ?? '')?.[1]);
  await state.focus();
  await state.evaluate((button) => Reflect.set(window, 'kept', button));
  await page.clock.runFor(5000);
  // The page's clock goes on by itself too.
  const less = Array.from({ length: before - 4 }, (_, seconds) => seconds);
  await state.getByText(new RegExp(`Resting (${less.join('|')}) s`)).waitFor();
  given.set(someStates());
  await page.clock.runFor(10_000);
  await state.getByText('Working').waitFor();
  assert.equal(
    await page.evaluate(() => document.activeElement === Reflect.get(window, 'kept')),
    true,
    'the button with the focus was replaced',
  );
});

test('when a rest ends, the list asks at once what has become of it', options, async (t) => {
  const app = await startWithStates(t);
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await page.clock.install();
  const given = await giveStates(page, {
    works: { health: { state: 'resting', restingUntil: fromNow(3) } },
  });
  await page.getByRole('tab', { name: 'Providers' }).click();
  await stateOf(page, 'It works')
    .getByText(/Resting/)
    .waitFor();
  given.set(someStates());
  await page.clock.runFor(4000);
  await stateOf(page, 'It works').getByText('Working').waitFor();
});

test(
  'a button with the focus that a new state takes away leaves the focus in the list',
  options,
  async (t) => {
    const app = await startWithStates(t);
    const { page } = await visitPanel(t, app.origin, 'Overview');
    await page.clock.install();
    const given = await giveStates(page, {});
    await page.getByRole('tab', { name: 'Providers' }).click();
    await row(page, 'Keyless').getByRole('button', { name: 'Add a key' }).focus();
    given.set({ keyless: { health: { state: 'ok' } } });
    await page.clock.runFor(10_000);
    await stateOf(page, 'Keyless').getByText('Working').waitFor();
    await expectFocus(page, page.getByRole('searchbox', { name: 'Search providers' }));
  },
);

test('a missing key is added from the list', options, async (t) => {
  const app = await startWithStates(t);
  const { page } = await visitPanel(t, app.origin, 'Providers');
  await row(page, 'Keyless').getByRole('button', { name: 'Add a key' }).click();
  const dialog = page.getByRole('dialog', { name: 'State and keys of Keyless' });
  assert.equal(
    await dialog.getByLabel('New key').evaluate((field) => field === document.activeElement),
    true,
  );
  await page.keyboard.type('gsk-0123456789abcdef');
  await page.keyboard.press('Enter');
  await dialog.getByRole('list', { name: 'Keys' }).getByRole('listitem').waitFor();
  await page.keyboard.press('Escape');
  await stateOf(page, 'Keyless').getByText('Not used lately').waitFor();
  await expectFocus(page, stateOf(page, 'Keyless'));
  assert.equal(app.services.store.config.view().providers.get('keyless')?.keys.length, 1);
});

test('a model shows the state of its first target that works, and which do not', options, async (t) => {
  const app = await startWithStates(t);
  const models = [
    ['plain', 'works', []],
    ['helped', 'fails', ['rests', 'works']],
    ['lost', 'fails', ['rests']],
    ['weak', 'works', ['fails']],
    ['gpt-*', 'off', []],
  ] as const;
  for (const [id, providerId, fallbacks] of models) {
    const list = fallbacks.map((one) => ({
      providerId: one,
      upstreamModel: null,
      weight: null,
      price: null,
    }));
    const baseUrl = 'https://api.example.com/v1';
    const { name, enabled, keys } = app.services.store.config.view().providers.get(providerId) ?? {};
    const record = {
      id: providerId,
      baseUrl,
      ...(name && keys ? { name, keys } : {}),
      enabled: enabled ?? true,
    };
    await app.addProvider(record, [{ id, name: `Model ${id}`, fallbacks: list }]);
  }
  const { page } = await visitPanel(t, app.origin, 'Overview');
  await giveStates(page, someStates());
  await page.getByRole('tab', { name: 'Models' }).click();
  for (const [id, word, detail] of [
    ['plain', 'Working', ''],
    ['helped', 'On fallback', 'It fails: Failing, It rests: Resting'],
    ['lost', 'Failing', 'It fails: Failing, It rests: Resting'],
    ['weak', 'Working', 'It fails: Failing'],
    ['gpt-*', 'Off', ''],
  ] as const) {
    await stateOf(page, `Model ${id}`).getByText(word).waitFor();
    if (detail !== '') await row(page, `Model ${id}`).getByText(detail).waitFor();
  }
  await row(page, 'Model helped').getByText('then It rests, It works').waitFor();
  await row(page, 'Model gpt-*').getByText('pattern').waitFor();
  await checkLooks(page, 'models in all states');
  await page.setViewportSize({ width: 1280, height: 800 });
  await stateOf(page, 'Model helped').click();
  const dialog = page.getByRole('dialog', { name: 'State of Model helped' });
  assert.equal(await dialog.getByRole('listitem').count(), 3);
  await dialog.getByRole('listitem').nth(1).getByText(SAID).waitFor();
  await checkLooks(page, 'state of a model');
});
