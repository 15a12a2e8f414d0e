import { raw, toApiError } from '../lib/api.js';
import { alertBox, handleSubmit, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createSegmented } from '../lib/segmented.js';
import { toast } from '../lib/toast.js';

/** @type {Record<string, string>} */
const HINTS = {
  passphrase:
    'The provider keys in the file are encrypted with your passphrase. You need it to restore the file: keep it in another place.',
  server:
    'The provider keys in the file are encrypted with the ENCRYPTION_KEY of this server. Only a server with the same ENCRYPTION_KEY can restore them.',
  omit: 'The file contains no provider keys. Enter them again after a restore.',
};

/**
 * The card for downloading the whole configuration as one file.
 * @param {boolean} hasServerKey whether the server has an ENCRYPTION_KEY
 */
export function backupCard(hasServerKey) {
  const hint = h('p', { class: 'muted small' }, HINTS.passphrase);
  const passphrase = textField({
    label: 'Passphrase',
    hint: 'At least 12 characters.',
    input: { type: 'password', autocomplete: 'new-password', required: true, minlength: 12 },
  });
  const mode = createSegmented({
    hasLegend: true,
    label: 'Provider keys in the file',
    value: 'passphrase',
    choices: [
      { value: 'passphrase', label: 'With a passphrase' },
      ...(hasServerKey ? [{ value: 'server', label: 'With ENCRYPTION_KEY' }] : []),
      { value: 'omit', label: 'Left out' },
    ],
    onChange: (value) => {
      hint.textContent = HINTS[value];
      passphrase.element.hidden = value !== 'passphrase';
      passphrase.control.disabled = value !== 'passphrase';
    },
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary' }, icon('download'), 'Download backup');
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    mode.element,
    hint,
    passphrase.element,
    h('div', null, submit),
  );
  handleSubmit(form, {
    fields: [passphrase],
    submit,
    alert,
    save: async () => {
      await download(mode.value(), passphrase.control.value);
      passphrase.control.value = '';
    },
  });
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Backup'),
    h('p', { class: 'muted' }, 'Providers, models, keys and users in one file, without sessions.'),
    form,
  );
}

/**
 * @param {string} mode `passphrase`, `server` or `omit`
 * @param {string} passphrase
 */
async function download(mode, passphrase) {
  const path = mode === 'omit' ? '/api/admin/backup?secrets=omit' : '/api/admin/backup';
  const headers =
    mode === 'passphrase' ? { 'x-backup-passphrase': encodeURIComponent(passphrase) } : undefined;
  const response = await raw(path, { headers });
  if (!response.ok) throw await toApiError(response);
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const url = URL.createObjectURL(await response.blob());
  const link = h('a', { href: url, download: name ?? 'ipin-proxy-backup.json' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  toast.ok('The backup is downloaded.');
}
