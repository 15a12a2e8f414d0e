import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createLogger } from '../../src/logger.ts';
import { openRequestLog } from '../../src/usage/request-log.ts';
import { makeAttempt, makeEntry } from '../helpers/entries.ts';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { expectLittleWork, scrollThrough } from './row-work.ts';
import { addSampleData } from './sample-data.ts';
import { chooseTab, row, SKIPPED, visitPanel } from './start-browser.ts';
import { startCalls } from './traffic-calls.ts';
import { addTraffic } from './traffic-data.ts';
import { expectText, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };
const MANY = 10_000;

function rows(page: Page) {
  return page.locator('.requests tbody:not(.gap) tr');
}

function drawerOf(page: Page, id: string) {
  return page.getByRole('complementary', { name: `Request ${id}` });
}

function live(page: Page) {
  return page.getByRole('button', { name: /^(Live|Paused)/ });
}

test('requests appear as they end, and wait while one reads', options, async (t) => {
  const { app, call, key } = await startCalls(t);
  const { page } = await visitPanel(t, app.origin, 'Requests');
  await page.getByRole('heading', { name: 'No requests yet' }).waitFor();
  await live(page).filter({ hasText: 'Live' }).waitFor();
  await call('priced', key);
  await row(page, 'Maria’s laptop').waitFor();

  await rows(page).first().hover();
  await live(page).filter({ hasText: 'Paused' }).waitFor();
  await call('free');
  await call('unpriced');
  await live(page).filter({ hasText: '2 new' }).waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByRole('status').filter({ hasText: '2 new requests' }).waitFor({ state: 'attached' });
  await page.mouse.move(1, 1);
  await row(page, 'unpriced').waitFor();
  assert.deepEqual(await page.locator('.requests a.name').allTextContents(), ['unpriced', 'free', 'priced']);
  assert.equal(await page.locator('.requests tbody:not(.gap)').first().getAttribute('aria-live'), 'off');

  await live(page).click();
  await page.getByRole('button', { name: 'Paused', pressed: true }).waitFor();
  await call('free');
  await live(page).filter({ hasText: '1 new' }).waitFor();
  assert.equal(await rows(page).count(), 3);
  await live(page).click();
  await rows(page).nth(3).waitFor();
});

test('a row that is open holds the list; filters hold for new ones too', options, async (t) => {
  const { app, call } = await startCalls(t);
  await call('priced');
  const { page } = await visitPanel(t, app.origin, 'Requests');
  await row(page, 'priced').getByRole('link').click();
  await page.getByRole('heading', { name: 'One attempt' }).waitFor();
  await page.mouse.move(1, 1);
  await call('free');
  await live(page).filter({ hasText: 'Paused1 new' }).waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('heading', { name: 'Requests', level: 1 }).click();
  await page
    .locator('.requests a.name')
    .first()
    .evaluate((link) => (link as HTMLElement).blur());
  await row(page, 'free').waitFor();

  await page.getByRole('searchbox', { name: 'Search requests' }).fill('PRIC');
  await row(page, 'free').waitFor({ state: 'detached' });
  assert.match(page.url(), /search=pric/);
  await call('free');
  await call('unpriced');
  await row(page, 'unpriced').waitFor();
  assert.equal(await row(page, 'free').count(), 0);
});

test('the drawer by keyboard: open, move, close; it stands in the address', options, async (t) => {
  const { app, call } = await startCalls(t);
  await call('priced');
  await call('free');
  const { page, context, open } = await visitPanel(t, app.origin, 'Requests');
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: app.origin });
  await row(page, 'free').getByRole('link').press('Enter');
  await page.getByRole('heading', { name: '200 free' }).waitFor();
  const opened = page.url();
  assert.match(opened, /open=/);
  await page.keyboard.press('ArrowDown');
  await page.getByRole('heading', { name: '200 priced' }).waitFor();
  await page.keyboard.press('ArrowUp');
  await page.getByRole('heading', { name: '200 free' }).waitFor();
  assert.equal(page.url(), opened);
  await page.locator('tr.selected').filter({ hasText: 'free' }).waitFor();

  const id = new URLSearchParams(opened.split('?')[1]).get('open') ?? '';
  await page.getByRole('button', { name: 'Copy the request id' }).press('Enter');
  await page.getByRole('status').filter({ hasText: 'Copied.' }).first().waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), id);
  await page.getByRole('button', { name: 'Copy as curl' }).press('Enter');
  await page.waitForFunction(() => navigator.clipboard.readText().then((text) => text.startsWith('curl')));
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(curl, /chat\/completions' \\\n {2}-H "Authorization: Bearer \$IPIN_KEY"/);
  assert.ok(curl.includes('"model":"free"') && !curl.includes('sk-'));

  await page.keyboard.press('Escape');
  await expectFocus(page, row(page, 'free').getByRole('link'));
  assert.doesNotMatch(page.url(), /open=/);
  await page.goBack();
  await drawerOf(page, id).waitFor();
  await page.goForward();
  await drawerOf(page, id).waitFor({ state: 'hidden' });

  const other = await open(`/admin.html#requests?model=priced&open=${id}`);
  await drawerOf(other, id).getByRole('heading', { name: 'Details' }).waitFor();
  const missing = await open('/admin.html#requests?open=req_none');
  await missing.getByRole('heading', { name: 'Not found' }).waitFor();
});

test('names and codes of every kind are text', options, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitWatched(t, app.origin);
  await page.context().request.post(`${app.origin}/api/login`, { data: ADMIN });
  const names = PAYLOADS.map((payload) => payload.replaceAll(/[\n\t]/g, ' '));
  for (const [index, name] of names.entries()) {
    const attempts = [
      makeAttempt({ providerId: name, upstreamModel: name, keyHint: name, status: 500, code: name }),
    ];
    const record = {
      modelId: name,
      keyId: `k${index}`,
      keyName: name,
      userId: `u${index}`,
      userName: name,
      providerId: name,
      upstreamModel: name,
      endpoint: name,
    };
    const entry = makeEntry({
      id: `req_${index}`,
      endedAtMs: Date.now(),
      ...record,
      attempts,
      code: name,
      outcome: 'providerErrors',
      status: 500,
      clientAddress: name,
    });
    app.services.ledger.book(entry);
    app.services.requestLog.add(entry);
  }
  const panel = await open('/admin.html#requests');
  await rows(panel)
    .nth(names.length - 1)
    .waitFor();
  await expectText(panel, names, 'Requests');
  for (const index of names.keys()) {
    await panel.evaluate((number) => (location.hash = `requests?open=req_${number}`), index);
    await drawerOf(panel, `req_${index}`).waitFor();
    await expectText(panel, [names[index] ?? ''], `request ${index}`);
  }
  for (const by of ['model', 'key', 'user', 'provider', 'endpoint']) {
    await panel.evaluate((group) => (location.hash = `usage?range=24h&metric=requests&by=${group}`), by);
    await panel
      .locator('.usage tbody tr')
      .nth(names.length - 1)
      .waitFor();
    await panel.getByRole('button', { name: new RegExp(`Group by: ${by}`, 'i') }).waitFor();
    await expectText(panel, names, `Usage by ${by}`);
  }
  await panel.getByRole('button', { name: 'Model', exact: true }).click();
  await panel.getByRole('dialog', { name: 'Model' }).getByRole('radio').first().waitFor();
  await expectText(panel, [], 'the choices of a filter');
});

test('ten thousand requests: page by page, few of them drawn, never a long task', options, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-many-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const logger = createLogger({ level: 'silent', now: Date.now, write: () => {} });
  const requestLog = await openRequestLog({ folder, limitBytes: 32 * 1024 * 1024, logger });
  const app = await startApp(t, { books: { requestLog } });
  for (let number = 0; number < MANY; number++)
    requestLog.add(
      makeEntry({
        id: `req_${number}`,
        endedAtMs: Date.now() - (MANY - number) * 1000,
        modelId: `model-${number % 40}`,
      }),
    );
  const { page } = await visitPanel(t, app.origin, 'Requests');
  await rows(page).first().waitFor();
  const older = page.getByRole('button', { name: 'Older' });
  for (let loaded = 100; loaded < MANY; loaded = Math.min(MANY, loaded + 200)) {
    await page.getByText(`${loaded.toLocaleString('en')} requests and older`).waitFor();
    await older.press('Enter');
  }
  await page.getByText(`${MANY.toLocaleString('en')} requests`, { exact: true }).waitFor();
  assert.equal(await older.isVisible(), false);
  for (const step of [2500, 40_000])
    await expectLittleWork(t, page, `scrolled by ${step} px`, () => scrollThrough(page, step));
  await page.locator(`[data-request="req_${MANY - 1}"]`).waitFor();
  const search = page.getByLabel('Search requests');
  await expectLittleWork(t, page, 'a search', async () => {
    await search.pressSequentially('model-3');
    await page.getByText('100 requests and older').waitFor();
  });
});

test('no barriers in the list, in the drawer, and where nothing fits', options, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  addTraffic(app, { hours: 30 });
  const { page } = await visitPanel(t, app.origin, 'Requests');
  await rows(page).first().waitFor();
  await checkLooks(page, 'Requests');
  await row(page, '2 tries').first().getByRole('link').click();
  await page.getByRole('heading', { name: 'Two attempts' }).waitFor();
  await checkLooks(page, 'Requests, the drawer');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('button', { name: 'Close' }).click();
  await page.evaluate(() => (location.hash = 'requests?outcome=limited'));
  await row(page, 'budget used up').first().getByRole('link').click();
  await page.getByRole('heading', { name: 'Not sent' }).waitFor();
  await checkLooks(page, 'Requests, one that was refused');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('searchbox').fill('nothing of this name');
  await page.getByRole('heading', { name: 'No request fits' }).waitFor();
  await checkLooks(page, 'Requests, nothing fits');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await rows(page).first().waitFor();
  await chooseTab(page, 'Overview');
});
