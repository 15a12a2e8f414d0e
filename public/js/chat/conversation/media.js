/** The files of messages on the page: pictures, sound, and the others by name. */
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { fileFacts, filePreview } from '../files/file-tray.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Attachment} Attachment */

/**
 * @param {{ load: (attachment: Attachment) => Promise<File | null>, onRender: () => void }} options
 */
export function createMedia({ load, onRender }) {
  /** Addresses of sound that is on the page. @type {string[]} */
  let urls = [];

  /**
   * @param {Attachment} attachment
   * @param {(file: File) => Promise<HTMLElement> | HTMLElement} render
   */
  function place(attachment, render) {
    const element = h(
      'li',
      { class: 'file-chip' },
      icon('attach'),
      h('span', { class: 'truncate' }, attachment.name),
    );
    void load(attachment)
      .then(async (file) => {
        if (file === null) {
          element.append(h('span', { class: 'muted' }, 'not in this browser any more'));
          return;
        }
        const shown = await render(file);
        element.replaceChildren(shown);
        element.className = shown instanceof HTMLSpanElement ? 'file-chip' : 'media';
      })
      .catch(() => {})
      .finally(onRender);
    return element;
  }

  /** @param {File} file */
  async function facts(file) {
    if (file.type.startsWith('image/')) return filePreview(file, file.name);
    const { readAttachment } = await import('../files/attachment.js');
    return fileFacts(await readAttachment(file));
  }

  /** @param {File} file */
  function player(file) {
    const url = URL.createObjectURL(file);
    urls.push(url);
    const shown = file.type.startsWith('audio/')
      ? h('audio', { controls: true, src: url, 'aria-label': file.name })
      : h('img', { src: url, alt: file.name });
    const save = h('a', { class: 'btn small', href: url, download: file.name }, icon('download'), 'Download');
    return h('div', { class: 'made' }, shown, save);
  }

  return {
    /** The files that the person attached; null without files. @param {Message} message */
    attached: ({ attachments }) =>
      attachments.length === 0
        ? null
        : h(
            'ul',
            { class: 'said-files', 'aria-label': 'Files' },
            attachments.map((attachment) => place(attachment, facts)),
          ),
    /** What a model has made: pictures and sound, with a way to keep them. @param {Message} message */
    made: ({ attachments }) =>
      attachments.length === 0
        ? null
        : h(
            'ul',
            { class: 'made-files', 'aria-label': 'Results' },
            attachments.map((attachment) => place(attachment, player)),
          ),
    /** Frees the memory of what is no longer on the page. */
    release() {
      for (const url of urls) URL.revokeObjectURL(url);
      urls = [];
    },
  };
}
