/** Where a message is written: text, files by button, paste and drop, Send and Stop. */
import { textAreaField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { checkAudio, createFileTray, isAudio, readImage } from './chat-files.js';

/** @typedef {import('./chat-tasks.js').Task} Task */
/** @typedef {{ text: string, images: readonly import('./chat-request.js').ChatImage[], audio: File | null }} Draft */

const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif';
const AUDIO_TYPES = 'audio/*,.flac,.m4a,.mp3,.mp4,.mpga,.ogg,.opus,.wav,.webm';
/** What the text is for, and an example of it. */
const WORDS = {
  chat: { label: 'Message', placeholder: 'Ask something …' },
  transcribe: { label: 'Hint for the transcription (optional)', placeholder: 'Names, style' },
  ocr: { label: 'Hint for the reading (optional)', placeholder: 'What to read and how' },
};
const AUDIO_MISFIT = 'Choose the task Transcribe for audio.';

/**
 * @param {{ onSend: (draft: Draft) => boolean, onStop: () => void }} options onSend: false keeps the draft
 */
export function createComposer({ onSend, onStop }) {
  /** @type {Task} */
  let task = 'chat';
  let hasVision = false;
  let isBusy = false;
  /** The latest files with all before them: what was wrong with the first bad one, or ''. @type {Promise<string> | null} */
  let reading = null;
  /** Those that a message which was sent off waits for. @type {Promise<string> | null} */
  let waitingFor = null;
  const tray = createFileTray({ onChange: update });
  const field = textAreaField({
    label: WORDS.chat.label,
    input: { rows: 1, placeholder: WORDS.chat.placeholder, enterkeyhint: 'send' },
  });
  const hint = h('p', { class: 'hint chat-hint', role: 'status' });
  const image = createPicker('image', 'Image', IMAGE_TYPES);
  const audio = createPicker('audio', 'Audio', AUDIO_TYPES);
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
   * @param {import('../lib/icons.js').IconName} sign
   * @param {string} name
   * @param {string} accept
   */
  function createPicker(sign, name, accept) {
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
      icon(sign),
      name,
    );
    return { element: h('div', null, button, input), button };
  }

  function takesImages() {
    return task === 'ocr' || (task === 'chat' && hasVision);
  }

  /** What is attached that this task cannot take, in words; empty when all is well. */
  function findMisfit() {
    if (tray.images().length > 0 && !takesImages()) {
      return task === 'transcribe'
        ? 'Only audio can be transcribed: remove the image.'
        : 'This model takes no images: remove them or choose a model marked 📷 images.';
    }
    return tray.audio() && task !== 'transcribe' ? AUDIO_MISFIT : '';
  }

  /** @param {string} message */
  function complain(message) {
    hint.textContent = message;
    hint.classList.toggle('field-error', message !== '');
  }

  function update() {
    const misfit = findMisfit();
    complain(misfit);
    if (misfit !== '') return;
    if (task === 'chat' && !hasVision) hint.textContent = 'Images: choose a model marked 📷 images.';
    else if (task === 'transcribe') hint.textContent = 'MP3, WAV, M4A, FLAC, OGG or WebM, 25 MB at most.';
    else hint.textContent = 'PNG, JPEG, WebP or GIF, 10 MB at most. Paste or drop works too.';
  }

  /** @param {readonly File[]} files */
  async function addFiles(files) {
    const own = attach(files, reading);
    reading = own;
    await own;
    if (reading === own) reading = null;
  }

  /**
   * Attaches files after those that are still being read: they keep the order in which they came.
   * @param {readonly File[]} files
   * @param {Promise<string> | null} earlier
   */
  async function attach(files, earlier) {
    let complaint = (await earlier) ?? '';
    try {
      for (const file of files) {
        if (task === 'transcribe') {
          checkAudio(file);
          tray.setAudio(file);
        } else if (isAudio(file)) {
          throw new Error(AUDIO_MISFIT);
        } else if (takesImages()) {
          tray.addImage(await readImage(file), task === 'ocr');
        } else throw new Error('This model takes no images. Choose a model marked 📷 images.');
      }
    } catch (error) {
      complaint ||= error instanceof Error ? error.message : String(error);
    }
    if (complaint !== '') complain(complaint);
    field.control.focus();
    return complaint;
  }

  /** @param {Promise<string> | null} files */
  function waitFor(files) {
    waitingFor = files;
    send.setAttribute('aria-busy', String(files !== null));
  }

  async function submit() {
    if (isBusy || waitingFor) return;
    if (reading) {
      const own = reading;
      waitFor(own);
      const complaint = await own;
      // Held back meanwhile.
      if (waitingFor !== own) return;
      waitFor(null);
      if (complaint !== '') return;
    }
    sendDraft();
  }

  function sendDraft() {
    // An answer may have begun while the files were read.
    if (isBusy) return;
    const draft = { text: field.control.value, images: tray.images(), audio: tray.audio() };
    if (task === 'transcribe' && !draft.audio) return complain('Choose an audio file first.');
    if (task === 'ocr' && draft.images.length === 0) return complain('Choose an image first.');
    if (findMisfit() !== '') return update();
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
    // While an input method composes, Enter chooses a word.
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
    /** @param {Task} nextTask @param {boolean} nextVision */
    fit(nextTask, nextVision) {
      task = nextTask;
      hasVision = nextVision;
      field.control.placeholder = WORDS[task].placeholder;
      for (const label of field.control.labels) label.textContent = WORDS[task].label;
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
    /** A message that still waits for its files is not sent by itself any more; it stays as it is. */
    hold: () => waitFor(null),
  };
}
