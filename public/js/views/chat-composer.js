/** The form for a message: text, files (by button, paste or drop), Send and Stop. */
import { textAreaField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { checkAudio, createFileTray, isAudio, readImage } from './chat-files.js';

/** @typedef {import('./chat-tasks.js').Task} Task */
/** @typedef {{ text: string, images: readonly import('./chat-request.js').ChatImage[], audio: File | null }} Draft */

const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif';
const AUDIO_TYPES = 'audio/*,.flac,.m4a,.mp3,.mp4,.mpga,.ogg,.opus,.wav,.webm';
/** Label and placeholder of the text field, by task. */
const TEXTS = {
  chat: { label: 'Message', placeholder: 'Ask something …' },
  transcribe: { label: 'Hint for the transcription (optional)', placeholder: 'Names, style' },
  ocr: { label: 'Instructions for OCR (optional)', placeholder: 'What to read and how' },
};
const AUDIO_NEEDS_TASK = 'For audio, choose the task Transcribe.';

/**
 * @param {{ onSend: (draft: Draft) => boolean, onStop: () => void }} options onSend: false keeps the draft
 */
export function createComposer({ onSend, onStop }) {
  /** @type {Task} */
  let task = 'chat';
  let hasVision = false;
  let isBusy = false;
  /** The files that are being read; resolves to the first problem, or ''. @type {Promise<string> | null} */
  let reading = null;
  /** The files that the message waits for, after the person pressed Send. @type {Promise<string> | null} */
  let waitingFor = null;
  const tray = createFileTray({ onChange: update });
  const field = textAreaField({
    label: TEXTS.chat.label,
    input: { rows: 1, placeholder: TEXTS.chat.placeholder, enterkeyhint: 'send' },
  });
  const hint = h('p', { class: 'hint chat-hint', role: 'status' });
  const image = createFileButton('image', 'Image', IMAGE_TYPES);
  const audio = createFileButton('audio', 'Audio', AUDIO_TYPES);
  const send = h('button', { type: 'submit', class: 'btn primary' }, icon('send'), 'Send');
  const stop = h(
    'button',
    { type: 'button', class: 'btn', hidden: true, onclick: onStop },
    icon('stop'),
    'Stop',
  );
  const element = h(
    'form',
    { class: 'chat-composer' },
    tray.element,
    field.element,
    h('div', { class: 'chat-buttons' }, image.element, audio.element, hint, stop, send),
  );

  /**
   * @param {import('../lib/icons.js').IconName} symbol
   * @param {string} name
   * @param {string} accept
   */
  function createFileButton(symbol, name, accept) {
    const input = h('input', {
      type: 'file',
      accept,
      multiple: name === 'Image',
      hidden: true,
      'aria-label': `${name} file`,
    });
    input.addEventListener('change', () => {
      void addFiles([...(input.files ?? [])]);
      input.value = '';
    });
    const button = h(
      'button',
      { type: 'button', class: 'btn', onclick: () => input.click() },
      icon(symbol),
      name,
    );
    return { element: h('div', null, button, input), button };
  }

  function takesImages() {
    return task === 'ocr' || (task === 'chat' && hasVision);
  }

  /** Why the attached files do not fit the task; '' if they do. */
  function findMismatch() {
    if (tray.images().length > 0 && !takesImages()) {
      return task === 'transcribe'
        ? 'Only audio can be transcribed. Remove the image.'
        : 'This model takes no images. Remove them, or choose a model marked 📷 images.';
    }
    return tray.audio() && task !== 'transcribe' ? AUDIO_NEEDS_TASK : '';
  }

  /** @param {string} message '' removes the error */
  function showError(message) {
    hint.textContent = message;
    hint.classList.toggle('field-error', message !== '');
  }

  function update() {
    const mismatch = findMismatch();
    showError(mismatch);
    if (mismatch !== '') return;
    if (task === 'chat' && !hasVision) hint.textContent = 'For images, choose a model marked 📷 images.';
    else if (task === 'transcribe') hint.textContent = 'MP3, WAV, M4A, FLAC, OGG or WebM, at most 25 MB.';
    else hint.textContent = 'PNG, JPEG, WebP or GIF, at most 10 MB. You can also paste or drop images.';
  }

  /** @param {readonly File[]} files */
  async function addFiles(files) {
    const attaching = attach(files, reading);
    reading = attaching;
    await attaching;
    if (reading === attaching) reading = null;
  }

  /**
   * Attaches files after the earlier ones have been read, so that they keep their order.
   * @param {readonly File[]} files
   * @param {Promise<string> | null} earlier
   * @returns {Promise<string>} the first problem, also of the earlier files; '' without one
   */
  async function attach(files, earlier) {
    let problem = (await earlier) ?? '';
    try {
      for (const file of files) {
        if (task === 'transcribe') {
          checkAudio(file);
          tray.setAudio(file);
        } else if (isAudio(file)) {
          throw new Error(AUDIO_NEEDS_TASK);
        } else if (takesImages()) {
          tray.addImage(await readImage(file), task === 'ocr');
        } else throw new Error('This model takes no images. Choose a model marked 📷 images.');
      }
    } catch (error) {
      problem ||= error instanceof Error ? error.message : String(error);
    }
    if (problem !== '') showError(problem);
    field.control.focus();
    return problem;
  }

  /** @param {Promise<string> | null} files */
  function waitFor(files) {
    waitingFor = files;
    send.setAttribute('aria-busy', String(files !== null));
  }

  async function submit() {
    if (isBusy || waitingFor) return;
    if (reading) {
      const files = reading;
      waitFor(files);
      const problem = await files;
      // `cancelSend` was called meanwhile.
      if (waitingFor !== files) return;
      waitFor(null);
      if (problem !== '') return;
    }
    sendDraft();
  }

  function sendDraft() {
    // Another request may have started while the files were read.
    if (isBusy) return;
    const draft = { text: field.control.value, images: tray.images(), audio: tray.audio() };
    if (task === 'transcribe' && !draft.audio) return showError('Choose an audio file first.');
    if (task === 'ocr' && draft.images.length === 0) return showError('Choose an image first.');
    if (findMismatch() !== '') return update();
    if (draft.text.trim() === '' && draft.images.length === 0 && !draft.audio) return field.control.focus();
    if (!onSend(draft)) return;
    field.control.value = '';
    tray.clear();
    field.control.focus();
  }

  element.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  field.control.addEventListener('keydown', (event) => {
    // In an input method editor, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void submit();
  });
  field.control.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void addFiles(files);
  });

  return {
    element,
    addFiles,
    focus: () => field.control.focus(),
    /** Adapts the form to the task and the model. @param {Task} nextTask @param {boolean} nextHasVision */
    setTask(nextTask, nextHasVision) {
      task = nextTask;
      hasVision = nextHasVision;
      field.control.placeholder = TEXTS[task].placeholder;
      for (const label of field.control.labels) label.textContent = TEXTS[task].label;
      image.element.hidden = task === 'transcribe';
      audio.element.hidden = task !== 'transcribe';
      image.button.disabled = !takesImages();
      update();
    },
    /** @param {boolean} busy */
    setBusy(busy) {
      const hadFocus = send === document.activeElement || stop === document.activeElement;
      isBusy = busy;
      send.hidden = busy;
      stop.hidden = !busy;
      if (hadFocus) field.control.focus();
    },
    /** If the message is waiting for its files, it will not be sent; the draft stays. */
    cancelSend: () => waitFor(null),
  };
}
