import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { type HistoryWindow, serveHistoryPage, waitReady } from './history-page.ts';
import { SKIPPED } from './start-browser.ts';
import { expectText, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };

async function importPayloads(page: Page): Promise<void> {
  const report = await page.evaluate((payloads) => {
    const { importChats } = window as unknown as HistoryWindow;
    const chats = payloads.map((payload, index) => ({
      id: `c${index}`,
      title: payload,
      system: payload,
      modelId: payload,
      updatedAt: Date.now() - index,
      messages: [
        {
          id: `m${index}`,
          role: 'user',
          text: `needle ${payload}`,
          model: payload,
          attachments: [
            {
              name: payload,
              type: 'text/html',
              size: 1,
              dataUrl: `data:text/html;base64,${btoa('<script>xss()</script>')}`,
            },
            { name: payload, type: payload, size: 1, dataUrl: payload },
          ],
          usage: { [payload]: payload },
          error: payload,
        },
      ],
    }));
    return importChats(chats, [{ id: 'p', name: payloads[0], system: payloads[0] }]);
  }, PAYLOADS);
  assert.equal(report.chats, PAYLOADS.length);
}

/** Titles stand on one line. */
const SHOWN = PAYLOADS.map((payload) => payload.replace(/\s+/g, ' ').trim());

test('titles and found texts of imported chats are text', options, async (t) => {
  const origin = await serveHistoryPage(t);
  const { page } = await visitWatched(t, origin);
  await page.goto(origin);
  await waitReady(page);
  await importPayloads(page);
  await page
    .getByRole('link')
    .nth(PAYLOADS.length - 1)
    .waitFor();
  await expectText(page, SHOWN, 'the list');
  await page.getByLabel('Search chats').fill('needle');
  await page
    .locator('.history-snippet')
    .nth(PAYLOADS.length - 1)
    .waitFor({ state: 'attached' });
  await page.getByText(`${PAYLOADS.length} chats found`).waitFor();
  await expectText(page, SHOWN, 'the search');
  for (const button of await page.getByRole('button', { name: /^More for (?!all chats)/ }).all()) {
    await button.click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Name of the chat').waitFor();
    await page.keyboard.press('Escape');
  }
  await page.getByRole('link').first().focus();
  await page.keyboard.press('Delete');
  await page.getByText(/ deleted\.$/).waitFor();
  await expectText(page, SHOWN.slice(1), 'a message with a title');
});

test('files of imported chats run nothing, also where they are opened', options, async (t) => {
  const origin = await serveHistoryPage(t);
  const { page, context } = await visitWatched(t, origin);
  await page.goto(`${origin}/?list=none`);
  await waitReady(page);
  await importPayloads(page);
  const files = await page.evaluate(async () => {
    const { store } = window as unknown as HistoryWindow;
    const [message] = await store.loadMessages('c0');
    const blobs = (message?.attachments ?? []).map(async ({ blobId, type }) => ({
      type,
      blob: await store.getFile(blobId ?? ''),
    }));
    const [first, second] = await Promise.all(blobs);
    return {
      types: [first?.type, first?.blob?.type, second?.type, second?.blob ?? null],
      url: first?.blob ? URL.createObjectURL(first.blob) : '',
    };
  });
  const bytes = 'application/octet-stream';
  assert.deepEqual(files.types, ['text/html', bytes, bytes, null]);
  const opened = await context.newPage();
  await opened.goto(files.url).catch((error: Error) => assert.match(error.message, /ERR_ABORTED|Download/));
});
