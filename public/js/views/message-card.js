import { copyButton } from '../lib/copy.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/**
 * A message that is ready to be handed over.
 * @param {{ title: string, content: string, text: string, isOpen?: boolean, onCopied?: () => void }} options content: what the
 *   message tells; isOpen: its text is shown from the start
 */
export function messageCard({ title, content, text, isOpen = false, onCopied }) {
  const message = h('pre', { class: 'wrap', tabindex: 0, role: 'group', 'aria-label': 'Message' }, text);
  // The old command copies only what is on the page.
  const details = h(
    'details',
    { class: 'small', open: isOpen },
    h('summary', null, 'Read the message'),
    h('div', { class: 'code' }, message),
  );
  const copy = copyButton(() => text, message, { label: 'Copy message', visible: true, onCopied });
  copy.addEventListener('click', () => (details.open ||= !isSecureContext), { capture: true });
  return h(
    'div',
    { class: 'hand stack tight' },
    h(
      'div',
      { class: 'row between' },
      h(
        'div',
        { class: 'row' },
        icon('send'),
        h('div', null, h('p', { class: 'medium' }, title), h('p', { class: 'small muted' }, content)),
      ),
      copy,
    ),
    details,
  );
}
