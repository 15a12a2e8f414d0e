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
const MOST_NAMES = 12;

/**
 * What a restore would change, in words.
 * @param {import('../lib/types.js').RestoreReport} report
 */
export function restoreReport(report) {
  const rows = [
    ...KINDS.flatMap(([kind, noun]) =>
      CHANGES.map(([change, verb]) => names(`${noun} ${verb}`, report[kind][change])),
    ),
    names('Users who may sign in again', report.returning.users),
    names('API keys that work again', report.returning.apiKeys),
    names('Providers that need their key typed again', report.providersWithoutKey),
    report.unboundKeys.length === 0
      ? null
      : row(
          'Check these addresses',
          `The backup is of an earlier version, which did not bind provider keys to their addresses. ${addressesOf(report)}.`,
        ),
    report.changesMasterKey
      ? row('Master key', 'becomes the one of the file; the present one stops working')
      : null,
    report.changesAdminPassword
      ? row('Admin password', 'becomes the one of the file, unless UI_PASSWORD is set')
      : null,
  ].filter((one) => one !== null);
  return h(
    'div',
    { class: 'stack tight' },
    h('h3', null, 'What would change'),
    h('p', { class: 'muted small' }, `The backup was made on ${dateTime(report.createdAt)}.`),
    rows.length === 0
      ? h('p', null, 'Nothing: the file holds what is here already.')
      : h('dl', { class: 'facts' }, ...rows),
  );
}

/**
 * Where keys will be sent that are bound to no address: all of them, because one may be wrong.
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
  const shown = records.slice(0, MOST_NAMES).map((record) => record.name || record.id);
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
