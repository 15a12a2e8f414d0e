import type { Page } from 'playwright-core';

/** Of an event of Chromium's trace, in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** How long its thread computed, without the time in which others had the processor. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'];

/** Traces the tasks of the threads of pages from now on. `end` says how many ms of processor the busiest one took. */
export async function watchTasks(page: Page): Promise<{ end(): Promise<number> }> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser to trace.');
  await browser.startTracing(page, { categories: CATEGORIES });
  return {
    async end() {
      const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
        traceEvents: TraceEvent[];
      };
      const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
      const isPage = ({ name, args }: TraceEvent): boolean =>
        name === 'thread_name' && args?.name === 'CrRendererMain';
      const pages = new Set(traceEvents.filter(isPage).map(threadOf));
      const tasks = traceEvents.filter(
        (event) => event.ph === 'X' && event.name.endsWith('RunTask') && pages.has(threadOf(event)),
      );
      if (tasks.length === 0) throw new Error('The trace has no tasks.');
      return tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1000;
    },
  };
}
