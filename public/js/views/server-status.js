import { dateTime, duration } from '../lib/format.js';
import { h } from '../lib/h.js';

/** @typedef {import('../lib/types.js').Status} Status */

/** @type {Record<string, { kind: string, label: string }>} */
const STORAGE = {
  ok: { kind: 'ok', label: 'OK' },
  recovered: { kind: 'warn', label: 'Recovered from a backup' },
  volatile: { kind: 'warn', label: 'Lost at a restart' },
  'read-only': { kind: 'bad', label: 'Read-only' },
  failing: { kind: 'bad', label: 'Failing' },
};

/**
 * The status of the server: storage, encryption, snapshots, uptime and version.
 * @param {Status} status
 */
export function serverStatus(status) {
  return h(
    'dl',
    { class: 'details' },
    row('Storage', ...storageText(status.storage)),
    row('Provider keys', ...encryptionText(status.encryption)),
    row('Off-site snapshots', ...snapshotText(status.snapshot)),
    row('Running for', duration(status.uptime)),
    row('Version', status.version),
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
    h('p', { class: 'muted small' }, 'Set ENCRYPTION_KEY to store them encrypted.'),
  ];
}

/** @param {Status['snapshot']} snapshot */
function snapshotText(snapshot) {
  if (snapshot === null)
    return [
      h('span', { class: 'muted' }, 'Off'),
      h(
        'p',
        { class: 'muted small' },
        'Set SNAPSHOT_URL and SNAPSHOT_KEY to keep a copy on another machine.',
      ),
    ];
  const { message, lastWrittenAt } = snapshot;
  const last = lastWrittenAt === null ? 'No snapshot yet.' : `Last snapshot: ${dateTime(lastWrittenAt)}.`;
  return [h('p', null, message), h('p', { class: 'muted small' }, last)];
}

/**
 * @param {string} term
 * @param {...import('../lib/h.js').Child} text
 */
function row(term, ...text) {
  return h('div', null, h('dt', null, term), h('dd', null, ...text));
}
