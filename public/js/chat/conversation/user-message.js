/** The person's message: files and plain text. It can be edited and sent again, as another version. */
import { copyButton } from '../../lib/copy.js';
import { textAreaField } from '../../lib/form.js';
import { h } from '../../lib/h.js';
import { iconButton, versionSwitch } from './parts.js';

/**
 * @param {import('../types.js').Message} message
 * @param {{
 *   files: HTMLElement | null, versions: { at: number, count: number, onMove: (step: 1 | -1) => void },
 *   onEdit: ((text: string) => void) | null,
 * }} options onEdit: null if the message cannot be edited
 */
export function createUserMessage(message, { files, versions, onEdit }) {
  const text = h('div', { class: 'bubble', hidden: message.text === '' }, message.text);
  const edit = onEdit && iconButton('Edit message', 'edit', openEditor, 'when-idle');
  // An Enter key held down would close the form and open it again.
  edit?.addEventListener('keydown', (event) => event.repeat && event.preventDefault());
  const tools = h(
    'div',
    { class: 'msg-tools' },
    edit,
    message.text !== '' && copyButton(() => message.text, text, { label: 'Copy message' }),
    versionSwitch(versions),
  );
  const element = h('article', { class: 'said', 'aria-label': 'You' }, files, text, tools);
  /** What the editor begins with: Escape keeps what was changed, Cancel does not. */
  let draft = message.text;

  function openEditor() {
    const field = textAreaField({ label: 'Edit message', input: { rows: 3 } });
    field.control.value = draft;
    const onCancel = () => close(message.text);
    const cancel = h('button', { type: 'button', class: 'btn small', onclick: onCancel }, 'Cancel');
    const submit = h('button', { type: 'submit', class: 'btn primary small' }, 'Send again');
    const form = h(
      'form',
      { class: 'said-edit' },
      field.element,
      h('div', { class: 'row wrap' }, cancel, submit),
    );
    /** @param {string} kept */
    function close(kept) {
      draft = kept;
      form.remove();
      element.classList.remove('is-edited');
      edit?.focus();
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const isEmpty = field.control.value.trim() === '' && message.attachments.length === 0;
      if (!isEmpty) onEdit?.(field.control.value);
    });
    form.addEventListener('keydown', (event) => {
      const isOfText = event.target === field.control;
      if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        close(field.control.value);
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && isOfText) {
        event.preventDefault();
        if (event.repeat) return;
        // An unchanged text is sent by the button only, not by Enter.
        if (field.control.value === message.text) close(message.text);
        else form.requestSubmit();
      }
    });
    element.classList.add('is-edited');
    element.append(form);
    field.control.focus();
  }
  return { element, edit: () => onEdit && openEditor() };
}
