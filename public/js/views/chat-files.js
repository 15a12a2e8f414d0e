/** The files of a message: checked before the message is sent, shown, and removable. */
import { bytes } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/** @typedef {import('./chat-request.js').ChatImage} ChatImage */

const MAX_IMAGE_BYTES = 10 * 1024 * 1024;
const MAX_AUDIO_BYTES = 25 * 1024 * 1024;
/** Three of the largest images, encoded as base64, fit into the default MAX_BODY_MB of 50. */
const MAX_TOTAL_IMAGE_BYTES = 30 * 1024 * 1024;
const AUDIO_NAME = /\.(flac|mp3|mp4|mpeg|mpga|m4a|oga|ogg|opus|wav|webm)$/i;

/** The first bytes of image files, in hexadecimal (PNG, section 5.2; JPEG SOI and marker; GIF89a; WebP container, RIFF header). */
const SIGNATURES = /** @type {const} */ ([
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
]);

/**
 * Reads an image after checking its size and first bytes.
 * @param {File} file
 * @returns {Promise<ChatImage>}
 * @throws {Error} with a message for the person
 */
export async function readImage(file) {
  if (file.size > MAX_IMAGE_BYTES) {
    const size = (Math.ceil((file.size / 1048576) * 10) / 10).toFixed(1);
    throw new Error(`“${file.name}” is too large: it has ${size} MB, the limit is 10 MB.`);
  }
  const start = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const head = Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const type = SIGNATURES.find(([, signature]) => signature.test(head))?.[0];
  if (!type) throw new Error(`“${file.name}” is not a PNG, JPEG, WebP or GIF image.`);
  const typed = new File([file], file.name, { type });
  return { name: file.name, type, dataUrl: await toDataUrl(typed), file: typed };
}

/** @param {File} file */
export function isAudio({ name, type }) {
  return type.startsWith('audio/') || type.startsWith('video/') || AUDIO_NAME.test(name);
}

/**
 * @param {File} file
 * @throws {Error} with a message for the person
 */
export function checkAudio(file) {
  if (!isAudio(file)) throw new Error(`“${file.name}” is not an audio file.`);
  if (file.size > MAX_AUDIO_BYTES) throw new Error(`“${file.name}” is too large: the limit is 25 MB.`);
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function toDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('The file could not be read.'));
    reader.readAsDataURL(blob);
  });
}

/**
 * The list of files for the next message.
 * @param {{ onChange: () => void }} options
 */
export function createFileTray({ onChange }) {
  /** @type {ChatImage[]} */
  let images = [];
  /** @type {File | null} */
  let audio = null;
  const element = h('ul', { class: 'chat-tray', 'aria-label': 'Attached files' });

  function render() {
    const items = images.map((image) =>
      renderItem(image.name, h('img', { src: image.dataUrl, alt: image.name }), () => {
        images = images.filter((other) => other !== image);
      }),
    );
    const { name, size } = audio ?? { name: '', size: 0 };
    const text = h('span', null, name, h('small', null, bytes(size)));
    const audioPreview = h('span', { class: 'chat-audio row' }, icon('audio'), text);
    if (audio) items.push(renderItem(name, audioPreview, () => (audio = null)));
    element.replaceChildren(...items);
    onChange();
  }

  /**
   * @param {string} name
   * @param {HTMLElement} preview
   * @param {() => void} remove
   */
  function renderItem(name, preview, remove) {
    const button = h(
      'button',
      { type: 'button', class: 'btn small square', 'aria-label': `Remove ${name}`, title: 'Remove' },
      icon('close'),
    );
    button.addEventListener('click', () => {
      remove();
      render();
    });
    return h('li', { title: name }, preview, button);
  }

  return {
    element,
    images: () => images,
    audio: () => audio,
    /** @param {ChatImage} image @param {boolean} isOnly replace the other images */
    addImage(image, isOnly) {
      const next = isOnly ? [image] : [...images, image];
      const total = next.reduce((sum, { file }) => sum + file.size, 0);
      if (total > MAX_TOTAL_IMAGE_BYTES)
        throw new Error('The images are too large: the limit for all of them is 30 MB.');
      images = next;
      render();
    },
    /** @param {File} file */
    setAudio(file) {
      audio = file;
      render();
    },
    clear() {
      images = [];
      audio = null;
      render();
    },
  };
}
