import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../test/browser/chromium.ts';
import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { ADMIN, signIn } from '../proxy-setup.ts';
import { onStage } from '../stage.ts';

const USER = { username: 'bench-user', password: 'bench-user-password' };

/** The pages, with the account that opens them, and a control that people use first. */
const PAGES = [
  { path: '/', account: null, control: 'input[name="username"]' },
  { path: '/admin.html', account: ADMIN, control: 'main .page-head .btn' },
  { path: '/chat.html', account: ADMIN, control: 'textarea' },
  { path: '/dashboard.html', account: USER, control: 'tbody [role="switch"]' },
];

/** How long to look for long tasks after the control has appeared. */
const QUIET_MS = 500;
const TIMEOUT_MS = 10_000;

/**
 * Script that measures when a page can be used: at the first frame with its control visible and enabled, or at the end of
 * the last long task (W3C Long Tasks, over 50 ms) if that is later.
 */
const watchFor = (control: string): string => `(() => {
  const control = ${JSON.stringify(control)};
  let busyUntil = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) busyUntil = Math.max(busyUntil, task.startTime + task.duration);
  }).observe({ type: 'longtask', buffered: true });
  window.interactive = new Promise((resolve, reject) => {
    setTimeout(reject, ${TIMEOUT_MS}, new Error('no ' + control + ' in time'));
    const look = () => {
      const found = document.querySelector(control);
      if (!found?.checkVisibility() || found.matches(':disabled')) return requestAnimationFrame(look);
      const seen = performance.now();
      setTimeout(() => resolve(Math.max(seen, busyUntil)), ${QUIET_MS});
    };
    look();
  });
})()`;

interface Load {
  readonly interactiveMs: number;
  readonly files: number;
  readonly bytes: number;
}

/** Time, requests and bytes that a browser needs for each page, the first time and again. */
export const measurement: Measurement = {
  name: 'page-load',
  title: 'Pages in Chromium: opened for the first time, and again',
  columns: ['first time', 'again'],
  measure: (run) =>
    onStage(run, {}, async ({ proxy }) => {
      const admin = await signIn(proxy.port);
      const { id } = await admin.post('users', USER);
      await admin.post('apikeys', { name: 'Page load', userId: id });
      const browser = await chromium.launch({
        executablePath: findChromium() ?? '',
        args: [...CHROMIUM_FLAGS],
      });
      try {
        const rows: Row[] = [];
        for (const page of PAGES) {
          const first: Load[] = [];
          const again: Load[] = [];
          for (let round = 0; round < run.rounds; round++) {
            const context = await freshProfile(browser, proxy.port, page.account);
            first.push(await openPage(context, page));
            again.push(await openPage(context, page));
            await context.close();
          }
          const row = (what: string, unit: Row['unit'], pick: (load: Load) => number): Row => ({
            what: `${page.path}: ${what}`,
            unit,
            bare: sampleOf(first.map(pick)),
            proxy: sampleOf(again.map(pick)),
          });
          rows.push(row('until it can be used', 'ms', (load) => load.interactiveMs));
          rows.push(row('transferred', 'KiB', (load) => load.bytes / 1024));
          rows.push(row('requests', 'count', (load) => load.files));
        }
        return rows;
      } finally {
        await browser.close();
      }
    }),
};

/** A browser profile with an empty cache, signed in if there is an account. */
async function freshProfile(
  browser: Browser,
  port: number,
  account: typeof USER | null,
): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: `http://127.0.0.1:${port}` });
  if (account !== null) await context.request.post('/api/login', { data: account });
  return context;
}

async function openPage(context: BrowserContext, place: { path: string; control: string }): Promise<Load> {
  const page = await context.newPage();
  await page.addInitScript(watchFor(place.control));
  const network = await context.newCDPSession(page);
  let files = 0;
  let bytes = 0;
  network.on('Network.loadingFinished', (event) => {
    files += 1;
    bytes += event.encodedDataLength;
  });
  await network.send('Network.enable');
  await page.goto(place.path);
  const interactiveMs = await page.evaluate<number>('window.interactive');
  await page.close();
  return { interactiveMs, files, bytes };
}
