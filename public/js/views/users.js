import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { number, plural, shortAge } from '../lib/format.js';
import { h } from '../lib/h.js';
import { periodText, ratesText } from '../lib/limits.js';
import { createList } from '../lib/list.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cachedList, getList, loadQuietly, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { budgetCell, budgetOrder } from './budget.js';
import { limitsOpener, limitsTitle, withoutUse } from './limits-rows.js';
import { accessText } from './model-access.js';
import { showCreatedUser } from './user-created.js';
import { editUser } from './user-form.js';

/** @typedef {import('../lib/types.js').User} User */

const PATH = '/api/admin/users';
const KEYS = '/api/admin/apikeys';
/** Budgets move slowly, and lists may be long. */
const REFRESH_MS = 30_000;

/**
 * The Users tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountUsers(container, context) {
  let keys = keysByUser(cachedList(KEYS) ?? []);
  /** @type {import('./limits-rows.js').Opener<User>} */
  const opener = limitsOpener({
    drawer: context.drawer,
    path: PATH,
    kind: 'user',
    name: (/** @type {User} */ one) => one.username,
    subtitle: (one) => [
      `${plural(keyCount(one), 'key')} · `,
      one.models === null ? 'all models' : accessText(one.models),
    ],
    list: () => list,
    onEdit: edit,
    onDelete: remove,
  });
  /** @type {ReturnType<typeof createList<User>>} */
  const list = createList({
    label: 'Users',
    noun: 'user',
    signal: context.signal,
    head: context.head,
    open: { url: context.url, show: (one) => opener.open(one) },
    path: PATH,
    alsoLoad: [KEYS],
    onLoad: () => {
      keys = keysByUser(cachedList(KEYS) ?? []);
      queueMicrotask(opener.refresh);
    },
    toFixed: withoutUse,
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
        cell: userTitle,
      },
      {
        label: 'Budget',
        class: 'budget-cell',
        sort: budgetOrder,
        cell: budgetCell,
        isLive: true,
      },
      {
        label: 'Models',
        class: 'c1 c2 w-s',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      { label: 'Keys', class: 'c1 w-n r', sort: keyCount, cell: (one) => number(keyCount(one)) },
      {
        label: 'Rate',
        class: 'c1 c3 w-m num',
        sort: (one) => one.limits?.rpm ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => ratesText(one.limits) || h('span', { class: 'muted' }, '–'),
      },
      {
        label: 'Requests',
        class: 'c1 c3 w-n r',
        sort: (one) => one.usage?.requests ?? 0,
        cell: ({ usage }) =>
          usage ? h('span', { title: `Requests ${periodText(usage)}` }, number(usage.requests)) : '–',
        isLive: true,
      },
      {
        label: 'Last used',
        class: 'c1 c2 w-used',
        sort: lastUse,
        cell: (one) => h('span', { class: 'muted nowrap' }, lastUse(one) ? shortAge(lastUse(one)) : 'never'),
        isLive: true,
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
  function userTitle(user) {
    return limitsTitle({
      name: user.username,
      tab: 'users',
      id: user.id,
      onOpen: () => opener.open(list.items().find((one) => one.id === user.id) ?? user),
      detail: user.name === user.username ? 'no full name' : user.name,
      badges: [],
    });
  }

  /** @param {User} user */
  function keyCount(user) {
    return keys.get(user.id)?.length ?? 0;
  }

  /** When the user's keys were used last; empty: never. @param {User} user */
  function lastUse(user) {
    const times = (keys.get(user.id) ?? []).map((key) => key.lastUsedAt ?? '');
    return times.sort().at(-1) ?? '';
  }

  async function refresh() {
    keys = keysByUser((await loadQuietly(KEYS)) ?? cachedList(KEYS) ?? []);
    await list.refresh(() => loadQuietly(PATH));
    opener.refresh();
  }

  /** @param {User} user */
  function actions(user) {
    return actionsCell({ name: user.username, onEdit: () => edit(user), onDelete: () => remove(user) });
  }

  /** @param {User | null} user */
  async function edit(user) {
    const models = await getList('/api/admin/models').catch(() => []);
    if (!mayOpenDialog(context.signal)) return;
    const saved = await editUser(user, models);
    if (saved === null) return;
    list.put(saved.user);
    opener.reopen(saved.user);
    if (user !== null) toast.ok(`${saved.user.username} is saved.`);
    else if (mayOpenDialog(context.signal)) await showCreatedUser(saved.user, saved.password);
  }

  /** @param {User} user */
  async function remove(user) {
    const count = keyCount(user);
    const isDeleted = await confirmAndDelete({
      title: `Delete ${user.username}?`,
      message: `${count === 0 ? 'This user' : `This user and ${plural(count, 'key')}`} will be deleted. You cannot undo this. To pause the account, switch it off instead.`,
      run: () => api.del(memberPath(PATH, user.id)),
      done: `${user.username} is deleted.`,
    });
    if (!isDeleted) return;
    opener.closeIf(user.id);
    list.remove(user.id);
  }

  container.append(list.element);
  void list.reload();
  refreshWhileVisible(refresh, context.signal, REFRESH_MS);
  if (context.intent === 'add') void edit(null);
}

/**
 * @param {import('../lib/types.js').ApiKey[]} all
 * @returns {Map<string, import('../lib/types.js').ApiKey[]>}
 */
function keysByUser(all) {
  const byUser = new Map();
  for (const key of all) {
    if (key.userId === null) continue;
    const known = byUser.get(key.userId);
    if (known === undefined) byUser.set(key.userId, [key]);
    else known.push(key);
  }
  return byUser;
}
