/** The form for a message: text, files (by button, paste or drop), model, Send and Stop. */
import { focusFirst } from '../../lib/focus-first.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { loadStyles } from '../../lib/styles.js';
import { createFilePicker, takePastedFiles } from '../files/file-sources.js';
import { createFileTray } from '../files/file-tray.js';
import { findMismatch, KIND_TEXTS } from './kind-texts.js';

/** @typedef {import('../types.js').Model} Model */
/** @typedef {import('../conversation/chat-writer.js').Draft} Draft */

const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif';
const AUDIO_TYPES = 'audio/*,.flac,.m4a,.mp3,.mp4,.mpga,.ogg,.opus,.wav,.webm';

/**
 * @param {{
 *   tools: import('../../lib/h.js').Child[], onSend: (draft: Draft) => boolean, onStop: () => void, onInput: (text: string) => void,
 *   onEditLast: () => void,
 * }} options
 *   tools: stand after the buttons for files; onSend: false keeps the draft; onInput: the draft has changed; onEditLast: the
 *   arrow up was pressed in an empty field
 */
export function createComposer({ tools, onSend, onStop, onInput, onEditLast }) {
  /** @type {Model | null} */
  let model = null;
  let isBusy = false;
  /** The files that the message waits for, after the person pressed Send. @type {Promise<unknown> | null} */
  let waitingFor = null;
  let hasProblem = false;
  const hint = h('p', { class: 'composer-hint', role: 'status' });
  const tray = createFileTray({
    onChange: update,
    onProblem: (text) => {
      hasProblem = true;
      showProblem(text);
    },
  });
  const label = h('label', { class: 'sr', for: 'chat-message' }, KIND_TEXTS.chat.label);
  const field = h('textarea', { id: 'chat-message', rows: 1, enterkeyhint: 'send', autocomplete: 'off' });
  const any = fileButton({ symbol: 'attach', name: 'Attach files', label: 'File', accept: '' });
  const image = fileButton({ symbol: 'camera', name: 'Image', label: 'Image file', accept: IMAGE_TYPES });
  const audio = fileButton({ symbol: 'audio', name: 'Audio', label: 'Audio file', accept: AUDIO_TYPES });
  const next = h('span', { class: 'push tiny muted num next-cost' });
  const send = h(
    'button',
    { type: 'submit', class: 'btn primary send', 'aria-label': 'Send', title: 'Send (Enter)' },
    icon('send'),
  );
  const stop = h(
    'button',
    {
      type: 'button',
      class: 'btn primary send stop-sign',
      'aria-label': 'Stop',
      title: 'Stop (Esc)',
      hidden: true,
      onclick: onStop,
    },
    icon('stop'),
  );
  const form = h(
    'form',
    { class: 'composer' },
    tray.element,
    label,
    field,
    hint,
    h(
      'div',
      { class: 'composer-row' },
      any.element,
      image.element,
      audio.element,
      ...tools,
      next,
      stop,
      send,
    ),
  );
  const element = h('div', { class: 'composer-wrap' }, form);

  /** @param {{ symbol: import('../../lib/icons.js').IconName, name: string, label: string, accept: string }} options */
  function fileButton({ symbol, name, label: inputLabel, accept }) {
    const picker = createFilePicker({ label: inputLabel, onFiles: (files) => void addFiles(files) });
    if (accept !== '') picker.element.accept = accept;
    const isIconOnly = accept === '';
    const button = h(
      'button',
      {
        type: 'button',
        class: `btn quiet small ${isIconOnly ? 'square' : ''}`,
        'aria-label': name,
        title: isIconOnly ? `${name}: text, PDF, images` : null,
        onclick: picker.open,
      },
      icon(symbol),
      !isIconOnly && h('span', { class: 'from-tablet' }, name),
    );
    return { element: h('div', null, button, picker.element), button };
  }

  /** @param {string} text '' removes it */
  function showProblem(text) {
    hint.textContent = text;
    hint.hidden = text === '';
  }

  /** The first file that does not fit the model; '' if all do. */
  function mismatch() {
    for (const { kind } of tray.list()) {
      const why = findMismatch(kind, model);
      if (why !== '') return why;
    }
    return '';
  }

  function update() {
    if (!hasProblem) showProblem(mismatch());
    onInput(field.value);
  }

  /** @param {readonly File[]} files */
  async function addFiles(files) {
    hasProblem = false;
    showProblem('');
    void loadStyles('chat-render.css');
    // One image is read, one recording is heard.
    if (model && KIND_TEXTS[model.kind].needs === 'file') tray.set([]);
    await tray.add(files);
    field.focus();
  }

  async function submit() {
    if (isBusy || waitingFor) return;
    if (tray.isReading()) {
      hasProblem = false;
      const files = tray.settled();
      waitingFor = files;
      send.setAttribute('aria-busy', 'true');
      await files;
      // `cancelSend` was called meanwhile.
      if (waitingFor !== files) return;
      cancelSend();
      if (hasProblem) return;
    }
    sendDraft();
  }

  function cancelSend() {
    waitingFor = null;
    send.setAttribute('aria-busy', 'false');
  }

  function sendDraft() {
    // Another request may have started while the files were read.
    if (isBusy) return;
    hasProblem = false;
    const draft = { text: field.value, attachments: tray.list() };
    const problem = mismatch() || findMissing(draft, model);
    if (problem !== '') return showProblem(problem);
    if (draft.text.trim() === '' && draft.attachments.length === 0) return field.focus();
    if (!onSend(draft)) return;
    field.value = '';
    tray.set([]);
    field.focus();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  field.addEventListener('input', () => {
    hasProblem = false;
    update();
  });
  field.addEventListener('keydown', (event) => {
    // In an input method editor, Enter chooses a word. A list of presets takes its own keys.
    if (event.isComposing || event.defaultPrevented) return;
    if (event.key === 'ArrowUp' && field.value === '') {
      event.preventDefault();
      onEditLast();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void submit();
    }
  });
  takePastedFiles(field, (files) => void addFiles(files));
  showProblem('');

  return {
    element,
    field,
    form,
    addFiles,
    focus: () => field.focus(),
    focusFirst: () => focusFirst(field),
    text: () => field.value,
    files: () => tray.list(),
    draft: () => ({ text: field.value, attachments: tray.list() }),
    isReading: tray.isReading,
    isEmpty: () => field.value === '' && tray.list().length === 0 && !tray.isReading(),
    /** @param {Draft} draft */
    setDraft({ text, attachments }) {
      field.value = text;
      tray.set(attachments);
    },
    /** @param {string} text */
    setText(text) {
      field.value = text;
      update();
    },
    /** Adapts the form to the model. @param {Model | null} next */
    setModel(next) {
      model = next;
      const kind = next?.kind ?? 'chat';
      field.placeholder = KIND_TEXTS[kind].placeholder;
      label.textContent = KIND_TEXTS[kind].label;
      any.element.hidden = kind !== 'chat';
      image.element.hidden = kind !== 'ocr' && !(kind === 'chat' && next?.hasVision);
      audio.element.hidden = kind !== 'transcribe';
      hasProblem = false;
      update();
    },
    /** @param {string} text in place of what the model says */
    setPlaceholder(text) {
      field.placeholder = text;
    },
    /** What sending would cost. @param {string} text */
    setNext(text) {
      next.textContent = text;
    },
    /** @param {boolean} busy */
    setBusy(busy) {
      const hadFocus = send === document.activeElement || stop === document.activeElement;
      isBusy = busy;
      send.hidden = busy;
      stop.hidden = !busy;
      if (hadFocus) field.focus();
    },
    /** If the message is waiting for its files, it will not be sent; the draft stays. */
    cancelSend,
  };
}

/**
 * What a message lacks for its model; '' if nothing.
 * @param {Draft} draft
 * @param {Model | null} model
 */
function findMissing({ text, attachments }, model) {
  const kind = model?.kind ?? 'chat';
  const { needs } = KIND_TEXTS[kind];
  if (kind === 'none') return 'This model makes no answers to read: it is for programs. Choose another one.';
  if (needs === 'file' && attachments.length === 0)
    return kind === 'ocr' ? 'Choose an image first.' : 'Choose an audio file first.';
  if (needs === 'text' && text.trim() === '') return 'Write a text first.';
  return '';
}
