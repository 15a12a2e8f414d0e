// Puts the history on the window, for tests of its modules.
import { accountName } from './js/chat/history/account.js';
import { forgetChats, isForgetful, setForgetful } from './js/chat/history/forget.js';
import { createIndexedDbDriver } from './js/chat/history/indexed-db.js';
import { openHistory } from './js/chat/history/open-history.js';
import { MIGRATIONS } from './js/chat/history/schema.js';

const account = await accountName({ role: 'user', username: 'maria', id: 'u1' });
const store = await openHistory({ account });

let count = 0;
/** A message with an id of its own. */
const message = (fields) => ({
  id: `${fields.chatId}-${++count}-${Math.random().toString(36).slice(2)}`,
  parentId: null,
  role: 'user',
  text: '',
  reasoning: '',
  attachments: [],
  model: null,
  usage: null,
  costUsd: null,
  firstTokenMs: null,
  durationMs: null,
  createdAt: Date.now(),
  state: 'done',
  error: null,
  ...fields,
});
const refusal = (promise) =>
  promise.then(
    () => null,
    ({ code, message: text }) => ({ code, message: text }),
  );
Object.assign(window, {
  refusal,
  account,
  accountName,
  store,
  message,
  openHistory,
  createIndexedDbDriver,
  MIGRATIONS,
  isForgetful,
  setForgetful,
  forgetChats,
  isReady: true,
});
