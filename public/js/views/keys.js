import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { dateTime, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { knownList, loadList, memberPath, needList } from '../lib/resource.js';
import { confirmAndDelete, enabledSwitch, rowButton, titleCell } from '../lib/row.js';
import { exampleModel } from '../lib/snippets.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { showCreatedKey } from './key-created.js';
import { editKey } from './key-form.js';
import { accessText } from './model-access.js';

/** @typedef {import('../lib/types.js').ApiKey} ApiKey */
/** @typedef {import('../lib/types.js').User} User */

/** What can be called right now: enabled models of enabled providers. */
const CALLABLE = '/v1/models';

/**
 * @typedef {{
 *   path: string, modelsPath: string, usersPath: string | null, signal: AbortSignal, intent?: string | undefined,
 * }} KeysContext
 */

/**
 * The API Keys tab of the admin.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountKeys(container, context) {
  void mountKeyList(container, {
    path: '/api/admin/apikeys',
    signal: context.signal,
    intent: context.intent,
    modelsPath: '/api/admin/models',
    usersPath: '/api/admin/users',
  });
}

/**
 * A list of API keys: the admin's of all, or a user's own.
 * @param {HTMLElement} container
 * @param {KeysContext} context
 * @returns {Promise<void>} resolves when the keys, or why there are none, can be seen
 */
export function mountKeyList(container, context) {
  const { path, modelsPath, usersPath } = context;
  let owners = usersById(usersPath);
  const addButton = h(
    'button',
    { type: 'button', class: 'btn primary', id: 'add', onclick: () => void edit(null) },
    icon('plus'),
    'Add API Key',
  );
  /** @type {import('../lib/list.js').Column<ApiKey>} */
  const ownerColumn = {
    label: 'Owner',
    class: 'wide w-s',
    sort: ownerName,
    cell: (one) => h('div', { class: 'truncate' }, ownerName(one) || h('span', { class: 'muted' }, '–')),
  };
  const list = createList({
    label: 'API keys',
    search: 'Search keys',
    signal: context.signal,
    path,
    beside: usersPath === null ? [] : [usersPath],
    onLoad: () => {
      owners = usersById(usersPath);
    },
    id: (key) => key.id,
    text: (key) => `${key.name} ${key.keyHint} ${ownerName(key)} ${key.models?.join(' ') ?? ''}`,
    actions: [addButton],
    empty: () =>
      emptyState(
        'key',
        'No API keys yet',
        'A key lets a program use your models. Give every program and every person a key of their own.',
      ),
    columns: [
      { label: 'Name', class: 'main-cell', sort: (one) => one.name, cell: (one) => keyTitle(one, owners) },
      ...(usersPath === null ? [] : [ownerColumn]),
      {
        label: 'Models',
        class: 'wide w-m',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      {
        label: 'Last used',
        class: 'wide wider w-m',
        sort: (one) => one.lastUsedAt ?? '',
        cell: (one) =>
          h('span', { class: 'muted', title: dateTime(one.lastUsedAt) }, relativeTime(one.lastUsedAt)),
      },
      { label: 'On', class: 'switch-cell', sort: (one) => Number(!one.enabled), cell: onCell },
      { label: 'Actions', class: 'actions-cell w-actions-2', cell: actions },
    ],
  });

  /** @param {ApiKey} key */
  function ownerName(key) {
    return owners.get(key.userId ?? '')?.username ?? '';
  }

  /** @param {ApiKey} key */
  function onCell(key) {
    return enabledSwitch({
      name: key.name,
      isOn: key.enabled,
      isFixed: isMaster(key),
      save: async (enabled) => {
        list.put(await api.put(memberPath(path, key.id), { enabled }));
      },
    });
  }

  /** @param {ApiKey} key */
  function actions(key) {
    if (isMaster(key)) return null;
    return h(
      'div',
      { class: 'actions' },
      rowButton('edit', `Edit ${key.name}`, () => edit(key)),
      rowButton('trash', `Delete ${key.name}`, () => remove(key), { isDangerous: true }),
    );
  }

  /** @param {ApiKey | null} key */
  async function edit(key) {
    // Read before it is needed: nothing may stand between a key that was made and its only showing.
    if (key === null) loadList(CALLABLE).catch(() => {});
    const [models, people] = await Promise.all([
      needList(modelsPath).catch(() => []),
      usersPath === null ? null : needList(usersPath).catch(() => []),
    ]);
    if (!mayOpenDialog(context.signal)) return;
    const changed = await editKey(key, { path, models, users: people });
    if (changed === null) return;
    const { key: secret, ...rest } = changed;
    list.put(rest);
    if (key !== null) toast.ok(`${changed.name} is saved.`);
    else await showCreatedKey({ ...rest, key: secret }, usable(changed.models, knownList(CALLABLE) ?? []));
  }

  /** @param {ApiKey} key */
  async function remove(key) {
    const isGone = await confirmAndDelete({
      title: `Delete ${key.name}?`,
      message:
        'Programs that use this key are refused at once. This cannot be undone; to pause a key, switch it off instead.',
      run: () => api.del(memberPath(path, key.id)),
      done: `${key.name} is deleted.`,
    });
    if (isGone) list.remove(key.id);
  }

  container.append(list.element);
  const loaded = list.reload();
  if (context.intent === 'add') void edit(null);
  return loaded;
}

/** @param {ApiKey} key */
function isMaster(key) {
  return key.id === 'master';
}

/**
 * @param {ApiKey} key
 * @param {Map<string, User>} owners
 */
function keyTitle(key, owners) {
  const owner = owners.get(key.userId ?? '');
  return titleCell(
    key.name,
    [
      h('span', { class: 'mono' }, key.keyHint),
      owner !== undefined && h('span', { class: 'narrow-only' }, ` · ${owner.username}`),
    ],
    isMaster(key) &&
      h(
        'span',
        { class: 'badge ok', title: 'May use every model; it cannot be deleted or switched off here' },
        icon('lock'),
        'protected',
      ),
    expiryBadge(key.expiresAt),
    owner?.enabled === false &&
      h('span', { class: 'badge warn', title: 'Refused until its owner is switched on' }, 'owner off'),
  );
}

/** @param {string | null} expiresAt */
function expiryBadge(expiresAt) {
  if (expiresAt === null || expiresAt === undefined) return null;
  const isOver = Date.parse(expiresAt) <= Date.now();
  return h(
    'span',
    { class: `badge ${isOver ? 'danger' : ''}`, title: dateTime(expiresAt) },
    isOver ? 'expired' : `ends ${relativeTime(expiresAt)}`,
  );
}

/**
 * A model for the examples.
 * @param {readonly string[] | null} allowed
 * @param {readonly { id: string }[]} models
 */
function usable(allowed, models) {
  const isAllowed = (/** @type {string} */ id) =>
    allowed === null ||
    allowed.some((one) => (one.endsWith('*') ? id.startsWith(one.slice(0, -1)) : one === id));
  return exampleModel(models.filter((model) => isAllowed(model.id)));
}

/**
 * @param {string | null} usersPath
 * @returns {Map<string, User>}
 */
function usersById(usersPath) {
  /** @type {User[]} */
  const users = (usersPath !== null && knownList(usersPath)) || [];
  return new Map(users.map((user) => [user.id, user]));
}
