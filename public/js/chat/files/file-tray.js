/** The list of files for the next message. */
import { bytes, compact, number } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { MAX_FILES, MAX_TOTAL_BYTES } from './file-kinds.js';

/** @typedef {import('./attachment.js').Attachment} Attachment */

/**
 * Files are read one after the other, so that they keep their order.
 * @param {{ onChange: () => void, onProblem: (text: string) => void }} options
 *   onChange: the list has changed, or reading began or ended; onProblem: a file was not attached, with the reason for
 *   people
 */
export function createFileTray({ onChange, onProblem }) {
  /** @type {Attachment[]} */
  let attachments = [];
  /** The files that are being read, and those that wait for them. */
  let reading = Promise.resolve();
  let unread = 0;
  /** Raised by `set`: files that were added before are not attached any more. */
  let edition = 0;
  const element = h('ul', { class: 'file-tray', 'aria-label': 'Attached files' });

  function render() {
    element.replaceChildren(...attachments.map((attachment) => renderItem(attachment)));
    onChange();
  }

  /** @param {Attachment} attachment */
  function renderItem(attachment) {
    const { name } = attachment;
    const remove = h(
      'button',
      { type: 'button', class: 'btn quiet small square', 'aria-label': `Remove ${name}`, title: 'Remove' },
      icon('close'),
    );
    remove.addEventListener('click', () => {
      const at = attachments.indexOf(attachment);
      attachments = attachments.filter((other) => other !== attachment);
      render();
      const buttons = element.querySelectorAll('button');
      buttons[Math.min(at, buttons.length - 1)]?.focus();
    });
    return h('li', { class: 'file-chip' }, fileFacts(attachment), remove);
  }

  /**
   * @param {File} file
   * @param {number} expected edition
   */
  async function attach(file, expected) {
    try {
      if (attachments.length >= MAX_FILES)
        throw new Error(`A message takes ${MAX_FILES} files at most. Remove one first.`);
      const { readAttachment } = await import('./attachment.js');
      const attachment = await readAttachment(file);
      if (expected !== edition) return;
      const total = attachments.reduce((sum, other) => sum + other.file.size, attachment.file.size);
      if (total > MAX_TOTAL_BYTES)
        throw new Error(`The files are too large together: the limit is ${bytes(MAX_TOTAL_BYTES)}.`);
      attachments = [...attachments, attachment];
      render();
    } catch (error) {
      if (expected === edition) onProblem(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    element,
    list: () => attachments,
    isReading: () => unread > 0,
    /** Resolves when the files added so far are attached or refused. */
    settled: () => reading,
    /** @param {Iterable<File>} files @returns {Promise<void>} resolves as `settled` does */
    add(files) {
      const added = [...files];
      const expected = edition;
      unread += 1;
      reading = reading.then(async () => {
        for (const file of added) if (expected === edition) await attach(file, expected);
        unread -= 1;
        onChange();
      });
      onChange();
      return reading;
    },
    /** Replaces the list, with none to empty it. @param {readonly Attachment[]} next */
    set(next) {
      edition += 1;
      attachments = [...next];
      render();
    },
  };
}

/**
 * The preview or icon of a file, its name and its size, for the tray and for messages.
 * @param {Attachment} attachment
 * @returns {HTMLElement}
 */
export function fileFacts(attachment) {
  const { name, kind } = attachment;
  return h(
    'span',
    { class: 'file-facts', title: name },
    kind === 'image' ? filePreview(attachment.file, name) : icon(kind === 'audio' ? 'audio' : 'attach'),
    h('span', { class: 'truncate' }, name),
    h('span', { class: 'muted num' }, describeSize(attachment)),
  );
}

/** @param {Attachment} attachment */
function describeSize(attachment) {
  if (attachment.kind === 'text') return `≈ ${compact(attachment.tokens)} tokens`;
  const size = bytes(attachment.file.size);
  if (attachment.kind !== 'image') return size;
  return `${number(attachment.width)} × ${number(attachment.height)} · ${size}`;
}

/**
 * An image of a file. The address is given back once the image is loaded.
 * @param {Blob} file
 * @param {string} alt
 * @returns {HTMLImageElement}
 */
export function filePreview(file, alt) {
  const url = URL.createObjectURL(file);
  const image = h('img', { src: url, alt });
  const release = () => URL.revokeObjectURL(url);
  image.addEventListener('load', release);
  image.addEventListener('error', release);
  return image;
}
