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
    fact('Snapshots off this machine', snapshotText(status.snapshot)),
    fact('Running for', duration(status.uptime)),
    fact('Version', status.version),
  );
}

/**
 * The state of the storage in a word: its badge.
 * @param {Status['storage']} storage
 */
function storageBadge(storage) {
  const state = String(part(storage, 'state') ?? storage);
  const known = STORAGE[state] ?? { kind: '', label: state };
  return h('span', { class: `badge ${known.kind}` }, known.label);
}

/** @param {Status['storage']} storage */
function storageText(storage) {
  const message = part(storage, 'message');
  return [
    storageBadge(storage),
    message ? h('p', { class: 'muted small wrap-anywhere' }, String(message)) : null,
  ];
}

/**
 * True where provider keys are encrypted on the disk.
 * @param {Status['encryption']} encryption
 */
export function isEncrypted(encryption) {
  if (typeof encryption === 'object' && encryption !== null)
    return part(encryption, 'enabled') === true || part(encryption, 'encrypted') === true;
  return encryption === true || encryption === 'on' || encryption === 'enabled';
}

/** @param {Status['encryption']} encryption */
function encryptionText(encryption) {
  if (isEncrypted(encryption)) return [h('span', { class: 'badge ok' }, 'Encrypted')];
  return [
    h('span', { class: 'badge warn' }, 'Not encrypted'),
    h('p', { class: 'muted small' }, 'Set ENCRYPTION_KEY to encrypt them on the disk.'),
  ];
}

/** @param {Status['snapshot']} snapshot */
function snapshotText(snapshot) {
  if (!snapshot) return h('span', { class: 'muted' }, 'Off');
  if (typeof snapshot === 'string') return snapshot;
  if (snapshot === true) return 'On';
  const last = part(snapshot, 'lastSuccessAt') ?? part(snapshot, 'lastAt');
  const message = part(snapshot, 'message') ?? part(snapshot, 'state');
  return [String(message ?? 'On'), last ? ` · last ${dateTime(String(last))}` : ''].join('');
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function part(value, name) {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * @param {string} term
 * @param {...import('../lib/h.js').Child} text
 */
function fact(term, ...text) {
  return h('div', null, h('dt', null, term), h('dd', null, ...text));
}
