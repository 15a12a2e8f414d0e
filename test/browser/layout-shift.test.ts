import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startApp } from '../helpers/start-app.ts';
import { addSampleData, SAMPLE_PASSWORD } from './sample-data.ts';
import { fillSignIn, row, SKIPPED, visit, visitPanel } from './start-browser.ts';

const SIZES = [360, 1440];
/** A tenth of what the Core Web Vitals still call good. */
const MOST_SHIFT = 0.01;

/** How much of the page moved since it was opened: the sum of layout shifts (W3C Layout Instability). */
function readShift(page: Page): Promise<number> {
  return page.evaluate(async () => {
    // Two frames, so that what has just been drawn is counted.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return new Promise<number>((resolve) => {
      let sum = 0;
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) sum += Number(Reflect.get(entry, 'value') ?? 0);
        observer.disconnect();
        resolve(sum);
      });
      // The mark is there always, so that there is an answer when nothing moved.
      performance.mark('read');
      observer.observe({ type: 'layout-shift', buffered: true });
      observer.observe({ type: 'mark', buffered: true });
    });
  });
}

async function expectStill(page: Page, place: string): Promise<void> {
  const shift = await readShift(page);
  assert.ok(shift < MOST_SHIFT, `${place} moved by ${shift.toFixed(4)}`);
}

for (const width of SIZES) {
  test(`the panel does not move while it loads, ${width} px`, { skip: SKIPPED }, async (t) => {
    const app = await startApp(t);
    await addSampleData(app);
    const { page, open } = await visitPanel(t, app.origin, 'Overview', { width });
    await page.getByRole('heading', { name: 'Set it up' }).waitFor();
    await expectStill(page, 'Overview');
    for (const [tab, content] of [
      ['providers', 'Groq'],
      ['models', 'GPT-4o'],
      ['keys', 'Home Assistant'],
      ['users', 'maria'],
    ] as const) {
      const one = await open(`/admin.html#${tab}`);
      await row(one, content).waitFor();
      await expectStill(one, tab);
    }
    const settings = await open('/admin.html#settings');
    await settings.getByText('Running for').waitFor();
    await expectStill(settings, 'settings');
  });

  test(`sign-in and own page do not move while they load, ${width} px`, { skip: SKIPPED }, async (t) => {
    const app = await startApp(t);
    await addSampleData(app);
    const { page } = await visit(t, app.origin, '/', { width });
    await page.getByLabel('Username').waitFor();
    await expectStill(page, 'sign-in');
    await fillSignIn(page, 'maria', SAMPLE_PASSWORD);
    await row(page, 'gpt-4o').waitFor();
    await expectStill(page, 'dashboard');
  });
}
