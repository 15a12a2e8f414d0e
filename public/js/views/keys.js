import { api } from '../lib/api.js';
import { mayOpenDialog } from '../lib/dialog.js';
import { dateTime, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { cachedList, getList, loadList, memberPath } from '../lib/resource.js';
import { actionsCell, addButton, confirmAndDelete, switchColumn, titleCell } from '../lib/row.js';
import { exampleModel } from '../lib/snippets.js';
import { emptyState } from '../lib/states.js';
import { toast } from '../lib/toast.js';
import { showCreatedKey } from './key-created.js';
import { editKey } from './key-form.js';
import { accessText } from './model-access.js';

/** @typedef {import('../lib/types.js').ApiKey} ApiKey */
/** @typedef {import('../lib/types.js').User} User */

/** The models that requests can use now: enabled models of enabled providers. */
const CALLABLE = '/v1/models';

/**
 * @typedef {{
 *   path: string, modelsPath: string, usersPath: string | null, signal: AbortSignal, intent?: string | undefined,
 *   head?: import('../lib/page-head.js').PageHead, url?: import('../lib/url-state.js').UrlState,
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
    head: context.head,
    url: context.url,
    modelsPath: '/api/admin/models',
    usersPath: '/api/admin/users',
  });
}

/**
 * A list of API keys: all keys for the admin, their own for a user.
 * @param {HTMLElement} container
 * @param {KeysContext} context
 * @returns {Promise<void>} resolves when the keys are loaded, or an error is shown
 */
export function mountKeyList(container, context) {
  const { path, modelsPath, usersPath } = context;
  let owners = usersById(usersPath);
  /** @type {import('../lib/list.js').Column<ApiKey>} */
  const ownerColumn = {
    label: 'Owner',
    class: 'c1 w-s',
    sort: ownerName,
    cell: (one) => h('div', { class: 'truncate' }, ownerName(one) || h('span', { class: 'muted' }, '–')),
  };
  const list = createList({
    label: 'API keys',
    noun: 'key',
    signal: context.signal,
    head: context.head,
    open: context.url && { url: context.url, show: (one) => !isMaster(one) && edit(one) },
    path,
    alsoLoad: usersPath === null ? [] : [usersPath],
    onLoad: () => {
      owners = usersById(usersPath);
    },
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
      { label: 'Name', class: 'main-cell', sort: (one) => one.name, cell: (one) => keyTitle(one, owners) },
      ...(usersPath === null ? [] : [ownerColumn]),
      {
        label: 'Models',
        class: 'c1 w-m',
        sort: (one) => one.models?.length ?? Number.MAX_SAFE_INTEGER,
        cell: (one) => accessText(one.models),
      },
      {
        label: 'Last used',
        class: 'c1 c2 w-m',
        sort: (one) => one.lastUsedAt ?? '',
        cell: (one) =>
          h('span', { class: 'muted', title: dateTime(one.lastUsedAt) }, relativeTime(one.lastUsedAt)),
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
    if (key !== null) toast.ok(`${changed.name} is saved.`);
    else await showCreatedKey(changed, modelForExamples(changed.models, cachedList(CALLABLE) ?? []));
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
    if (isDeleted) list.remove(key.id);
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
      owner !== undefined && h('span', { class: 'only-narrow' }, ` · ${owner.username}`),
    ],
    isMaster(key) &&
      h(
        'span',
        {
          class: 'badge ok',
          title: 'The master key may use every model. You cannot delete it or switch it off here.',
        },
        icon('lock'),
        'protected',
      ),
    expiryBadge(key.expiresAt),
    owner?.enabled === false &&
      h(
        'span',
        { class: 'badge warn', title: 'The owner is switched off, so this key is refused' },
        'owner off',
      ),
  );
}

/** @param {string | null} expiresAt */
function expiryBadge(expiresAt) {
  if (expiresAt === null || expiresAt === undefined) return null;
  const isExpired = Date.parse(expiresAt) <= Date.now();
  return h(
    'span',
    { class: `badge ${isExpired ? 'bad' : ''}`, title: dateTime(expiresAt) },
    isExpired ? 'expired' : `expires ${relativeTime(expiresAt)}`,
  );
}

/**
 * A model that the key may use, for the examples.
 * @param {readonly string[] | null} allowed ids and patterns; null: all
 * @param {readonly { id: string }[]} models
 */
function modelForExamples(allowed, models) {
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
  const users = (usersPath !== null && cachedList(usersPath)) || [];
  return new Map(users.map((user) => [user.id, user]));
}
