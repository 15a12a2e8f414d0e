import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { watchTasks } from './task-times.ts';

/** What a frame may draw: the rows of a window of 800 px, and a few. */
const MOST_IN_FRAME = 40;
/** What may be in the page: the rows in the window, and those near it. */
const MOST_IN_PAGE = 110;
const LONGEST_TASK_MS = 100;

/** The work of a page while something was done. */
interface RowWork {
  /** Rows that were drawn in all. */
  readonly drawn: number;
  /** The most that were drawn between two frames. */
  readonly inFrame: number;
  /** The most that were there at once. */
  readonly inPage: number;
  /** Those below 50 ms are not told. */
  readonly longestTaskMs: number;
}

/**
 * Does something with a long list, and expects that no frame draws many rows and that few of them are in the page. A long run
 * also expects that no task takes the page's thread for long; how long it lasts depends on what else the machine does.
 */
export async function expectLittleWork(
  t: TestContext,
  page: Page,
  what: string,
  act: () => Promise<unknown>,
): Promise<RowWork> {
  // tsx wraps named functions in a helper that the page does not have.
  await page.evaluate('globalThis.__name ??= (one) => one');
  const watch = await page.evaluateHandle(() => {
    const work = { drawn: 0, inFrame: 0, inPage: 0, longestTaskMs: 0 };
    let now = 0;
    let frame = 0;
    const rows = new MutationObserver((records) => {
      for (const { addedNodes } of records)
        for (const node of addedNodes)
          if (node instanceof Element && !node.matches('.gap'))
            now += Number(node.matches('tr')) + node.querySelectorAll('tr').length;
    });
    rows.observe(document.body, { childList: true, subtree: true });
    const tasks = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries())
        work.longestTaskMs = Math.max(work.longestTaskMs, duration);
    });
    tasks.observe({ entryTypes: ['longtask'] });
    const note = () => {
      work.drawn += now;
      work.inFrame = Math.max(work.inFrame, now);
      work.inPage = Math.max(work.inPage, document.querySelectorAll('tbody:not(.gap) > tr').length);
      now = 0;
      frame = requestAnimationFrame(note);
    };
    note();
    return {
      end: () => {
        note();
        cancelAnimationFrame(frame);
        rows.disconnect();
        tasks.disconnect();
        return work;
      },
    };
  });
  const tasks = process.env['IPIN_LONG'] === '1' ? await watchTasks(page) : null;
  await act();
  // What is near the window is drawn in the frames that follow.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
  const busiestMs = (await tasks?.end()) ?? 0;
  const work = await watch.evaluate(({ end }) => end());
  t.diagnostic(`${what}: ${JSON.stringify(work)}`);
  assert.ok(work.inFrame <= MOST_IN_FRAME, `${what}: ${work.inFrame} rows drawn in a frame`);
  assert.ok(work.inPage <= MOST_IN_PAGE, `${what}: ${work.inPage} rows in the page`);
  if (tasks !== null) t.diagnostic(`${what}: ${busiestMs.toFixed(1)} ms of processor in the busiest task`);
  assert.ok(busiestMs <= LONGEST_TASK_MS, `${what}: a task of ${busiestMs} ms of processor`);
  return work;
}

/** Scrolls down to the end and up again, as fast as frames come. */
export async function scrollThrough(page: Page, stepPx = 2500): Promise<void> {
  await page.evaluate(async (step) => {
    for (const direction of [1, -1])
      for (let before = -1; before !== scrollY; ) {
        before = scrollY;
        scrollBy(0, direction * step);
        await new Promise(requestAnimationFrame);
      }
  }, stepPx);
}
