/** The three ways in which files come: chosen, pasted and dropped. */
import { h } from '../../lib/h.js';

/**
 * A hidden input that opens the dialog of the browser.
 * @param {{ label: string, onFiles: (files: File[]) => void }} options
 * @returns {{ element: HTMLInputElement, open(): void }}
 */
export function createFilePicker({ label, onFiles }) {
  const element = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': label });
  element.addEventListener('change', () => {
    const files = [...(element.files ?? [])];
    // The same file can be chosen again.
    element.value = '';
    if (files.length > 0) onFiles(files);
  });
  return { element, open: () => element.click() };
}

/**
 * Takes pasted files. Word and Excel put a picture of the text beside the text: then the text is pasted.
 * @param {HTMLElement} element
 * @param {(files: File[]) => void} onFiles
 */
export function takePastedFiles(element, onFiles) {
  element.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    const files = [...(data?.files ?? [])];
    if (!data || files.length === 0) return;
    if (data.types.includes('text/html') && data.getData('text/plain').trim() !== '') return;
    event.preventDefault();
    onFiles(files);
  });
}

/**
 * Takes files that are dropped on an element. It has the class `is-dropping` while files are above it.
 * @param {HTMLElement} element
 * @param {(files: File[]) => void} onFiles
 */
export function takeDroppedFiles(element, onFiles) {
  /** Enter and leave come for each child, so they are counted. */
  let entered = 0;
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') === true;
  const mark = (/** @type {number} */ count) => {
    entered = Math.max(0, count);
    element.classList.toggle('is-dropping', entered > 0);
  };
  element.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(entered + 1);
  });
  element.addEventListener('dragleave', (event) => hasFiles(event) && mark(entered - 1));
  element.addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  element.addEventListener('drop', (event) => {
    mark(0);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
}
