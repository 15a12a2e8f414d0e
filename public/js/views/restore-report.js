import { dateTime, plural } from '../lib/format.js';
import { h } from '../lib/h.js';

const KINDS = /** @type {const} */ ([
  ['providers', 'Providers'],
  ['models', 'Models'],
  ['apiKeys', 'API keys'],
  ['users', 'Users'],
]);
const CHANGES = /** @type {const} */ ([
  ['added', 'added'],
  ['changed', 'changed'],
  ['removed', 'removed'],
]);
const MAX_NAMES = 12;

/**
 * Describes what a restore would change.
 * @param {import('../lib/types.js').RestoreReport} report
 */
export function restoreReport(report) {
  const rows = [
    ...KINDS.flatMap(([kind, noun]) =>
      CHANGES.map(([change, verb]) => names(`${noun} ${verb}`, report[kind][change])),
    ),
    names('Users who can sign in again', report.returning.users),
    names('API keys that work again', report.returning.apiKeys),
    names('Providers whose key you must enter again', report.providersWithoutKey),
    report.unboundKeys.length === 0
      ? null
      : row(
          'Check these addresses',
          `The backup was made by an earlier version, which did not bind provider keys to addresses. ${addressesOf(report)}.`,
        ),
    report.changesSettings ? row('Settings', 'replaced by the settings of the backup') : null,
    report.changesMasterKey
      ? row('Master key', 'replaced by the master key of the backup; the current one stops working')
      : null,
    report.changesAdminPassword
      ? row('Admin password', 'replaced by the password of the backup, unless UI_PASSWORD is set')
      : null,
  ].filter((one) => one !== null);
  return h(
    'div',
    { class: 'stack tight' },
    h('h3', null, 'What would change'),
    h('p', { class: 'muted small' }, `The backup was made on ${dateTime(report.createdAt)}.`),
    rows.length === 0
      ? h('p', null, 'Nothing. The backup equals the current configuration.')
      : h('dl', { class: 'details' }, ...rows),
  );
}

/**
 * Where provider keys without a bound address will be sent. Lists all of them, because the admin must check each address.
 * @param {import('../lib/types.js').RestoreReport} report
 */
export function addressesOf({ unboundKeys }) {
  return unboundKeys
    .map(({ id, origin }) => `The key of ${id} will be sent to ${origin ?? 'no address'}`)
    .join('; ');
}

/**
 * @param {string} term
 * @param {readonly { id: string, name: string }[]} records
 */
function names(term, records) {
  if (records.length === 0) return null;
  const shown = records.slice(0, MAX_NAMES).map((record) => record.name || record.id);
  const rest = records.length - shown.length;
  return row(term, `${shown.join(', ')}${rest > 0 ? ` and ${plural(rest, 'more', 'more')}` : ''}`);
}

/**
 * @param {string} term
 * @param {string} text
 */
function row(term, text) {
  return h('div', null, h('dt', null, term), h('dd', { class: 'wrap-anywhere' }, text));
}
