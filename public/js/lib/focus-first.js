/** Devices whose keyboard is not on the screen. */
const MOUSE = '(hover: hover)';

/**
 * Focuses a field of a page that has just opened, unless something has the focus; not on a phone, whose keyboard would cover half of it.
 * @param {HTMLElement} field
 */
export function focusFirst(field) {
  if (document.activeElement === document.body && matchMedia(MOUSE).matches) field.focus();
}
