import { ApiError, api, messageOf } from '../lib/api.js';
import { confirmDialog } from '../lib/dialog.js';
import { alertBox, handleSubmit, setBusy, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { forgetLists } from '../lib/resource.js';
import { toast } from '../lib/toast.js';
import { addressesOf, restoreReport } from './restore-report.js';

const LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * The card that puts a backup back: first a report of what would change, then the restore itself.
 * @param {() => void} onRestored
 */
export function restoreCard(onRestored) {
  const file = textField({
    label: 'Backup file',
    input: { type: 'file', accept: '.json,.db,application/json', required: true },
  });
  const passphrase = textField({
    label: 'Passphrase of the file',
    optional: true,
    hint: 'Only where the backup was made with one.',
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
      const asked = edits;
      const secret = passphrase.control.value;
      const content = await readJson(file.control.files?.[0]);
      const answer = await send(content, secret, 'dryRun=true');
      // Another file was chosen meanwhile: a report of this one would stand below the other's name.
      if (asked !== edits) return;
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
      message: `What is here now is replaced by the file, and everybody else is signed out. Make a backup of the present state first if you may want it back.${addresses}`,
      confirmLabel: 'Replace',
      danger: true,
    });
    if (!isSure || button.getAttribute('aria-busy') === 'true') return;
    setBusy(button, true);
    try {
      await send(content, secret, addresses === '' ? '' : 'acceptUnboundKeys=true');
      form.reset();
      // The button that has the focus goes away.
      file.control.focus({ preventScroll: true });
      report.replaceChildren();
      forgetLists();
      toast.ok('The backup is restored.');
      onRestored();
    } catch (error) {
      setBusy(button, false);
      alert.show(messageOf(error));
    }
  }

  return h(
    'section',
    { class: 'card stack' },
    h('h2', null, 'Restore'),
    h('p', { class: 'muted' }, 'First you see what would change; nothing does until you say so.'),
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
    throw new Error('This file is not a backup: it is not JSON.');
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
      throw new Error('This backup needs its passphrase.');
    throw error;
  }
}
