import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';
import { SKIPPED, visitPanel } from './start-browser.ts';

test('protocols of a provider, the default provider and its right are kept', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', name: 'Upstream', baseUrl: 'http://127.0.0.1:9/v1' }, [{ id: 'm' }]);
  await app.addKey({ name: 'Laptop' });
  const view = app.services.store.config.view;
  const { page } = await visitPanel(t, app.origin, 'Providers');
  const edit = async (name: string): Promise<void> =>
    page.getByRole('button', { name: `Edit ${name}` }).click();
  const save = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  };

  await edit('Upstream');
  await page.getByText('Advanced').click();
  await page.getByLabel('Anthropic Messages').selectOption('native');
  await page.getByLabel('OpenAI Responses').selectOption('translate');
  await save();
  assert.deepEqual(view().providers.get('up')?.options, { messages: 'native', responses: 'translate' });
  await edit('Upstream');
  await page.getByText('Advanced').click();
  assert.equal(await page.getByLabel('Anthropic Messages').inputValue(), 'native');
  await page.getByLabel('Anthropic Messages').selectOption('Automatic');
  await save();
  assert.deepEqual(view().providers.get('up')?.options, { responses: 'translate' });

  await page.getByRole('tab', { name: 'Models' }).click();
  await edit('m');
  await page.getByText('More options').click();
  await page.getByLabel('Takes its reasoning back').selectOption('reasoning');
  await page.getByLabel('Reads PDF files').selectOption('Yes');
  await save();
  assert.deepEqual(view().models.get('m')?.options, { reasoningContent: 'reasoning', pdf: true });

  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByLabel('Default provider').selectOption('Upstream');
  await page.getByText('The default provider is saved.').waitFor();
  assert.equal(view().settings.defaultProviderId, 'up');

  await page.getByRole('tab', { name: 'API Keys' }).click();
  await edit('Laptop');
  await page.getByLabel('May use other paths of /v1').check();
  await save();
  await until(
    () => [...view().apiKeys.values()].some(({ passThrough }) => passThrough),
    'the right is saved',
  );
});
