import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { resolveToThisMachine } from '../helpers/own-name.ts';
import { startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { row, SKIPPED, visitPanel } from './start-browser.ts';

/** Prices are read by host, so this name leads to the stand-in. */
const HOST = 'llm.chutes.ai';
const EVIL = '<img src=/xss onerror=xss()>';

test('prices: shown with their source, filtered, edited with a line that makes mistakes plain', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  await app.addProvider({ id: 'openai', name: 'OpenAI', baseUrl: 'https://api.openai.com/v1' }, [
    { id: 'gpt-4o-mini' },
    {
      id: 'unknown',
      fallbacks: [{ providerId: 'openai', upstreamModel: 'other', weight: null, price: null }],
    },
  ]);
  const { page } = await visitPanel(t, app.origin, 'Models', { width: 1440 });
  await row(page, 'gpt-4o-mini').getByText('$0.15 / $0.60').waitFor();
  await row(page, 'gpt-4o-mini')
    .getByText(/^list, /)
    .waitFor();
  await page.getByRole('button', { name: /^Without price/ }).click();
  await row(page, 'gpt-4o-mini').waitFor({ state: 'detached' });
  await row(page, 'unknown').getByText('no price').waitFor();

  await page.getByRole('button', { name: 'Edit unknown' }).click();
  const price = page.getByRole('group', { name: 'Price' }).first();
  await price.getByLabel('Input', { exact: true }).fill('1000');
  await price.getByText('More than $200 for a million tokens').waitFor();
  await price.getByLabel('Output', { exact: true }).fill('10');
  await price.getByText('Output costs less than input').waitFor();
  await price.getByLabel('Input', { exact: true }).fill('2');
  await price.getByText('1,000 in + 500 out ≈ $0.0070').waitFor();
  await page.getByText('Price: none yet').click();
  const fallback = page.getByRole('group', { name: 'Fallback 1' });
  await fallback.getByLabel('Input', { exact: true }).fill('cheap');
  await page.getByRole('button', { name: 'Save' }).click();
  await fallback.getByText('Enter a number such as 2.50.').waitFor();
  await fallback.getByLabel('Input', { exact: true }).fill('0.5');
  await checkLooks(page, 'prices of a model');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('unknown is saved.').waitFor();
  const read = () => app.services.store.config.view().models.get('unknown');
  assert.equal(read()?.price?.inputPerMTok, 2);
  assert.equal(read()?.price?.outputPerMTok, 10);
  assert.equal(read()?.fallbacks[0]?.price?.inputPerMTok, 0.5);

  await page.goto(`${app.origin}/admin.html#models`);
  await row(page, 'unknown').getByText('own', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Edit unknown' }).click();
  await page.getByLabel('Display Name').fill('Renamed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Renamed is saved.').waitFor();
  assert.equal(read()?.price?.inputPerMTok, 2, 'a price stays when something else is edited');
  assert.equal(read()?.fallbacks[0]?.price?.inputPerMTok, 0.5);
});

test('the provider’s prices: what differs is shown, large changes are not ticked', {
  skip: SKIPPED,
}, async (t) => {
  const priced = (id: string, prompt: number) => ({
    id,
    object: 'model',
    pricing: { prompt, completion: prompt },
  });
  const upstream = await startUpstream(t, json({ object: 'list', data: [priced('a', 1), priced(EVIL, 2)] }));
  resolveToThisMachine(t, HOST);
  const baseUrl = `http://${HOST}:${new URL(upstream.origin).port}/v1`;
  const app = await startApp(t);
  await app.addProvider({ id: 'up', name: 'Up', baseUrl }, [{ id: 'a' }, { id: EVIL }]);
  const { page } = await visitPanel(t, app.origin, 'Providers');
  await page.getByRole('button', { name: 'Fetch models of Up' }).click();
  const section = page.getByRole('region', { name: 'Changed prices' });
  await section.getByText('$1 / $1').waitFor();
  await section.getByText(EVIL).waitFor();
  await section.getByRole('button', { name: 'Take over 2 prices' }).click();
  await section.waitFor({ state: 'detached' });
  const prices = () => app.services.store.config.view().providers.get('up')?.prices ?? {};
  assert.equal(prices()['a']?.price.inputPerMTok, 1);

  upstream.answer = json({ object: 'list', data: [priced('a', 10), priced(EVIL, 3)] });
  await page.getByRole('button', { name: 'Close', exact: true }).last().click();
  await page.getByRole('button', { name: 'Fetch models of Up' }).click();
  const large = section.getByRole('listitem').filter({ hasText: 'large change' });
  assert.equal(await large.getByRole('checkbox').isChecked(), false);
  await checkLooks(page, 'prices of a provider');
  await section.getByRole('button', { name: 'Take over 1 price' }).click();
  await section.getByRole('button', { name: 'Take over', exact: true }).waitFor();
  assert.equal(prices()['a']?.price.inputPerMTok, 1);
  assert.equal(prices()[EVIL]?.price.inputPerMTok, 3);
});
