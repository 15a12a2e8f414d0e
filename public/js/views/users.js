import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { dateTime, number, plural, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { knownList, memberPath, needList } from '../lib/resource.js';
import { confirmAndDelete, enabledSwitch, rowButton, titleCell } from '../lib/row.js';
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
  let keyCounts = countKeys(knownList(KEYS) ?? []);
  const addButton = h(
    'button',
    { type: 'button', class: 'btn primary', id: 'add', onclick: () => void edit(null) },
    icon('plus'),
    'Add User',
  );
  const list = createList({
    label: 'Users',
    search: 'Search users',
    signal: context.signal,
    path: PATH,
    beside: [KEYS],
    onLoad: () => {
      keyCounts = countKeys(knownList(KEYS) ?? []);
    },
    id: (user) => user.id,
    text: (user) => `${user.username} ${user.name ?? ''}`,
    actions: [addButton],
    empty: () =>
      emptyState(
        'users',
        'No users yet',
        'A user signs in to a page of their own, makes keys and chats, with the models that you allow. You need none to use the proxy yourself.',
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
        class: 'wide w-m',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      { label: 'Keys', class: 'wide w-s', sort: keyCount, cell: (one) => number(keyCount(one)) },
      {
        label: 'Since',
        class: 'wide wider w-m',
        sort: (one) => one.createdAt,
        cell: (one) =>
          h('span', { class: 'muted', title: dateTime(one.createdAt) }, relativeTime(one.createdAt)),
      },
      { label: 'On', class: 'switch-cell', sort: (one) => Number(!one.enabled), cell: onCell },
      { label: 'Actions', class: 'actions-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {User} user */
  function keyCount(user) {
    return keyCounts.get(user.id) ?? 0;
  }

  /** @param {User} user */
  function onCell(user) {
    return enabledSwitch({
      name: user.username,
      isOn: user.enabled,
      save: async (enabled) => {
        list.put(await api.put(memberPath(PATH, user.id), { enabled }));
      },
    });
  }

  /** @param {User} user */
  function actions(user) {
    return h(
      'div',
      { class: 'actions' },
      rowButton('edit', `Edit ${user.username}`, () => edit(user)),
      rowButton('trash', `Delete ${user.username}`, () => remove(user), { isDangerous: true }),
    );
  }

  /** @param {User | null} user */
  async function edit(user) {
    const models = await needList('/api/admin/models').catch(() => []);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editUser(user, models);
    if (changed === null) return;
    list.put(changed);
    toast.ok(`${changed.username} is saved.`);
  }

  /** @param {User} user */
  async function remove(user) {
    const keys = keyCount(user);
    const isGone = await confirmAndDelete({
      title: `Delete ${user.username}?`,
      message: `${keys === 0 ? 'This user' : `This user and ${plural(keys, 'key')}`} will be gone for good. To pause the account, switch it off instead.`,
      run: () => api.del(memberPath(PATH, user.id)),
      done: `${user.username} is deleted.`,
    });
    if (isGone) list.remove(user.id);
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
