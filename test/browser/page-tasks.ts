import type { Page } from 'playwright-core';

/** One task of the page's main thread. */
export interface PageTask {
  /** What it took of the processor: unlike its duration, independent of what else the machine does. */
  readonly cpuMs: number;
  readonly ms: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly pid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Does some work, and tells the tasks of the page's main thread meanwhile. */
export async function watchTasks(page: Page, work: () => Promise<unknown>): Promise<PageTask[]> {
  const devTools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devTools.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const traceConfig = {
    includedCategories: ['toplevel', '__metadata', 'devtools.timeline'],
    excludedCategories: ['*'],
  };
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
  return events
    .filter(({ pid, tid, name }) => pid === main?.pid && tid === main.tid && name.endsWith('RunTask'))
    .map(({ dur = 0, tdur = 0 }) => ({ cpuMs: Math.round(tdur / 1000), ms: Math.round(dur / 1000) }));
}
