import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { serveChartsPage } from './charts-page.ts';
import { createKeyboard, expectFocus } from './keyboard-hands.ts';
import { checkLooks } from './looks.ts';
import { type OpenOptions, SKIPPED, visit } from './start-browser.ts';
import { expectText, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };

async function openPage(t: TestContext, looks: OpenOptions = {}): Promise<Page> {
  const origin = await serveChartsPage(t);
  const { page } = await visit(t, origin, '/', looks);
  await spend(page).getByRole('img').locator('rect').first().waitFor();
  return page;
}

function spend(page: Page): Locator {
  return page.getByRole('region', { name: 'Spend', exact: true });
}

function tip(page: Page): Locator {
  return spend(page).locator('.chart-tip');
}

function spoken(page: Page): Promise<string | null> {
  return spend(page).locator('[aria-live]').textContent();
}

function opened(page: Page): Promise<unknown> {
  return page.evaluate(() => Reflect.get(window, 'opened'));
}

/** Where the middle of a bucket's bar is in the window. */
async function bucketPoint(page: Page, index: number): Promise<{ x: number; y: number }> {
  const box = await spend(page).getByRole('img').boundingBox();
  const base = await spend(page).locator('.chart-base').boundingBox();
  assert.ok(box && base);
  return { x: base.x + (base.width / 30) * (index + 0.5), y: box.y + box.height / 2 };
}

test('no barriers: charts, a tip, the table', options, async (t) => {
  const page = await openPage(t);
  await checkLooks(page, 'charts');
  await spend(page).getByRole('img').focus();
  await page.keyboard.press('End');
  await tip(page).waitFor();
  await checkLooks(page, 'charts with a tip');
  await spend(page).getByRole('button', { name: 'Table' }).click();
  await spend(page).getByRole('table').waitFor();
  await checkLooks(page, 'charts as a table');
});

test('a screen reader meets the switch, the legend and one picture with a summary', options, async (t) => {
  const page = await openPage(t);
  await spend(page).getByRole('img').waitFor();
  const tree = await spend(page).ariaSnapshot();
  const lines = tree.split('\n').map((line) => line.trim().replace(/^- /, ''));
  assert.deepEqual(lines.slice(0, 5), [
    'region "Spend":',
    'heading "Spend per day by model" [level=2]',
    'group "View":',
    'button "Chart" [pressed]',
    'button "Table"',
  ]);
  const pictures = lines.filter((line) => line.includes('img "'));
  assert.match(
    pictures.join(),
    /^'img "Spend per day, 28 Oct to 26 Nov: \$\d+\.\d\d, highest \$\d+\.\d\d, Fri 6 November"'$/,
  );
  assert.ok(!tree.includes('$12"') && !tree.includes('text: $'), 'the axis is not read');
  const strips = page.getByRole('region', { name: 'Small ones' });
  await strips.getByRole('img', { name: /^Groq: 50 of 720 requests failed in the last 24 hours/ }).waitFor();
  await strips.getByRole('img', { name: 'DeepSeek: no answers in the last 24 hours' }).waitFor();
});

test('works from the keyboard with one tab stop', options, async (t) => {
  const page = await openPage(t);
  const hands = createKeyboard(page);
  const chart = spend(page).getByRole('img');
  await hands.goTo(chart);
  await hands.press('End');
  assert.match((await spoken(page)) ?? '', /^Thu 26 November, not over yet: \$\d+\.\d\d$/);
  await hands.press('ArrowLeft', 'ArrowUp');
  assert.match((await spoken(page)) ?? '', /^Wed 25 November, claude-sonnet-4-6: \$\d+\.\d\d, \d+\u202f%$/);
  await hands.press('Enter', 'ArrowDown', 'Enter', 'Home');
  assert.match((await spoken(page)) ?? '', /^Wed 28 October: \$/);
  await hands.press('ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight');
  assert.equal(await spoken(page), 'Sun 1 November: no data');
  assert.deepEqual(await opened(page), [
    ['2026-11-24T23:00:00.000Z', 'claude-sonnet-4-6'],
    ['2026-11-24T23:00:00.000Z', null],
  ]);
  await hands.press('Escape');
  await tip(page).waitFor({ state: 'hidden' });
  await expectFocus(page, chart);
  await hands.press('Tab');
  await expectFocus(
    page,
    page.getByRole('region', { name: 'Latency' }).getByRole('button', { name: 'Chart' }),
  );
});

test('the chosen day stays when other data come', options, async (t) => {
  const page = await openPage(t);
  await spend(page).getByRole('img').focus();
  await page.keyboard.press('End');
  await page.evaluate(() => {
    const { spend: chart, dayData } = window as unknown as {
      spend: { update(data: unknown): void };
      dayData: { starts: number[]; series: { values: unknown[] }[] };
    };
    // A day later: the first one is gone.
    const starts = [...dayData.starts.slice(1), (dayData.starts.at(-1) ?? 0) + 86_400_000];
    const series = dayData.series.map((one) => ({ ...one, values: [...one.values.slice(1), 0] }));
    chart.update({ ...dayData, starts, series });
  });
  await tip(page).getByText('Thu 26 November').waitFor();
  await page.keyboard.press('ArrowRight');
  await tip(page).getByText('Fri 27 November').waitFor();
});

test('the tip of the mouse lists shares, can be entered, and goes with Escape', options, async (t) => {
  const page = await openPage(t);
  const { x, y } = await bucketPoint(page, 10);
  await page.mouse.move(x, y);
  await tip(page).getByText('Sat 7 November').waitFor();
  const values = await tip(page).locator('li > :nth-child(3)').allTextContents();
  const numbers = values.map((value) => Number(value.slice(1)));
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => b - a),
  );
  assert.equal(values.length, 6);
  const shares = await tip(page).locator('li > :nth-child(4)').allTextContents();
  const sum = shares.reduce((total, text) => total + Number.parseInt(text, 10), 0);
  assert.ok(Math.abs(sum - 100) <= 3, `shares add up to ${sum} %`);
  await spend(page).locator('.chart-tip.is-settled').waitFor();
  await tip(page).hover();
  await tip(page).getByText('Sat 7 November').waitFor();
  await page.keyboard.press('Escape');
  await tip(page).waitFor({ state: 'hidden' });
  await page.mouse.move(x, y);
  await tip(page).waitFor();
  await page.mouse.move(0, 0);
  await tip(page).waitFor({ state: 'hidden' });
  await page.mouse.click(x, y);
  assert.equal(((await opened(page)) as unknown[]).length, 1);
});

test('a finger chooses a bar, and opens it from the tip below the chart', options, async (t) => {
  const origin = await serveChartsPage(t);
  const { context } = await visit(t, origin, null);
  const phone = await context
    .browser()
    ?.newContext({ viewport: { width: 360, height: 800 }, hasTouch: true });
  assert.ok(phone);
  t.after(() => phone.close());
  const page = await phone.newPage();
  await page.goto(origin);
  await spend(page).getByRole('img').locator('rect').first().waitFor();
  const { x, y } = await bucketPoint(page, 12);
  await page.touchscreen.tap(x, y);
  await tip(page).getByText('Mon 9 November').waitFor();
  const chart = await spend(page).getByRole('img').boundingBox();
  const below = await tip(page).boundingBox();
  assert.ok(chart && below && below.y >= chart.y + chart.height, 'the tip stands under the chart');
  assert.deepEqual(await opened(page), []);
  await tip(page).getByRole('button', { name: 'Open these requests' }).tap();
  assert.deepEqual(await opened(page), [['2026-11-08T23:00:00.000Z', null]]);
});

test('the legend hides a series and says how much is left', options, async (t) => {
  const page = await openPage(t);
  const button = spend(page).getByRole('button', { name: 'claude-sonnet-4-6' });
  const marks = spend(page).locator('[data-series="model:claude-sonnet-4-6"]');
  await button.hover();
  assert.equal(await marks.and(page.locator('.chart-dim')).count(), 0);
  assert.ok((await spend(page).locator('[data-series].chart-dim').count()) > 100);
  await button.press('Enter');
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  await expectFocus(page, button);
  assert.equal(await marks.count(), 0);
  const [, shown = '', all = ''] =
    /^\$([\d.]+) of \$([\d.]+) shown$/.exec((await spend(page).locator('.chart-part').textContent()) ?? '') ??
    [];
  assert.ok(Number(shown) > 0 && Number(shown) < Number(all), `${shown} of ${all}`);
  assert.match((await spoken(page)) ?? '', /^claude-sonnet-4-6 hidden, \$[\d.]+ of \$[\d.]+ shown$/);
  await spend(page)
    .getByRole('img', { name: `: $${shown},` })
    .waitFor();
  await button.press('Enter');
  assert.ok((await marks.count()) > 20);
  assert.equal(await spend(page).locator('.chart-part').textContent(), '');
});

test('the table has the same numbers', options, async (t) => {
  const page = await openPage(t);
  const name = (await spend(page).getByRole('img').getAttribute('aria-label')) ?? '';
  await spend(page).getByRole('button', { name: 'Table' }).click();
  const table = spend(page).getByRole('table', { name: 'Spend per day, 28 Oct to 26 Nov' });
  assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), [
    'Day',
    'claude-sonnet-4-6',
    'gpt-5.4-mini',
    'gpt-5.4',
    'claude-haiku-4-5',
    'gemini-3.5-flash-lite',
    'Other',
    'Total',
  ]);
  assert.equal(await table.getByRole('rowheader').count(), 30);
  const totals = await table.locator('tbody td:last-child').allInnerTexts();
  assert.equal(totals[4], 'no data');
  const highest = Math.max(...totals.map((text) => Number(text.slice(1)) || 0));
  assert.ok(name.includes(`highest $${highest.toFixed(2)}, Fri 6 November`), name);
  await table.getByRole('rowheader', { name: 'Thu 26 November (not over yet)' }).waitFor();
  assert.equal(await spend(page).getByRole('img').isVisible(), false);
  await spend(page).getByRole('button', { name: 'Chart' }).click();
  await spend(page).getByRole('img').waitFor();
});

test('is drawn in real pixels at every width', options, async (t) => {
  const page = await openPage(t);
  const chart = spend(page).getByRole('img');
  for (const width of [1440, 768, 360, 1100]) {
    await page.setViewportSize({ width, height: 800 });
    const room = await spend(page)
      .locator('.chart-plot')
      .evaluate((box) => Math.floor(box.clientWidth));
    await spend(page).locator(`svg.chart-svg[width="${room}"]`).waitFor();
    const box = await chart.boundingBox();
    assert.equal(Math.round(box?.width ?? 0), room);
    const words = await chart.locator('.chart-time').evaluateAll((texts) =>
      texts
        .map((text) => text.getBoundingClientRect())
        .map(({ left, right }) => ({ left, right }))
        .toSorted((a, b) => a.left - b.left),
    );
    assert.ok(words.length >= 3, `${words.length} times at ${width} px`);
    for (const [index, word] of words.entries()) {
      const before = words[index - 1];
      assert.ok(before === undefined || before.right + 4 <= word.left, `times touch at ${width} px`);
      assert.ok(word.right <= width && word.left >= 0, `a time is cut at ${width} px`);
    }
  }
});

test('takes its colours from the theme, and patterns where colours are forced', options, async (t) => {
  const page = await openPage(t);
  const fill = (): Promise<string> =>
    spend(page)
      .locator('[data-series="model:gpt-5.4"]')
      .first()
      .evaluate((mark) => getComputedStyle(mark).fill);
  const light = await fill();
  await page.evaluate(() => document.documentElement.setAttribute('data-theme', 'dark'));
  assert.notEqual(await fill(), light);
  await page.emulateMedia({ forcedColors: 'active' });
  await spend(page).locator('rect.chart-forced').first().waitFor();
  const patterns = await spend(page)
    .locator('rect.chart-forced')
    .evaluateAll((marks) => [...new Set(marks.map((mark) => getComputedStyle(mark).fill))]);
  assert.equal(patterns.length, 6);
  for (const pattern of patterns) assert.match(pattern, /^url\(/);
});

test('names are text', options, async (t) => {
  const origin = await serveChartsPage(t);
  const { page } = await visitWatched(t, origin);
  for (const name of PAYLOADS) {
    await page.goto(`${origin}/?name=${encodeURIComponent(name)}`);
    const chart = spend(page).getByRole('img');
    await chart.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    await tip(page).waitFor();
    await expectText(page, [name], `a chart with ${name}`);
    await spend(page).getByRole('button', { name: 'Table' }).click();
    await spend(page).getByRole('table').waitFor();
    await expectText(page, [name], `a table with ${name}`);
  }
});
