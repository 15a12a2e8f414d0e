import { copyButton } from '../lib/copy.js';
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { snippets } from '../lib/snippets.js';

/**
 * Shows a new key, the one time that it can be shown; it leaves the page with the dialog.
 * @param {import('../lib/types.js').ApiKey} key as the answer to its creation
 * @param {string | undefined} model one that it may use, for the examples
 */
export async function showCreatedKey(key, model) {
  const secret = key.key ?? '';
  const code = h('code', null, secret);
  const copy = copyButton(() => secret, code, { label: 'Copy', visible: true });
  const done = h('button', { type: 'button', class: 'btn primary' }, 'Done');
  const dialog = openDialog({
    title: `${key.name} is ready`,
    size: 'wide',
    // An Escape too many must not lose it.
    closable: false,
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', null, 'Copy the key now: it is shown this once and cannot be read again.'),
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
