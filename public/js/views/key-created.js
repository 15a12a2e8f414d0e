import { copyButton } from '../lib/copy.js';
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { snippets } from '../lib/snippets.js';

/**
 * Shows a new key, the only time that it can be shown. The key is on the page until the dialog closes.
 * @param {import('../lib/types.js').ApiKey} key as created, with the key itself
 * @param {string | undefined} model that the key may use, for the examples
 */
export async function showCreatedKey(key, model) {
  const secret = key.key ?? '';
  const code = h('code', null, secret);
  const copy = copyButton(() => secret, code, { label: 'Copy', visible: true });
  const done = h('button', { type: 'button', class: 'btn primary' }, 'Done');
  const dialog = openDialog({
    title: `${key.name} is ready`,
    size: 'wide',
    // Escape must not close the dialog: the key would be lost.
    closable: false,
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', null, 'Copy the key now. It is shown only once.'),
        h('div', { class: 'secret' }, code, copy),
        h('h3', null, 'Try it'),
        snippets({ key: secret, model }),
      ),
    ],
    footer: [done],
  });
  done.addEventListener('click', dialog.close);
  copy.focus();
  await dialog.closed;
}
