import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { Model } from '../../src/store/entities.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

const options = { skip: SKIPPED };

async function startWithProviders(t: TestContext, model: Partial<Model> = {}): Promise<AppUnderTest> {
  const app = await startApp(t);
  for (const id of ['alpha', 'beta', 'gamma'])
    await app.addProvider({ id, baseUrl: 'http://127.0.0.1:9/v1' }, []);
  await app.addProvider({ id: 'main', baseUrl: 'http://127.0.0.1:9/v1' }, [
    { id: 'm', name: 'Mine', ...model },
  ]);
  return app;
}

function fallback(page: Page, place: number): Locator {
  return page.getByRole('group', { name: `Fallback ${place}`, exact: true });
}

function storedModel(app: AppUnderTest): Model {
  const model = app.services.store.config.view().models.get('m');
  assert.ok(model);
  return model;
}

async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

test('fallbacks are added, ordered and removed from the keyboard', options, async (t) => {
  const app = await startWithProviders(t);
  const { page } = await visitPanel(t, app.origin, 'Models');
  const hands = createKeyboard(page);
  await hands.activate(page.getByRole('button', { name: 'Edit Mine' }));
  for (const [index, name] of ['alpha', 'beta', 'gamma'].entries()) {
    await hands.activate(page.getByRole('button', { name: 'Add fallback' }));
    const provider = fallback(page, index + 1).getByLabel('Provider');
    await expectFocus(page, provider);
    await page.keyboard.type(name);
  }
  await hands.goTo(fallback(page, 2).getByLabel('Upstream Name'), { backwards: true });
  await page.keyboard.type('beta-large');

  const up = page.getByRole('button', { name: 'Move fallback 3 up' });
  await hands.goTo(up);
  await hands.press('Enter', 'Enter', 'Enter');
  await expectFocus(page, page.getByRole('button', { name: 'Move fallback 1 up' }));
  assert.equal(await fallback(page, 1).getByLabel('Provider').inputValue(), 'gamma');
  await hands.activate(page.getByRole('button', { name: 'Remove fallback 2' }));
  await expectFocus(page, page.getByRole('button', { name: 'Remove fallback 2' }));
  await checkLooks(page, 'a model with fallbacks');
  await hands.activate(page.getByRole('button', { name: 'Save' }));
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(storedModel(app).fallbacks, [
    { providerId: 'gamma', upstreamModel: null, weight: null, price: null },
    { providerId: 'beta', upstreamModel: 'beta-large', weight: null, price: null },
  ]);
  await row(page, 'Mine').getByText('then gamma, beta').waitFor();
});

test(
  'fallbacks are dragged by their handle; Escape takes one back and leaves the dialog open',
  options,
  async (t) => {
    const list = ['alpha', 'beta', 'gamma'].map((providerId) => ({
      providerId,
      upstreamModel: null,
      weight: null,
      price: null,
    }));
    const app = await startWithProviders(t, { fallbacks: list });
    const { page } = await visitPanel(t, app.origin, 'Models', { width: 1440 });
    await page.getByRole('button', { name: 'Edit Mine' }).click();
    const order = (): Promise<string[]> =>
      page
        .getByRole('dialog')
        .locator('.fallbacks select')
        .evaluateAll((all) => all.map((one) => (one as HTMLSelectElement).value));
    const dragTo = async (from: number, to: number): Promise<void> => {
      const handle = fallback(page, from).locator('.grip');
      await handle.scrollIntoViewIfNeeded();
      await handle.hover();
      await page.mouse.down();
      const target = await fallback(page, to).boundingBox();
      assert.ok(target);
      await page.mouse.move(target.x + 40, target.y + (to < from ? 4 : target.height - 4), { steps: 12 });
    };
    await dragTo(3, 1);
    assert.deepEqual(await order(), ['gamma', 'alpha', 'beta']);
    await page.keyboard.press('Escape');
    assert.deepEqual(await order(), ['alpha', 'beta', 'gamma']);
    await page.mouse.move(0, 0);
    await page.mouse.up();
    assert.deepEqual(await order(), ['alpha', 'beta', 'gamma'], 'it is dragged no more');
    await dragTo(1, 2);
    await page.mouse.up();
    await fallback(page, 1).getByText('Tried if the first choice fails').waitFor();
    await save(page);
    assert.deepEqual(
      storedModel(app).fallbacks.map(({ providerId }) => providerId),
      ['beta', 'alpha', 'gamma'],
    );
  },
);

test('weights share the load, and the own weight counts only then', options, async (t) => {
  const app = await startWithProviders(t, {
    weight: 3,
    fallbacks: [{ providerId: 'alpha', upstreamModel: null, weight: 1, price: null }],
  });
  const { page } = await visitPanel(t, app.origin, 'Models');
  await row(page, 'Mine').getByText('main 75 % · alpha 25 %').waitFor();
  await page.getByRole('button', { name: 'Edit Mine' }).click();
  const dialog = page.getByRole('dialog');
  const own = dialog.getByLabel('Weight').first();
  const weight = fallback(page, 1).getByLabel('Weight');
  await dialog.getByText('75 % of the requests', { exact: true }).waitFor();
  await fallback(page, 1).getByText('25 % of the requests', { exact: true }).waitFor();
  await own.fill('1');
  await fallback(page, 1).getByText('50 % of the requests', { exact: true }).waitFor();
  await weight.fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Enter a number above 0, at most 1,000.').waitFor();
  await expectFocus(page, weight);
  await weight.fill('');
  await own.waitFor({ state: 'hidden' });
  await dialog.getByText('Tried if the first choice fails').waitFor();
  await save(page);
  assert.equal(storedModel(app).weight, null);
  assert.deepEqual(storedModel(app).fallbacks, [
    { providerId: 'alpha', upstreamModel: null, weight: null, price: null },
  ]);
});

test(
  'a mistake of the server’s is shown at the field of its fallback, and a change is asked about',
  options,
  async (t) => {
    const app = await startWithProviders(t);
    const { page } = await visitPanel(t, app.origin, 'Models');
    await page.getByRole('button', { name: 'Edit Mine' }).click();
    await page.getByRole('button', { name: 'Add fallback' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await fallback(page, 1).getByText('Please fill this in.').waitFor();
    await fallback(page, 1).getByLabel('Provider').selectOption('beta');
    await fallback(page, 1).getByLabel('Upstream Name').fill('beta-*');
    await page.getByRole('button', { name: 'Save' }).click();
    await fallback(page, 1).getByText('must hold no *').waitFor();
    await expectFocus(page, fallback(page, 1).getByLabel('Upstream Name'));
    await page.keyboard.press('Escape');
    await page.getByText('Discard your changes?').waitFor();
  },
);

test('a pattern and the options of a model are kept', options, async (t) => {
  const app = await startWithProviders(t);
  const { page } = await visitPanel(t, app.origin, 'Models');
  await page.getByRole('button', { name: 'Add Model' }).click();
  await page.getByLabel('Display Name').fill('All of them');
  await page.getByLabel('Model ID').fill('gpt-*');
  await page.getByLabel('Provider', { exact: true }).selectOption('alpha');
  await page.getByText('More options').click();
  await page.getByLabel('Maximum output tokens').fill('4096');
  await page.getByLabel('Field for the token limit').selectOption('max_completion_tokens');
  await page.getByLabel('Takes reasoning effort').selectOption('No');
  await page.getByLabel('Remove fields').fill('seed, logprobs, seed');
  await page.getByLabel('Rename fields').fill('{"user": 7}');
  await page.getByText('More options').click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Enter a JSON object with new names').waitFor();
  await expectFocus(page, page.getByLabel('Rename fields'));
  await checkLooks(page, 'options of a model');
  await page.getByLabel('Rename fields').fill('{"user": "end_user"}');
  await page.getByLabel('Add missing fields').fill('{"temperature": 0.2, "stop": null}');
  await save(page);
  await row(page, 'All of them').getByText('pattern').waitFor();
  const wanted = {
    maxOutputTokens: 4096,
    maxTokensField: 'max_completion_tokens',
    reasoningEffort: false,
    rename: { user: 'end_user' },
    drop: ['seed', 'logprobs'],
    defaults: { temperature: 0.2, stop: null },
  } as const;
  assert.deepEqual(app.services.store.config.view().models.get('gpt-*')?.options, wanted);

  await page.getByRole('button', { name: 'Edit All of them' }).click();
  await page.getByText('More options').click();
  assert.equal(await page.getByLabel('Remove fields').inputValue(), 'seed, logprobs');
  assert.deepEqual(JSON.parse(await page.getByLabel('Rename fields').inputValue()), wanted.rename);
  for (const name of ['Maximum output tokens', 'Remove fields', 'Rename fields', 'Add missing fields'])
    await page.getByLabel(name).fill('');
  for (const name of ['Field for the token limit', 'Takes reasoning effort'])
    await page.getByLabel(name).selectOption({ index: 0 });
  await save(page);
  assert.deepEqual(app.services.store.config.view().models.get('gpt-*')?.options, {});
});
