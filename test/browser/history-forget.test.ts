import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATIC_FOLDER, startApp } from '../helpers/start-app.ts';
import type { HistoryWindow } from './history-page.ts';
import { SKIPPED, signOut, visitPanel } from './start-browser.ts';

/** The modules that the page itself has loaded. */
const FOLDER = `/static/${STATIC_FOLDER.version}/js/chat/history`;

test('signing out of the panel removes the chats of people who want that, and no others', {
  skip: SKIPPED,
}, async (t) => {
  const app = await startApp(t);
  const { page } = await visitPanel(t, app.origin, 'Models');
  const databases = await page.evaluate(async (folder) => {
    const { openHistory }: HistoryWindow = await import(`${folder}/open-history.js`);
    const { setForgetful }: HistoryWindow = await import(`${folder}/forget.js`);
    const accounts = ['admin admin', 'user u1'];
    for (const account of accounts)
      await (await openHistory({ account })).createChat({ title: `Of ${account}` });
    await setForgetful('admin admin', true);
    return (await indexedDB.databases()).length;
  }, FOLDER);
  assert.equal(databases, 3);
  await signOut(page);
  await page.getByLabel('Username').waitFor();
  const left = await page.evaluate(async (folder) => {
    const { openHistory }: HistoryWindow = await import(`${folder}/open-history.js`);
    const titles = [];
    for (const account of ['admin admin', 'user u1'])
      titles.push((await (await openHistory({ account })).listChats()).map(({ title }) => title));
    return titles;
  }, FOLDER);
  assert.deepEqual(left, [[], ['Of user u1']]);
});
