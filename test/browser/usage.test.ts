import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { expectStatus, startApp } from '../helpers/start-app.ts';
import { checkLooks } from './looks.ts';
import { addSampleData } from './sample-data.ts';
import { chooseTab, row, SKIPPED, visitPanel } from './start-browser.ts';
import { BUSY, GOOD, startCalls } from './traffic-calls.ts';
import { addTraffic } from './traffic-data.ts';

const options = { skip: SKIPPED };

function chart(page: Page) {
  return page.locator('.usage-card .chart-svg');
}

/** Chooses 24 hours, until the chart shows them. */
async function showDay(page: Page): Promise<void> {
  await page.getByRole('radio', { name: '24 hours' }).check();
  await chart(page)
    .getByText(/^\d\d:00$/)
    .first()
    .waitFor();
}

function filtersOf(page: Page): URLSearchParams {
  return new URLSearchParams(new URL(page.url()).hash.split('?')[1] ?? '');
}

test('from a bar to the requests in it, and to the attempts of one', options, async (t) => {
  const { app, first, call, key } = await startCalls(t);
  await call('free');
  first.answer = BUSY;
  await call('priced', key);
  first.answer = GOOD;
  await call('unpriced');
  const { page } = await visitPanel(t, app.origin, 'Usage');
  await showDay(page);
  await page.getByText(/your time \(UTC/).waitFor();
  assert.equal(await page.getByText(/your time/).count(), 1);
  await row(page, 'priced').first().waitFor();
  await row(page, 'unpriced').getByText('no price').waitFor();
  await row(page, 'free').getByText('free', { exact: true }).last().waitFor();
  assert.equal(
    await page
      .getByText(/^(≈ )?\$0(\.00)?$/)
      .and(page.locator(':not(text)'))
      .count(),
    0,
  );
  await page.locator('tfoot').getByText('All 3 models').waitFor();

  await page.getByRole('radio', { name: /^Requests/ }).click();
  await chart(page).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
  await page.locator('.requests tbody:not(.gap) tr').nth(2).waitFor();
  assert.equal(await page.locator('.requests tbody:not(.gap) tr').count(), 3);
  const filters = filtersOf(page);
  assert.match(filters.get('from') ?? '', /^\d{4}-\d\d-\d\dT\d\d:00:00Z$/);
  assert.equal(Date.parse(filters.get('to') ?? '') - Date.parse(filters.get('from') ?? ''), 3_600_000);
  // The link of the row lies over all of it.
  await row(page, 'Maria’s laptop').getByText('2 tries').click({ force: true });
  const drawer = page.getByRole('complementary', { name: /^Request / });
  await drawer.getByRole('heading', { name: 'Two attempts' }).waitFor();
  const attempts = drawer.getByRole('listitem');
  assert.match((await attempts.nth(0).textContent()) ?? '', /First.*429.*ms.*Too many requests/);
  assert.match((await attempts.nth(1).textContent()) ?? '', /Second.*200.*ms.*helper/);
  assert.match(
    (await drawer.getByRole('table').textContent()) ?? '',
    /Input1,0002\.00.*Output20010\.00.*\$0\.0040/,
  );

  await page.goBack();
  await page.goBack();
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor();
  assert.equal(await page.getByRole('radio', { name: /^Requests/ }).isChecked(), true);
});

test('a part of a bar leads to the requests of its group alone', options, async (t) => {
  const { app, call, key } = await startCalls(t);
  await call('priced');
  await call('priced', key);
  await call('priced', key);
  const { page } = await visitPanel(t, app.origin, 'Usage');
  await showDay(page);
  await page.getByRole('radio', { name: /^Requests/ }).click();
  await page.getByRole('button', { name: 'Group by: Model' }).click();
  await page.getByRole('menuitem', { name: 'Key' }).click();
  await row(page, 'Maria’s laptop').waitFor();
  await chart(page).locator('[data-series^="key:"]').first().click();
  await page.locator('.requests tbody:not(.gap) tr').first().waitFor();
  const id = filtersOf(page).get('key');
  assert.notEqual(id, null);
  assert.equal(await page.locator('.requests tbody:not(.gap) tr').count(), id === 'master' ? 1 : 2);
});

test(
  'filters stand in the address, go along to Requests, and follow back and forward',
  options,
  async (t) => {
    const { app, call, key } = await startCalls(t);
    await call('priced', key);
    await call('free');
    const { page } = await visitPanel(t, app.origin, 'Usage');
    await row(page, 'priced').getByRole('link', { name: 'priced', exact: true }).click();
    const chip = page.getByRole('button', { name: 'Model: priced' });
    await chip.waitFor();
    await row(page, 'free').waitFor({ state: 'detached' });
    assert.equal(filtersOf(page).get('model'), 'priced');
    await page.goBack();
    await row(page, 'free').waitFor();
    assert.equal(await chip.count(), 0);
    await page.goForward();
    await row(page, 'free').waitFor({ state: 'detached' });
    await chip.waitFor();

    await page.getByRole('button', { name: 'Outcome' }).click();
    await page.getByRole('radio', { name: 'Provider error' }).click();
    await page.getByRole('heading', { name: 'No request fits' }).waitFor();
    await page.getByRole('button', { name: 'Remove the filter Outcome' }).click();
    await row(page, 'priced').waitFor();

    await chooseTab(page, 'Requests');
    await row(page, 'Maria’s laptop').waitFor();
    assert.equal(await page.locator('.requests tbody:not(.gap) tr').count(), 1);
    await page.reload();
    await row(page, 'Maria’s laptop').waitFor();
    await chip.waitFor();
    await chooseTab(page, 'Usage');
    await chip.waitFor();
  },
);

test('the table is sorted by any column; an export is what the table shows', options, async (t) => {
  const { app, call } = await startCalls(t);
  for (const model of ['free', 'free', 'priced', 'unpriced']) await call(model);
  const { page } = await visitPanel(t, app.origin, 'Usage');
  const names = () => page.locator('.usage tbody a.name').allTextContents();
  await row(page, 'unpriced').waitFor();
  assert.deepEqual(await names(), ['priced', 'free', 'unpriced']);
  const requests = page.getByRole('columnheader', { name: 'Requests' });
  await requests.getByRole('button').click();
  assert.equal((await names())[0], 'free');
  assert.equal(await requests.getAttribute('aria-sort'), 'descending');
  await requests.getByRole('button').press('Enter');
  assert.equal((await names())[2], 'free');
  assert.equal(await requests.getAttribute('aria-sort'), 'ascending');

  await page.getByRole('button', { name: 'Export' }).click();
  const [csv] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Table as CSV' }).click(),
  ]);
  assert.match(csv.suggestedFilename(), /^usage-.*-by-model\.csv$/);
  const lines = (await readFile(await csv.path(), 'utf8')).trim().split('\r\n');
  assert.deepEqual(
    lines
      .slice(1)
      .map((line) => line.split(',').slice(0, 2).join())
      .sort(),
    ['free,2', 'priced,1', 'unpriced,1'],
  );
  await page.getByRole('button', { name: 'Export' }).click();
  const [json] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Chart per day as JSON' }).click(),
  ]);
  const report = JSON.parse(await readFile(await json.path(), 'utf8'));
  assert.equal(report.bucket, 'day');
  assert.equal(report.totals.requests, 4);
});

test('another range by its days; nothing in it', options, async (t) => {
  const { app, call } = await startCalls(t);
  await call('priced');
  const { page } = await visitPanel(t, app.origin, 'Usage');
  await row(page, 'priced').waitFor();
  await page.getByRole('button', { name: 'Another range' }).click();
  const day = new Date(Date.now() - 9 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel('From').fill(day);
  await page.getByLabel('To', { exact: true }).fill(day);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByRole('heading', { name: 'No requests in this time' }).waitFor();
  assert.equal(filtersOf(page).get('from')?.slice(0, 10), day);
  assert.equal(await page.getByRole('radio', { name: '30 days' }).isChecked(), false);
  await page.goBack();
  await row(page, 'priced').waitFor();
  assert.equal(await page.getByRole('radio', { name: '30 days' }).isChecked(), true);
});

test('no barriers on Usage, with any metric', options, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  const { page, open } = await visitPanel(t, app.origin, 'Usage');
  await page.getByRole('heading', { name: 'No requests in this time' }).waitFor();
  await checkLooks(page, 'Usage, empty');
  addTraffic(app);
  const report = await expectStatus(200, await app.admin('GET', '/api/admin/usage'));
  assert.notEqual(report, null);
  const full = await open('/admin.html#usage?by=key');
  await row(full, 'Newsletter robot').waitFor();
  await checkLooks(full, 'Usage');
  await full.getByRole('radio', { name: /^First token/ }).click();
  await checkLooks(full, 'Usage, first token');
  await full.getByRole('button', { name: 'Another range' }).click();
  await full.getByRole('dialog', { name: 'Another range' }).waitFor();
  await checkLooks(full, 'Usage, another range');
});
