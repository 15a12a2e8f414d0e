import { messageOf } from '../../lib/api.js';
import { confirmDialog } from '../../lib/dialog.js';
import { saveBlob } from '../../lib/download.js';
import { bytes, plural } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { openMenu } from '../../lib/menu.js';
import { toast } from '../../lib/toast.js';
import { isForgetful, setForgetful } from './forget.js';

const OUTDATED = 'This page was updated in another tab. Reload it, or chats are not kept.';

/**
 * Below the list: where the chats are kept, export, import, and what concerns all chats.
 * @param {{ store: import('./open-history.js').History, account: string | null }} options account: of a person who can
 *   sign out
 */
export function createHistoryFoot({ store, account }) {
  const where = h('p', { class: 'history-where' });
  const progress = h('p', { class: 'history-where', role: 'status' });
  const file = h('input', {
    type: 'file',
    accept: '.json,application/json',
    hidden: true,
    'aria-label': 'File to import',
  });
  const exportButton = textButton('Export all', () => void work(exportButton, exportAll));
  const importButton = textButton('Import', () => file.click());
  const more = textButton('More', () => void openMore());
  more.setAttribute('aria-label', 'More for all chats');
  more.setAttribute('aria-haspopup', 'menu');
  more.setAttribute('aria-expanded', 'false');
  const element = h(
    'div',
    { class: 'history-foot' },
    where,
    progress,
    h('div', { class: 'history-acts' }, exportButton, importButton, more, file),
  );
  file.addEventListener('change', () => {
    const chosen = file.files?.[0];
    file.value = '';
    if (chosen) void work(importButton, () => importFile(chosen));
  });
  const unwatch = store.onChange(({ type }) => {
    if (type !== 'outdated') return;
    where.textContent = OUTDATED;
    where.classList.add('is-warning');
  });
  void describe();

  async function describe() {
    if (!store.isKept) {
      where.textContent = `Not kept: ${store.whyNotKept} Chats are lost when you leave this page.`;
      where.classList.add('is-warning');
      return;
    }
    where.textContent = 'Kept in this browser only.';
    const estimate = await navigator.storage?.estimate?.().catch(() => null);
    if (estimate?.usage) where.textContent = `Kept in this browser only, about ${bytes(estimate.usage)}.`;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {() => Promise<void>} run
   */
  async function work(button, run) {
    if (button.ariaDisabled === 'true') return;
    button.ariaDisabled = 'true';
    try {
      await run();
    } catch (error) {
      toast.error(messageOf(error));
    } finally {
      button.ariaDisabled = null;
      progress.textContent = '';
    }
  }

  async function exportAll() {
    const { name, blob } = await store.exportAll({ onProgress: (state) => showProgress('Exporting', state) });
    saveBlob(blob, name);
  }

  /** @param {File} chosen */
  async function importFile(chosen) {
    showProgress('Importing', { done: 0, total: 1 });
    const report = await store.importFile(chosen, {
      onProgress: (state) => showProgress('Importing', state),
    });
    const { chats, messages, presets, skipped, filesLeftOut } = report;
    const isNew = chats + messages + presets > 0;
    const added = `${plural(chats, 'chat')}, ${plural(messages, 'message')} and ${plural(presets, 'preset')} added.`;
    const notes = [
      isNew ? added : 'Everything in this file is here already.',
      skipped > 0 && `${plural(skipped, 'entry', 'entries')} left out: not valid.`,
      filesLeftOut > 0 && `${plural(filesLeftOut, 'file')} left out: no room for more files.`,
    ];
    const text = notes.filter(Boolean).join(' ');
    if (skipped + filesLeftOut > 0 || !isNew) toast.info(text);
    else toast.ok(text);
    void describe();
  }

  /** @param {string} verb @param {{ done: number, total: number }} state */
  function showProgress(verb, { done, total }) {
    progress.textContent = `${verb} … ${Math.floor((10 * done) / Math.max(1, total)) * 10} %`;
  }

  async function openMore() {
    const isOn = account !== null && (await isForgetful(account).catch(() => false));
    /** @type {import('../../lib/menu.js').MenuItem[]} */
    const items = [
      { label: 'Delete all chats', icon: 'trash', isDangerous: true, startsGroup: true, onSelect: deleteAll },
    ];
    if (account !== null && store.isKept)
      items.unshift({
        label: 'Forget on sign-out',
        icon: 'logout',
        detail: isOn ? 'On' : 'Off',
        onSelect: () => toggleForgetful(account, !isOn),
      });
    openMenu(more, items, { label: 'All chats' });
  }

  /** @param {string} name @param {boolean} isOn */
  async function toggleForgetful(name, isOn) {
    try {
      await setForgetful(name, isOn);
      toast.ok(
        isOn
          ? 'Your chats and presets are removed from this browser when you sign out.'
          : 'Your chats stay in this browser when you sign out.',
      );
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  async function deleteAll() {
    const isSure = await confirmDialog({
      title: 'Delete all chats?',
      message:
        'All chats with their files, and your presets, are removed from this browser for good. Export them first if you may need them.',
      confirmLabel: 'Delete all chats',
      danger: true,
    });
    if (isSure) await store.clear().then(describe, (error) => toast.error(messageOf(error)));
  }

  return { element, close: unwatch };
}

/**
 * @param {string} label
 * @param {() => void} onclick
 */
function textButton(label, onclick) {
  return h('button', { type: 'button', class: 'btn quiet small', onclick }, label);
}
