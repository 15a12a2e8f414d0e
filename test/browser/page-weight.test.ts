import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { addSampleData } from './sample-data.ts';
import { SKIPPED, visit } from './start-browser.ts';
import { addTraffic } from './traffic-data.ts';

/**
 * What the files of a first visit may weigh until the page is there, as a browser gets them over HTTPS: with Brotli, headers not
 * counted. The panel loads its other views later.
 * test/public/chat-weight.test.ts weighs the chat, which loads its list of chats at the same time.
 */
const PAGES = [
  { path: '/', account: null, ready: 'input[name="username"]', mostKiB: 30 },
  { path: '/admin.html', account: ADMIN, ready: '.traffic-card .chart-svg', mostKiB: 90 },
] as const;

/** Opens a page in an empty browser, and gives the bytes of its files, and their names. */
async function weigh(t: TestContext, origin: string, { path, account, ready }: (typeof PAGES)[number]) {
  const { page, context } = await visit(t, origin, null);
  if (account !== null) await context.request.post(`${origin}/api/login`, { data: account });
  const names = new Set<string>();
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith('/api/') && !pathname.startsWith('/v1/')) names.add(pathname);
  });
  // What the panel loads in the background a second later is not the first view.
  await page.addInitScript((leastMs) => {
    const { setTimeout } = window;
    window.setTimeout = ((run: () => void, ms = 0) =>
      ms < leastMs ? setTimeout(run, ms) : 0) as typeof setTimeout;
  }, 1000);
  await page.goto(`${origin}${path}`);
  await page.locator(ready).first().waitFor();
  const seen = [...names];
  return Promise.all(seen.map(async (name) => [name, await sizeOf(`${origin}${name}`)] as const));
}

/** In bytes, compressed. */
async function sizeOf(url: string): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'br' } }, resolve).on('error', reject);
  });
  return (await buffer(answer)).length;
}

test('the pages stay light', { skip: SKIPPED }, async (t) => {
  const app = await startApp(t);
  await addSampleData(app);
  addTraffic(app, { hours: 24 });
  for (const place of PAGES) {
    const files = await weigh(t, app.origin, place);
    const bytes = files.reduce((sum, [, size]) => sum + size, 0);
    const text = `${place.path}: ${(bytes / 1024).toFixed(1)} KiB in ${files.length} files`;
    t.diagnostic(text);
    const heaviest = files.sort(([, a], [, b]) => b - a).slice(0, 8);
    assert.ok(bytes <= place.mostKiB * 1024, `${text}; the heaviest: ${JSON.stringify(heaviest)}`);
  }
});
