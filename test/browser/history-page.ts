import type { TestContext } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { serveModulePage } from './module-page.ts';
import { type OpenOptions, type Visitor, visit } from './start-browser.ts';

type OpenHistory = typeof import('../../public/js/chat/history/open-history.js').openHistory;
type Forget = typeof import('../../public/js/chat/history/forget.js');
type List = ReturnType<typeof import('../../public/js/chat/history/history-list.js').createHistoryList>;
type Report = import('../../public/js/chat/history/transfer.js').ImportReport;
type Message = import('../../public/js/chat/history/types.js').Message;

export type Store = Awaited<ReturnType<OpenHistory>>;

/** What `history-page.js` puts on the window. */
export interface HistoryWindow {
  readonly account: string;
  readonly store: Store;
  readonly openHistory: OpenHistory;
  readonly accountName: typeof import('../../public/js/chat/history/account.js').accountName;
  readonly createIndexedDbDriver: typeof import('../../public/js/chat/history/indexed-db.js').createIndexedDbDriver;
  readonly MIGRATIONS: typeof import('../../public/js/chat/history/schema.js').MIGRATIONS;
  readonly isForgetful: Forget['isForgetful'];
  readonly setForgetful: Forget['setForgetful'];
  readonly forgetChats: Forget['forgetChats'];
  readonly list: List;
  /** What the list asked its page for. */
  readonly seen: string[];
  /** Imports chats as they are in exported files. */
  importChats(chats: readonly unknown[], presets?: readonly unknown[]): Promise<Report>;
  /** A message with an id of its own. */
  message(fields: Partial<Message> & { chatId: string }): Message;
  /** Code and text of what a promise fails with. */
  refusal(promise: Promise<unknown>): Promise<{ code: string; message: string } | null>;
}

/** Serves a page with the list of chats; answers its origin. */
export function serveHistoryPage(t: TestContext): Promise<string> {
  const styles = ['/app.css', '/panel.css', '/history.css', '/page.css'];
  return serveModulePage(t, { title: 'History', name: 'history', styles });
}

export interface HistoryPageOptions extends OpenOptions {
  readonly path?: string;
  /** Called before the page is opened. */
  readonly prepare?: (context: BrowserContext) => Promise<unknown>;
}

/** Opens a page with the history of an account. */
export async function openHistoryPage(t: TestContext, options: HistoryPageOptions = {}): Promise<Visitor> {
  const origin = await serveHistoryPage(t);
  const visitor = await visit(t, origin, null, options);
  const { path = '/' } = options;
  const open = async (place: string): Promise<Page> => {
    const page = await visitor.open(place);
    await waitReady(page);
    return page;
  };
  await options.prepare?.(visitor.context);
  await visitor.page.goto(`${origin}${path}`);
  await waitReady(visitor.page);
  return { ...visitor, open };
}

export async function reload(page: Page): Promise<void> {
  await page.reload();
  await waitReady(page);
}

export async function waitReady(page: Page): Promise<void> {
  await page.waitForFunction(() => Reflect.get(window, 'isReady') === true);
}
