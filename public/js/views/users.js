import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { dateTime, number, plural, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { createList } from '../lib/list.js';
import { cachedList, getList, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn, titleCell } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { accessText } from './model-access.js';
import { editUser } from './user-form.js';

/** @typedef {import('../lib/types.js').User} User */

const PATH = '/api/admin/users';
const KEYS = '/api/admin/apikeys';

/**
 * The Users tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountUsers(container, context) {
  /** @type {Map<string, number>} */
  let keyCounts = countKeys(cachedList(KEYS) ?? []);
  const list = createList({
    label: 'Users',
    noun: 'user',
    signal: context.signal,
    head: context.head,
    open: { url: context.url, show: edit },
    path: PATH,
    alsoLoad: [KEYS],
    onLoad: () => {
      keyCounts = countKeys(cachedList(KEYS) ?? []);
    },
    id: (user) => user.id,
    text: (user) => `${user.username} ${user.name ?? ''}`,
    actions: [addButton('Add User', () => edit(null))],
    empty: () =>
      emptyState(
        'users',
        'No users yet',
        'Users sign in to their own page, make keys and chat, with the models that you allow. You do not need a user for yourself.',
      ),
    columns: [
      {
        label: 'User',
        class: 'main-cell',
        sort: (one) => one.username,
        cell: (one) => titleCell(one.username, one.name === one.username ? 'no full name' : one.name),
      },
      {
        label: 'Models',
        class: 'c1 w-m',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      { label: 'Keys', class: 'c1 w-s', sort: keyCount, cell: (one) => number(keyCount(one)) },
      {
        label: 'Since',
        class: 'c1 c2 w-m',
        sort: (one) => one.createdAt,
        cell: (one) =>
          h('span', { class: 'muted', title: dateTime(one.createdAt) }, relativeTime(one.createdAt)),
      },
      switchColumn({
        path: PATH,
        name: (/** @type {User} */ one) => one.username,
        onChange: (changed) => list.put(changed),
      }),
      { label: 'Actions', class: 'acts-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {User} user */
  function keyCount(user) {
    return keyCounts.get(user.id) ?? 0;
  }

  /** @param {User} user */
  function actions(user) {
    return actionsCell({ name: user.username, onEdit: () => edit(user), onDelete: () => remove(user) });
  }

  /** @param {User | null} user */
  async function edit(user) {
    const models = await getList('/api/admin/models').catch(() => []);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editUser(user, models);
    if (changed === null) return;
    list.put(changed);
    toast.ok(`${changed.username} is saved.`);
  }

  /** @param {User} user */
  async function remove(user) {
    const keys = keyCount(user);
    const isDeleted = await confirmAndDelete({
      title: `Delete ${user.username}?`,
      message: `${keys === 0 ? 'This user' : `This user and ${plural(keys, 'key')}`} will be deleted. You cannot undo this. To pause the account, switch it off instead.`,
      run: () => api.del(memberPath(PATH, user.id)),
      done: `${user.username} is deleted.`,
    });
    if (isDeleted) list.remove(user.id);
  }

  container.append(list.element);
  void list.reload();
  if (context.intent === 'add') void edit(null);
}

/** @param {import('../lib/types.js').ApiKey[]} keys */
function countKeys(keys) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { userId } of keys) if (userId !== null) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  return counts;
}
