import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type JSHandle, type Page } from 'playwright-core';
import { LONG_ANSWERS } from '../../test/browser/answer-samples.ts';
import { CHROMIUM_FLAGS, findChromium } from '../../test/browser/chromium.ts';
import { watchTasks } from '../../test/browser/page-tasks.ts';
import { type Measurement, type Row, type Run, sampleOf } from '../measurement.ts';
import { ADMIN } from '../proxy-setup.ts';
import { onStage } from '../stage.ts';

const TOKENS_PER_SECOND = 2000;
const TIMEOUT_MS = 120_000;
const FILE_BYTES = 60 * 1024 * 1024;
/** As public/js/chat/history/account.js names it. */
const ACCOUNT = `admin ${ADMIN.username}`;

/** What the rows use of public/js/chat/history/open-history.js. */
interface HistoryModule {
  openHistory(options: { account: string }): Promise<{
    importFile(file: Blob): Promise<unknown>;
    createChat(fields: object): Promise<{ id: string }>;
    addFile(chatId: string, file: File): Promise<unknown>;
    listChats(options?: { limit?: number }): Promise<unknown[]>;
    close(): void;
  }>;
}

/**
 * The chat in Chromium: the longest task of its main thread while an answer of 200 KB arrives (the goal is at most 50 ms), and
 * how fast 10,000 chats are listed (the goal is at most 200 ms), to which a file of 60 MB was added in vain.
 */
export const measurement: Measurement = {
  name: 'chat-page',
  title: 'The chat in Chromium: long answers, processor and clock; many chats, first and again',
  columns: ['processor / first', 'clock / again'],
  measure: async (run) => {
    const answerPath = join(run.folder, 'answer.md');
    const upstreamEnv = { ANSWER_PATH: answerPath, TOKENS_PER_SECOND: String(TOKENS_PER_SECOND) };
    return await onStage(run, { upstream: 'upstream-answer', upstreamEnv }, async ({ proxy }) => {
      const browser = await chromium.launch({
        executablePath: findChromium() ?? '',
        args: [...CHROMIUM_FLAGS],
      });
      try {
        const rows: Row[] = [];
        for (const [what, text] of LONG_ANSWERS) {
          writeFileSync(answerPath, text.slice(0, run.pick(text.length, 20_000)));
          rows.push(await answerRow(await signedIn(browser, proxy.port), what));
        }
        return [...rows, ...(await chatRows(run, await signedIn(browser, proxy.port)))];
      } finally {
        await browser.close();
      }
    });
  },
};

/** A browser profile of the administrator. */
async function signedIn(browser: Browser, port: number): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: `http://127.0.0.1:${port}` });
  await context.request.post('/api/login', { data: ADMIN });
  return context;
}

async function answerRow(context: BrowserContext, what: string): Promise<Row> {
  const page = await context.newPage();
  await page.goto('/chat.html');
  await page.getByRole('button', { name: 'Model: Bench model' }).waitFor();
  const tasks = await watchTasks(page, async () => {
    await page.locator('#chat-message').fill('Tell me much');
    await page.locator('#chat-message').press('Enter');
    await page.locator('.stop-sign:not([hidden])').waitFor();
    await page.evaluate(UNTIL_IDLE);
  });
  await context.close();
  return {
    what: `longest task while 200 KB arrive: ${what}`,
    unit: 'ms',
    bare: sampleOf([Math.max(...tasks.map(({ cpuMs }) => cpuMs))]),
    proxy: sampleOf([Math.max(...tasks.map(({ ms }) => ms))]),
  };
}

/** Resolves when the answer is over. Not a locator: looking through so many elements would be the longest task. */
const UNTIL_IDLE = `new Promise((resolve, reject) => {
  setTimeout(reject, ${TIMEOUT_MS}, new Error('the answer does not end'));
  const stop = document.querySelector('.stop-sign');
  const look = () => {
    if (stop.hidden) resolve();
  };
  new MutationObserver(look).observe(stop, { attributeFilter: ['hidden'] });
  look();
})`;

async function chatRows(run: Run, context: BrowserContext): Promise<Row[]> {
  const count = run.pick(10_000, 200);
  const page = await context.newPage();
  await page.goto('/chat.html');
  const module = await loadHistory(page);
  await fillHistory(page, { module, account: ACCOUNT, count, bytes: run.pick(FILE_BYTES, 100) });
  await page.close();
  const first: number[] = [];
  const again: number[] = [];
  const shown: number[] = [];
  let left = 0;
  for (let round = 0; round < run.rounds; round++) {
    const tab = await context.newPage();
    shown.push(await untilListed(tab));
    const times = await timeLists(tab, await loadHistory(tab));
    first.push(times.firstMs);
    again.push(times.againMs);
    left = times.count;
    await tab.close();
  }
  await context.close();
  return [
    { what: `${count} chats: opened and listed`, unit: 'ms', bare: sampleOf(first), proxy: sampleOf(again) },
    { what: `${count} chats: from the address to the list`, unit: 'ms', bare: null, proxy: sampleOf(shown) },
    {
      what: 'chats that are there after a file of 60 MB',
      unit: 'count',
      bare: null,
      proxy: sampleOf([left]),
    },
  ];
}

/** Says on the window when the first chat is in the list. */
const WATCH_LIST = `window.listed = new Promise((resolve, reject) => {
  setTimeout(reject, ${TIMEOUT_MS}, new Error('no chat in the list'));
  const look = () => {
    if (document.querySelector('.history-list li')) resolve(performance.now());
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})`;

/** Opens the page; tells how long it took until the list was there. */
async function untilListed(page: Page): Promise<number> {
  await page.addInitScript(WATCH_LIST);
  await page.goto('/chat.html');
  return await page.evaluate<number>('window.listed');
}

function loadHistory(page: Page): Promise<JSHandle<HistoryModule>> {
  // As text, because the compiler replaces the import of an address.
  return page.evaluateHandle("import('/js/chat/history/open-history.js')") as Promise<
    JSHandle<HistoryModule>
  >;
}

interface Filling {
  readonly module: JSHandle<HistoryModule>;
  readonly account: string;
  readonly count: number;
  readonly bytes: number;
}

function fillHistory(page: Page, filling: Filling): Promise<void> {
  return page.evaluate(async ({ module, account, count, bytes }) => {
    const store = await module.openHistory({ account });
    const chats = Array.from({ length: count - 1 }, (_, index) => ({
      id: `c${index}`,
      title: `Chat ${index} about something that somebody wanted to know`,
      updatedAt: Date.now() - index * 60_000,
      messages: [
        { id: `q${index}`, role: 'user', text: `Question ${index}` },
        { id: `a${index}`, parentId: `q${index}`, role: 'assistant', text: 'An answer. '.repeat(50) },
      ],
    }));
    const file = { format: 'ipin-chat-history', version: 1, chats, presets: [] };
    await store.importFile(new Blob([JSON.stringify(file)]));
    const { id } = await store.createChat({ title: 'With a film' });
    await store.addFile(id, new File([new Uint8Array(bytes)], 'film.mp4')).catch(() => {});
    store.close();
  }, filling);
}

interface ListTimes {
  readonly firstMs: number;
  readonly againMs: number;
  readonly count: number;
}

function timeLists(page: Page, module: JSHandle<HistoryModule>): Promise<ListTimes> {
  return page.evaluate(
    async ({ module, account }) => {
      const started = performance.now();
      const store = await module.openHistory({ account });
      await store.listChats();
      const opened = performance.now();
      await store.listChats();
      const ended = performance.now();
      const { length } = await store.listChats({ limit: 1_000_000 });
      store.close();
      return { firstMs: opened - started, againMs: ended - opened, count: length };
    },
    { module, account: ACCOUNT },
  );
}
