import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { dateTime, number, shortAge } from '../lib/format.js';
import { h } from '../lib/h.js';
import { periodText } from '../lib/limits.js';
import { createList } from '../lib/list.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cachedList, getList, loadList, loadQuietly, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn } from '../lib/row.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { budgetCell, budgetOrder } from './budget.js';
import { isMaster, keyBadges } from './key-badges.js';
import { showCreatedKey } from './key-created.js';
import { editKey } from './key-form.js';
import { limitsOpener, limitsTitle, ratesCell, withoutUse } from './limits-rows.js';
import { accessText } from './model-access.js';

/** @typedef {import('../lib/types.js').ApiKey} ApiKey */
/** @typedef {import('../lib/types.js').User} User */

/** The models that requests can use now: enabled models of enabled providers. */
const CALLABLE = '/v1/models';
/** Budgets move slowly, and lists of keys may be long. */
const REFRESH_MS = 30_000;

/**
 * @typedef {{
 *   path: string, modelsPath: string, usersPath: string | null, signal: AbortSignal, intent?: string | undefined,
 *   head?: import('../lib/page-head.js').PageHead, url?: import('../lib/url-state.js').UrlState,
 *   drawer?: import('../lib/drawer.js').Drawer,
 * }} KeysContext drawer: without it keys cannot be opened, and their limits not be changed
 */

/**
 * The API Keys tab of the admin.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountKeys(container, context) {
  mountKeyList(container, {
    path: '/api/admin/apikeys',
    signal: context.signal,
    intent: context.intent,
    head: context.head,
    url: context.url,
    drawer: context.drawer,
    modelsPath: '/api/admin/models',
    usersPath: '/api/admin/users',
  });
}

/**
 * A list of API keys: all keys for the admin, their own for a user.
 * @param {HTMLElement} container
 * @param {KeysContext} context
 * @returns {{ loaded: Promise<void>, add: () => void, edit: (id: string) => void }} loaded: resolves when the keys are there, or an error is shown
 */
export function mountKeyList(container, context) {
  const { path, modelsPath, usersPath, drawer } = context;
  let owners = usersById(usersPath);
  /** @type {import('./limits-rows.js').Opener<ApiKey> | null} */
  const opener = drawer
    ? limitsOpener({
        drawer,
        path,
        kind: 'key',
        name: (/** @type {ApiKey} */ one) => one.name,
        subtitle: (one) => [
          h('span', { class: 'mono' }, one.keyHint),
          ` · ${ownerName(one) || 'no owner'} · `,
          one.models === null ? 'all models' : accessText(one.models),
        ],
        user: (one) => owners.get(one.userId ?? '') ?? null,
        list: () => list,
        onEdit: edit,
        onDelete: remove,
      })
    : null;
  /** @type {import('../lib/list.js').Column<ApiKey>} */
  const ownerColumn = {
    label: 'Owner',
    class: 'c1 c2 w-s',
    sort: ownerName,
    cell: (one) => h('div', { class: 'truncate' }, ownerName(one) || h('span', { class: 'muted' }, '–')),
  };
  /** @type {ReturnType<typeof createList<ApiKey>>} */
  const list = createList({
    label: 'API keys',
    noun: 'key',
    signal: context.signal,
    head: context.head,
    open: context.url && { url: context.url, show: (one) => !isMaster(one) && opener?.open(one) },
    path,
    alsoLoad: usersPath === null ? [] : [usersPath],
    onLoad: () => {
      owners = usersById(usersPath);
      queueMicrotask(() => opener?.refresh());
    },
    toFixed: withoutUse,
    id: (key) => key.id,
    text: (key) => `${key.name} ${key.keyHint} ${ownerName(key)} ${key.models?.join(' ') ?? ''}`,
    actions: [addButton('Add API Key', () => edit(null))],
    empty: () =>
      emptyState(
        'key',
        'No API keys yet',
        'A program needs a key to use your models. Make a separate key for each program and each person.',
      ),
    columns: [
      { label: 'Name', class: 'main-cell', sort: (one) => one.name, cell: keyTitle },
      {
        label: 'Budget',
        class: 'budget-cell',
        sort: budgetOrder,
        cell: (one) => (isMaster(one) ? h('span', { class: 'muted c1' }, '–') : budgetCell(one)),
        isLive: true,
      },
      ...(usersPath === null ? [] : [ownerColumn]),
      {
        label: 'Models',
        class: 'c1 c2 w-s',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      {
        label: 'Rate',
        class: 'c1 c3 w-m num',
        sort: (one) => one.limits?.rpm ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => ratesCell(one.limits),
      },
      {
        label: 'Requests',
        class: 'c1 c3 w-n r',
        sort: (one) => one.usage?.requests ?? 0,
        cell: requestsCell,
        isLive: true,
      },
      {
        label: 'Last used',
        class: 'c1 w-used',
        sort: (one) => one.lastUsedAt ?? '',
        cell: (one) =>
          h(
            'span',
            { class: 'muted nowrap', title: dateTime(one.lastUsedAt) },
            one.lastUsedAt ? shortAge(one.lastUsedAt) : 'never',
          ),
        isLive: true,
      },
      switchColumn({
        path,
        name: (one) => one.name,
        isFixed: isMaster,
        onChange: (changed) => list.put(changed),
      }),
      { label: 'Actions', class: 'acts-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {ApiKey} key */
  function ownerName(key) {
    return owners.get(key.userId ?? '')?.username ?? '';
  }

  /** @param {ApiKey} key */
  function keyTitle(key) {
    const owner = owners.get(key.userId ?? '');
    return limitsTitle({
      name: key.name,
      tab: 'keys',
      id: key.id,
      onOpen: opener === null || isMaster(key) ? null : () => opener.open(latest(key)),
      detail: [
        h('span', { class: 'mono' }, key.keyHint),
        owner !== undefined && h('span', { class: 'only-narrow' }, ` · ${owner.username}`),
      ],
      badges: keyBadges(key, owner),
    });
  }

  /** The row may be older than the list. @param {ApiKey} key @returns {ApiKey} */
  function latest(key) {
    return list.items().find((one) => one.id === key.id) ?? key;
  }

  /** @param {ApiKey} key */
  function actions(key) {
    if (isMaster(key)) return null;
    return actionsCell({ name: key.name, onEdit: () => edit(key), onDelete: () => remove(key) });
  }

  /** @param {ApiKey | null} key */
  async function edit(key) {
    // Loaded now, because a created key must be shown at once: it is the only time.
    if (key === null) loadList(CALLABLE).catch(() => {});
    const [models, users] = await Promise.all([
      getList(modelsPath).catch(() => []),
      usersPath === null ? null : getList(usersPath).catch(() => []),
    ]);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editKey(key, { path, models, users });
    if (changed === null) return;
    const { key: _, ...withoutSecret } = changed;
    list.put(withoutSecret);
    opener?.reopen(withoutSecret);
    if (key !== null) toast.ok(`${changed.name} is saved.`);
    else await showCreatedKey(changed, forExamples(changed));
  }

  /** Who gets the key, and the models that it may use. @param {ApiKey} key */
  function forExamples(key) {
    const owner = owners.get(key.userId ?? '') ?? null;
    const usable = (cachedList(CALLABLE) ?? [])
      .map((model) => model.id)
      .filter((id) => isAllowed(id, key.models) && isAllowed(id, owner?.models ?? null));
    return { owner, models: usable, isLimited: (key.models ?? owner?.models ?? null) !== null };
  }

  /** @param {ApiKey} key */
  async function remove(key) {
    const isDeleted = await confirmAndDelete({
      title: `Delete ${key.name}?`,
      message:
        'Programs with this key can no longer send requests. You cannot undo this. To pause the key, switch it off instead.',
      run: () => api.del(memberPath(path, key.id)),
      done: `${key.name} is deleted.`,
    });
    if (!isDeleted) return;
    opener?.closeIf(key.id);
    list.remove(key.id);
  }

  async function refresh() {
    await list.refresh(() => loadQuietly(path));
    opener?.refresh();
  }

  container.append(list.element);
  const loaded = list.reload();
  refreshWhileVisible(refresh, context.signal, REFRESH_MS);
  if (context.intent === 'add') void edit(null);
  return {
    loaded,
    add: () => void edit(null),
    edit(id) {
      const key = list.items().find((one) => one.id === id);
      if (key !== undefined) void edit(key);
    },
  };
}

/** @param {ApiKey} key */
function requestsCell({ usage }) {
  if (!usage) return h('span', { class: 'muted' }, '–');
  return h('span', { title: `Requests ${periodText(usage)}` }, number(usage.requests));
}

/**
 * @param {string | null} usersPath
 * @returns {Map<string, User>}
 */
function usersById(usersPath) {
  /** @type {User[]} */
  const users = (usersPath !== null && cachedList(usersPath)) || [];
  return new Map(users.map((user) => [user.id, user]));
}

/**
 * @param {string} id
 * @param {readonly string[] | null} allowed ids, and beginnings with `*`; null: all
 */
function isAllowed(id, allowed) {
  if (allowed === null) return true;
  return allowed.some((one) => (one.endsWith('*') ? id.startsWith(one.slice(0, -1)) : one === id));
}
