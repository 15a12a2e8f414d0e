import { dateTime, duration } from '../lib/format.js';
import { h } from '../lib/h.js';

/** @typedef {import('../lib/types.js').Status} Status */

/** @type {Record<string, { kind: string, label: string }>} */
const STORAGE = {
  ok: { kind: 'ok', label: 'OK' },
  recovered: { kind: 'warn', label: 'Recovered from a backup' },
  volatile: { kind: 'warn', label: 'Volatile' },
  'read-only': { kind: 'danger', label: 'Read-only' },
  failing: { kind: 'danger', label: 'Failing' },
};

/**
 * What the server says about itself, as a list of terms.
 * @param {Status} status
 */
export function serverFacts(status) {
  return h(
    'dl',
    { class: 'facts' },
    fact('Storage', ...storageText(status.storage)),
    fact('Provider keys', ...encryptionText(status.encryption)),
    fact('Snapshots off this machine', ...snapshotText(status.snapshot)),
    fact('Running for', duration(status.uptime)),
    fact('Version', status.version),
  );
}

/** @param {Status['storage']} storage */
function storageText({ state, message }) {
  const known = STORAGE[state] ?? { kind: '', label: state };
  return [
    h('span', { class: `badge ${known.kind}` }, known.label),
    h('p', { class: 'muted small wrap-anywhere' }, message),
  ];
}

/** @param {Status['encryption']} encryption */
function encryptionText(encryption) {
  if (encryption.enabled) return [h('span', { class: 'badge ok' }, 'Encrypted')];
  return [
    h('span', { class: 'badge warn' }, 'Not encrypted'),
    h('p', { class: 'muted small' }, 'Set ENCRYPTION_KEY to encrypt them on the disk.'),
  ];
}

/** @param {Status['snapshot']} snapshot */
function snapshotText(snapshot) {
  if (snapshot === null) return [h('span', { class: 'muted' }, 'Off')];
  const { message, lastWrittenAt } = snapshot;
  const last = lastWrittenAt === null ? 'None is there yet.' : `The last is of ${dateTime(lastWrittenAt)}.`;
  return [h('p', null, message), h('p', { class: 'muted small' }, last)];
}

/**
 * @param {string} term
 * @param {...import('../lib/h.js').Child} text
 */
function fact(term, ...text) {
  return h('div', null, h('dt', null, term), h('dd', null, ...text));
}
