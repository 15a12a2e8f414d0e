/** The settings of a request: system prompt, temperature, length and streaming; language, format and voice for sound. */
import { checkField, selectField, textAreaField, textField } from '../../lib/form.js';
import { h } from '../../lib/h.js';

/** @typedef {import('../types.js').ChatSettings} ChatSettings */

/** Formats of `POST /v1/audio/transcriptions`. */
const FORMAT_NAMES = {
  json: 'Text',
  text: 'Text, without JSON on the way',
  srt: 'Subtitles (SRT)',
  vtt: 'Subtitles (WebVTT)',
  verbose_json: 'All that is known (JSON)',
};

/**
 * @param {{ onChange: () => void, onInvalid: () => void }} options onInvalid: a field with an error must be visible
 */
export function createSettings({ onChange, onInvalid }) {
  const system = textAreaField({
    label: 'System prompt',
    optional: true,
    hint: 'How the model should answer. It is sent before every message.',
    input: { rows: 4, placeholder: 'You are a helpful assistant.' },
  });
  const temperature = textField({
    label: 'Temperature',
    hint: '0 to 2. Lower is steadier.',
    input: { type: 'number', min: 0, max: 2, step: 'any', inputmode: 'decimal', placeholder: 'Default' },
  });
  const maxTokens = textField({
    label: 'Maximum tokens',
    hint: 'The longest answer.',
    input: { type: 'number', min: 1, step: 1, inputmode: 'numeric', placeholder: 'Default' },
  });
  const stream = checkField({
    label: 'Stream the answer',
    hint: 'Show it while the model writes.',
    input: { checked: true },
  });
  const language = textField({
    label: 'Language',
    optional: true,
    hint: 'Two letters, such as en.',
    input: { maxlength: 20, autocapitalize: 'none', spellcheck: 'false' },
  });
  const format = selectField({
    label: 'Format',
    choices: Object.entries(FORMAT_NAMES).map(([value, label]) => ({ value, label })),
  });
  const voice = textField({
    label: 'Voice',
    hint: 'As the model names it, such as alloy.',
    input: { value: 'alloy', maxlength: 60, autocapitalize: 'none', spellcheck: 'false' },
  });
  const numbers = h('div', { class: 'chat-pair' }, temperature.element, maxTokens.element);
  const forChat = h('div', { class: 'stack' }, system.element, numbers, stream.element);
  const forTranscripts = h('div', { class: 'stack', hidden: true }, language.element, format.element);
  const forSpeech = h('div', { class: 'stack', hidden: true }, voice.element);
  const nothing = h('p', { class: 'muted', hidden: true }, 'This model has no settings here.');
  const element = h('div', null, forChat, forTranscripts, forSpeech, nothing);
  element.addEventListener('change', onChange);

  /**
   * @param {typeof temperature} field
   * @param {string} message
   * @returns {number | null | undefined} null: empty; undefined: invalid
   */
  function readNumber({ control, setError }, message) {
    if (control.validity.valid) return control.value === '' ? null : control.valueAsNumber;
    onInvalid();
    setError(message);
    control.focus();
    return undefined;
  }

  /** @param {HTMLInputElement} control */
  const validNumber = (control) =>
    control.validity.valid && control.value !== '' ? control.valueAsNumber : null;

  return {
    element,
    /** @param {import('../types.js').Kind} kind */
    showKind(kind) {
      forChat.hidden = kind !== 'chat';
      forTranscripts.hidden = kind !== 'transcribe';
      forSpeech.hidden = kind !== 'speech';
      nothing.hidden = kind === 'chat' || kind === 'transcribe' || kind === 'speech';
    },
    /** @returns {ChatSettings | null} null if a number is invalid; its field then says so */
    read() {
      const temperatureValue = readNumber(temperature, 'Enter a number from 0 to 2.');
      if (temperatureValue === undefined) return null;
      const maxTokensValue = readNumber(maxTokens, 'Enter a whole number, at least 1.');
      if (maxTokensValue === undefined) return null;
      return {
        system: system.control.value,
        temperature: temperatureValue,
        maxTokens: maxTokensValue,
        isStreaming: stream.control.checked,
      };
    },
    /** What is kept with a chat: the valid values. */
    kept: () => ({
      system: system.control.value,
      temperature: validNumber(temperature.control),
      maxTokens: validNumber(maxTokens.control),
    }),
    /** @param {{ system: string, temperature: number | null, maxTokens?: number | null }} values */
    fill(values) {
      system.control.value = values.system;
      temperature.control.value = values.temperature === null ? '' : String(values.temperature);
      if (values.maxTokens !== undefined)
        maxTokens.control.value = values.maxTokens === null ? '' : String(values.maxTokens);
      for (const field of [temperature, maxTokens]) field.setError(null);
    },
    /** @returns {import('../types.js').FileSettings} */
    file: () => ({
      language: language.control.value.trim(),
      format: format.control.value,
      voice: voice.control.value.trim() || 'alloy',
    }),
  };
}
