import { ApiError, api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { alertBox, handleSubmit, setBusy, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { clearCachedLists } from '../lib/resource.js';
import { toast } from '../lib/toast.js';
import { addressesOf, restoreReport } from './restore-report.js';

const LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * The card for restoring a backup: first a report of the changes, then the restore itself.
 * @param {() => void} onRestored
 */
export function restoreCard(onRestored) {
  const file = textField({
    label: 'Backup file',
    input: { type: 'file', accept: '.json,.db,application/json', required: true },
  });
  const passphrase = textField({
    label: 'Passphrase of the backup',
    optional: true,
    hint: 'Only needed if the backup was made with a passphrase.',
    input: { type: 'password', autocomplete: 'off' },
  });
  let edits = 0;
  const alert = alertBox();
  const report = h('div', { 'aria-live': 'polite' });
  const submit = h('button', { type: 'submit', class: 'btn' }, 'Check the file');
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    file.element,
    passphrase.element,
    h('div', null, submit),
  );
  for (const field of [file, passphrase])
    field.control.addEventListener('input', () => {
      edits++;
      report.replaceChildren();
    });

  handleSubmit(form, {
    fields: [file, passphrase],
    submit,
    alert,
    save: async () => {
      report.replaceChildren();
      const editsBefore = edits;
      const secret = passphrase.control.value;
      const content = await readJson(file.control.files?.[0]);
      const answer = await send(content, secret, 'dryRun=true');
      // Another file was chosen meanwhile, and the report must not appear below its name.
      if (editsBefore !== edits) return;
      const restore = h('button', { type: 'button', class: 'btn danger' }, icon('upload'), 'Restore now');
      restore.addEventListener('click', () => void run(restore, { content, secret, answer }));
      report.replaceChildren(h('div', { class: 'stack' }, restoreReport(answer), h('div', null, restore)));
    },
  });

  /**
   * @param {HTMLButtonElement} button
   * @param {{ content: unknown, secret: string, answer: import('../lib/types.js').RestoreReport }} checked
   */
  async function run(button, { content, secret, answer }) {
    const addresses = answer.unboundKeys.length === 0 ? '' : ` ${addressesOf(answer)}.`;
    const isSure = await confirmDialog({
      title: 'Replace the whole configuration?',
      message: `The backup replaces the current configuration, and everybody else is signed out. Download a backup of the current configuration first if you may need it again.${addresses}`,
      confirmLabel: 'Replace',
      danger: true,
    });
    if (!isSure || button.getAttribute('aria-busy') === 'true') return;
    setBusy(button, true);
    try {
      await send(content, secret, addresses === '' ? '' : 'acceptUnboundKeys=true');
      form.reset();
      // The button that has the focus is removed.
      file.control.focus({ preventScroll: true });
      report.replaceChildren();
      clearCachedLists();
      toast.ok('The backup is restored.');
      onRestored();
    } catch (error) {
      setBusy(button, false);
      alert.show(messageOf(error));
    }
  }

  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Restore'),
    h('p', { class: 'muted' }, 'You see what would change before anything is changed.'),
    form,
    report,
  );
}

/** @param {File | undefined} file */
async function readJson(file) {
  if (file === undefined) throw new Error('Choose a file first.');
  if (file.size > LIMIT_BYTES) throw new Error('This file is too large to be a backup.');
  try {
    return JSON.parse(await file.text());
  } catch {
    throw new Error('This file is not a backup. A backup is a JSON file.');
  }
}

/**
 * @param {unknown} content
 * @param {string} passphrase
 * @param {string} query
 */
async function send(content, passphrase, query) {
  const headers = passphrase ? { 'x-backup-passphrase': encodeURIComponent(passphrase) } : undefined;
  try {
    return await api.post(query === '' ? '/api/admin/restore' : `/api/admin/restore?${query}`, content, {
      headers,
    });
  } catch (error) {
    if (error instanceof ApiError && error.code === 'passphrase_required')
      throw new Error('Enter the passphrase of this backup.');
    throw error;
  }
}
