import { h } from './h.js';
import { icon } from './icons.js';
import { announce, toast } from './toast.js';

/**
 * Copies a text. The clipboard API exists on https and localhost only. Elsewhere the text of `source` is selected and
 * copied by the old command. If that fails too, the text stays selected for Ctrl+C.
 * @param {string} text
 * @param {HTMLElement} source the element that shows the text
 * @returns {Promise<boolean>} false: the text is selected, not copied
 */
export async function copyText(text, source) {
  if (isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Permission denied: try the old command.
    }
  }
  getSelection()?.selectAllChildren(source);
  return document.execCommand('copy');
}

/**
 * A button that copies a text.
 * @param {() => string} text
 * @param {HTMLElement} source the element that shows the text
 * @param {{ label?: string, visible?: boolean, class?: string, onCopied?: () => void }} [options] visible: the label is shown; else
 *   only screen readers get it
 */
export function copyButton(text, source, options = {}) {
  const label = options.label ?? 'Copy';
  const button = h(
    'button',
    {
      type: 'button',
      class: options.class ?? (options.visible ? 'btn' : 'btn quiet small square'),
      'aria-label': options.visible ? null : label,
      title: options.visible ? null : label,
    },
    icon('copy'),
    options.visible && label,
  );
  button.addEventListener('click', async () => {
    if (await copyText(text(), source)) {
      options.onCopied?.();
      announce('Copied.', button);
      button.firstElementChild?.replaceWith(icon('check'));
      setTimeout(() => button.firstElementChild?.replaceWith(icon('copy')), 1600);
    } else {
      toast.info('Selected. Press Ctrl+C (or ⌘C) to copy it.');
    }
  });
  return button;
}

/**
 * A block of code with a copy button.
 * @param {string} code
 * @param {string} [label] of the button, for screen readers
 */
export function codeBlock(code, label = 'Copy this code') {
  const pre = h('pre', { tabindex: 0, role: 'group', 'aria-label': 'Code' }, h('code', null, code));
  return h(
    'div',
    { class: 'code' },
    pre,
    copyButton(() => code, pre, { label }),
  );
}
