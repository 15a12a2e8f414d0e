import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { serveModulePage } from './module-page.ts';
import { type OpenOptions, type Visitor, visit } from './start-browser.ts';

type OpenHistory = typeof import('../../public/js/chat/history/open-history.js').openHistory;
type Forget = typeof import('../../public/js/chat/history/forget.js');
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
  /** A message with an id of its own. */
  message(fields: Partial<Message> & { chatId: string }): Message;
  /** Code and text of what a promise fails with. */
  refusal(promise: Promise<unknown>): Promise<{ code: string; message: string } | null>;
}

/** Opens a page with the history of an account. */
export async function openHistoryPage(t: TestContext, options: OpenOptions = {}): Promise<Visitor> {
  const origin = await serveModulePage(t, { title: 'History', name: 'history', styles: ['/app.css'] });
  const visitor = await visit(t, origin, null, options);
  const open = async (path: string): Promise<Page> => {
    const page = await visitor.open(path);
    await waitReady(page);
    return page;
  };
  await visitor.page.goto(origin);
  await waitReady(visitor.page);
  return { ...visitor, open };
}

export async function reload(page: Page): Promise<void> {
  await page.reload();
  await waitReady(page);
}

async function waitReady(page: Page): Promise<void> {
  await page.waitForFunction(() => Reflect.get(window, 'isReady') === true);
}
