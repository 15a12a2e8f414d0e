import type { Page } from 'playwright-core';

/** One task of the page's main thread. */
export interface PageTask {
  /** What it took of the processor: unlike its duration, independent of what else the machine does. */
  readonly cpuMs: number;
  readonly ms: number;
}

interface TraceEvent {
  readonly name: string;
  readonly tid: number;
  readonly pid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly elementCount?: number };
}

/** Does some work, and tells the tasks of the page's main thread meanwhile. */
export async function watchTasks(page: Page, work: () => Promise<unknown>): Promise<PageTask[]> {
  return (await traceMainThread(page, work))
    .filter(({ name }) => name.endsWith('RunTask'))
    .map(({ dur = 0, tdur = 0 }) => ({ cpuMs: Math.round(tdur / 1000), ms: Math.round(dur / 1000) }));
}

/** Does some work, and tells how many elements the browser styled at a time meanwhile. */
export async function watchStyles(page: Page, work: () => Promise<unknown>): Promise<number[]> {
  return (await traceMainThread(page, work))
    .filter(({ name }) => name === 'UpdateLayoutTree')
    .map(({ args }) => args?.elementCount ?? 0);
}

async function traceMainThread(page: Page, work: () => Promise<unknown>): Promise<TraceEvent[]> {
  const devTools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devTools.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const traceConfig = { includedCategories: ['toplevel', 'devtools.timeline'], excludedCategories: ['*'] };
  await devTools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  try {
    await work();
  } finally {
    const isComplete = new Promise((resolve) => devTools.once('Tracing.tracingComplete', resolve));
    await devTools.send('Tracing.end');
    await isComplete;
    await devTools.detach();
  }
  const main = events.findLast(({ name }) => name === 'FireAnimationFrame');
  return events.filter(({ pid, tid }) => pid === main?.pid && tid === main.tid);
}
