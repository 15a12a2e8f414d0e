import { copyButton } from '../lib/copy.js';
import { confirmDialog, openDialog } from '../lib/dialog.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { budgetText } from '../lib/limits.js';
import { handOver } from '../lib/snippet-texts.js';
import { exampleModel, snippets } from '../lib/snippets.js';
import { messageCard } from './message-card.js';

const NOT_COPIED = {
  title: 'Close without the key?',
  message: 'The key is not copied yet, and it cannot be shown again. You would have to make another one.',
  confirmLabel: 'Close anyway',
  cancelLabel: 'Back to the key',
  danger: true,
};

/**
 * Shows a new key, the only time that it can be shown. The key is on the page until the dialog closes, and closing it without
 * a copy needs a second answer.
 * @param {import('../lib/types.js').ApiKey} key as created, with the key itself
 * @param {{ owner: import('../lib/types.js').User | null, models: readonly string[], isLimited: boolean }} use
 *   models: ids that the key may use now; isLimited: to some models
 */
export async function showCreatedKey(key, { owner, models, isLimited }) {
  const secret = key.key ?? '';
  let isCopied = false;
  const state = h('span', { class: 'small muted push-end', role: 'status' }, 'The key is not copied yet');
  const noteCopy = () => {
    isCopied = true;
    state.textContent = 'The key is copied';
  };
  const code = h('code', { oncopy: noteCopy }, secret);
  const copy = copyButton(() => secret, code, {
    label: 'Copy key',
    visible: true,
    class: 'btn primary',
    onCopied: noteCopy,
  });
  const done = h('button', { type: 'button', class: 'btn', onclick: () => void dialog.tryClose() }, 'Done');
  const dialog = openDialog({
    title: `${key.name} is ready`,
    size: 'wide',
    mayClose: async () => isCopied || (await confirmDialog(NOT_COPIED)),
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'muted' }, 'Copy the key now. It is shown only once and cannot be read again.'),
        h('div', { class: 'secret' }, code, copy),
        h('h3', null, 'Set it up'),
        snippets({ key: secret, model: exampleModel(models.map((id) => ({ id }))) }),
        messageCard({
          title: owner === null ? 'Hand it over' : `For ${owner.name || owner.username}`,
          text: handOver({
            key: secret,
            keyName: key.name,
            person: owner && (owner.name || owner.username),
            models: isLimited ? models : null,
            budget: budgetText(key.limits) ?? budgetText(owner?.limits),
          }),
          content: `A message with address, key and ${isLimited ? plural(models.length, 'model') : 'all models'}`,
          onCopied: noteCopy,
        }),
      ),
    ],
    footer: [state, done],
  });
  copy.focus();
  await dialog.closed;
}
