import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, type TestContext } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ADMIN } from '../helpers/start-app.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';

/** Required, because an import first searches all of Playwright for the names that it exports, which takes a second. */
const require = createRequire(import.meta.url);

type AxeBuilder = import('@axe-core/playwright').AxeBuilder;
type RunOptions = Parameters<AxeBuilder['options']>[0];
type AxeResults = Awaited<ReturnType<AxeBuilder['analyze']>>;

/** For pages under a name that is not localhost. */
const EXAMPLE_HOSTS = '--host-resolver-rules=MAP *.example 127.0.0.1';

/** Said by Chromium of answers of 4xx and 5xx, lost connections, and plain http under a name that is not localhost. */
const KNOWN_MESSAGES = [
  /^Failed to load resource: (the server responded with a status of [45]|net::ERR)/,
  /^The Cross-Origin-Opener-Policy header has been ignored, because the URL's origin was untrustworthy/,
];

const executablePath = findChromium();

/** The reason for which browser tests are skipped here; false where they run. */
export const SKIPPED: string | false =
  executablePath === null ? 'no Chromium was found (CHROMIUM_PATH names one)' : false;

let launched: Promise<Browser> | null = null;

after(async () => {
  await (await launched)?.close();
});

export interface OpenOptions {
  readonly width?: number;
  readonly theme?: 'light' | 'dark';
  /** Sent with every request of the page. */
  readonly headers?: Record<string, string>;
}

/** One person's browser: pages share its cookies. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Another tab. */
  open(path: string): Promise<Page>;
}

/**
 * Opens a page of the app (null: an empty one) in a browser of its own. When the test ends, nothing may have gone wrong in it: no script
 * error, no console error or warning (answers of 4xx and lost connections aside), nothing refused by the policy, no request to
 * another host, nothing but the theme in the browser's storage.
 */
export async function visit(
  t: TestContext,
  origin: string,
  path: string | null,
  options: OpenOptions = {},
): Promise<Visitor> {
  const { chromium }: typeof import('playwright-core') = require('playwright-core');
  launched ??= chromium.launch({
    executablePath: executablePath ?? '',
    args: [...CHROMIUM_FLAGS, EXAMPLE_HOSTS],
  });
  const browser = await launched;
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 800 },
    colorScheme: options.theme ?? 'light',
    extraHTTPHeaders: options.headers ?? {},
  });
  context.setDefaultTimeout(15_000);
  const problems: string[] = [];
  context.on('weberror', (error) => problems.push(`script error: ${error.error().stack}`));
  context.on('console', (message) => {
    const isKnown = KNOWN_MESSAGES.some((known) => known.test(message.text()));
    const isLoud = message.type() === 'error' || message.type() === 'warning';
    if (isLoud && !isKnown) problems.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    const isOwn = url.origin === origin || url.protocol === 'data:' || url.protocol === 'blob:';
    if (!isOwn) problems.push(`foreign request: ${url.href}`);
  });
  t.after(async () => {
    for (const page of context.pages()) problems.push(...(await storedSecrets(page)));
    await context.close();
    assert.deepEqual(problems, []);
  });
  const open = async (place: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${origin}${place}`);
    return page;
  };
  return { context, page: path === null ? await context.newPage() : await open(path), open };
}

/** Fills the sign-in form that is on the page. */
export async function fillSignIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens the panel as the admin, who is signed in already, at one of its tabs. */
export async function visitPanel(
  t: TestContext,
  origin: string,
  tab: string,
  options: OpenOptions = {},
): Promise<Visitor> {
  const visitor = await visit(t, origin, null, options);
  await visitor.context.addCookies([await signInCookie(origin, ADMIN)]);
  const page = await visitor.open(`/admin.html#${tab === 'API Keys' ? 'keys' : tab.toLowerCase()}`);
  await page.getByRole('heading', { name: tab, level: 1 }).waitFor();
  return { ...visitor, page };
}

async function signInCookie(origin: string, credentials: { username: string; password: string }) {
  const response = await fetch(`${origin}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(response.headers.get('set-cookie') ?? '') ?? [];
  return { name, value, url: origin, httpOnly: true, sameSite: 'Strict' as const };
}

/** Flips the switch of a row, and waits until the server has agreed and the row is drawn anew. */
export async function flip(page: Page, text: string): Promise<void> {
  const control = row(page, text).getByRole('switch');
  const drawn = page.getByTitle((await control.isChecked()) ? 'Off' : 'On', { exact: true });
  await control.click();
  await control.and(drawn).waitFor();
}

/** Signs out by the account menu. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
}

/** Copies the key that was just made and closes its dialog; gives the key. */
export async function takeNewKey(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog', { name: / is ready$/ });
  const key = (await dialog.locator('.secret code').textContent()) ?? '';
  await dialog.getByRole('button', { name: 'Copy key' }).click();
  await dialog.getByText('The key is copied').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
  return key;
}

/** Chooses a tab of the panel. */
export async function chooseTab(page: Page, name: string): Promise<void> {
  await page.getByRole('tab', { name, exact: true }).click();
}

/** The row of a list whose text has this in it. */
export function row(page: Page, text: string): ReturnType<Page['locator']> {
  return page.locator('tbody tr').filter({ hasText: text });
}

/** What axe-core finds wrong on the page, one line each; WCAG 2.2 A and AA, and the good practices of landmarks and headings. */
export async function findBarriers(page: Page): Promise<string[]> {
  const options: RunOptions = { resultTypes: ['violations'], preload: false };
  const violations = (await runAxe(page, options)) ?? (await injectAxe(page, options));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** Runs the axe-core that is in the page already, in half the time; null where it is not. */
function runAxe(page: Page, options: RunOptions): Promise<AxeResults['violations'] | null> {
  return page.evaluate(async (given) => {
    const axe: { run(options: unknown): Promise<AxeResults> } | undefined = Reflect.get(window, 'axe');
    return axe === undefined ? null : (await axe.run(given)).violations;
  }, options);
}

async function injectAxe(page: Page, options: RunOptions): Promise<AxeResults['violations']> {
  const { AxeBuilder }: typeof import('@axe-core/playwright') = require('@axe-core/playwright');
  // "Legacy" means without a second page for the results of frames, of which there are none.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).options(options).analyze();
  return violations;
}

/** True where the page is wider than its window. */
export function isOverflowing(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
}

async function storedSecrets(page: Page): Promise<string[]> {
  if (page.isClosed() || !page.url().startsWith('http')) return [];
  const names = await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
  return names.filter((name) => name !== 'theme').map((name) => `stored in the browser: ${name}`);
}
