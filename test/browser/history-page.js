// The list of chats, and its store on the window. `?list=none` leaves the list out.
import { newMessage } from './js/chat/conversation/new-message.js';
import { accountName } from './js/chat/history/account.js';
import { forgetChats, isForgetful, setForgetful } from './js/chat/history/forget.js';
import { createHistoryList } from './js/chat/history/history-list.js';
import { createIndexedDbDriver } from './js/chat/history/indexed-db.js';
import { openHistory } from './js/chat/history/open-history.js';
import { MIGRATIONS } from './js/chat/history/schema.js';
import { h } from './js/lib/h.js';

const account = await accountName({ role: 'user', username: 'maria', id: 'u1' });
const store = await openHistory({ account });

/** A message with an id of its own. */
const message = (fields) => newMessage({ parentId: null, role: 'user', state: 'done', ...fields });
/** Writes whole chats, many at a time, as they are in exported files. */
const importChats = (chats, presets = []) => {
  const file = { format: 'ipin-chat-history', version: 1, chats, presets };
  return store.importFile(new Blob([JSON.stringify(file)]));
};
const refusal = (promise) =>
  promise.then(
    () => null,
    ({ code, message: text }) => ({ code, message: text }),
  );

/** The functions of tests are compiled with calls to it. */
window.__name = (named) => named;
const seen = [];
if (!location.search.includes('list=none')) {
  const list = createHistoryList({
    store,
    account,
    hrefOf: ({ id }) => `/#${id}`,
    newChatKeys: 'Ctrl Shift O',
    onNew: () => seen.push('new'),
    onOpen: ({ id }) => {
      seen.push(`open ${id}`);
      list.setCurrent(id);
    },
    onGone: (id) => seen.push(`gone ${id}`),
  });
  document.querySelector('main').append(h('div', { class: 'history-host' }, list.element));
  Object.assign(window, { list });
}
document.body.append(h('button', { type: 'button', class: 'btn' }, 'After'));
Object.assign(window, {
  account,
  accountName,
  createIndexedDbDriver,
  forgetChats,
  importChats,
  isForgetful,
  message,
  MIGRATIONS,
  openHistory,
  refusal,
  seen,
  setForgetful,
  store,
  isReady: true,
});
