/** The settings of a request: system prompt, temperature, length and streaming; language and format for transcripts. */
import { checkField, selectField, textAreaField, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { TRANSCRIPT_FORMATS } from './chat-tasks.js';

/**
 * @returns {{ element: HTMLElement, showTask: (task: import('./chat-tasks.js').Task) => void,
 *   chat: () => import('./chat-request.js').ChatSettings | null, transcript: () => Record<string, string> }}
 *   chat: returns null if a number is invalid, and shows the error at its field
 */
export function createSettings() {
  const system = textAreaField({
    label: 'System Prompt',
    optional: true,
    input: { rows: 3, placeholder: 'You are a helpful assistant.' },
  });
  const temperature = textField({
    label: 'Temperature',
    input: { type: 'number', min: 0, max: 2, step: 'any', inputmode: 'decimal', placeholder: 'Default' },
  });
  const maxTokens = textField({
    label: 'Max Tokens',
    input: { type: 'number', min: 1, step: 1, inputmode: 'numeric', placeholder: 'Default' },
  });
  const stream = checkField({ label: 'Stream the answer', input: { checked: true } });
  const language = textField({
    label: 'Language',
    optional: true,
    hint: 'Two letters, such as en.',
    input: { maxlength: 20, autocapitalize: 'none', spellcheck: 'false' },
  });
  const format = selectField({
    label: 'Format',
    choices: TRANSCRIPT_FORMATS.map((value) => ({ value, label: value })),
  });
  const numbers = h('div', { class: 'chat-pair' }, temperature.element, maxTokens.element);
  const forChat = h('div', { class: 'stack' }, system.element, numbers, stream.element);
  const forTranscripts = h('div', { class: 'stack', hidden: true }, language.element, format.element);

  /**
   * @param {ReturnType<typeof textField>} field
   * @param {string} message
   * @returns {number | null | undefined} null: empty; undefined: invalid
   */
  function readNumber({ control, setError }, message) {
    if (control.validity.valid) return control.value === '' ? null : control.valueAsNumber;
    control.dispatchEvent(new CustomEvent('chat-show-settings', { bubbles: true }));
    setError(message);
    control.focus();
    return undefined;
  }

  return {
    element: h('div', null, forChat, forTranscripts),
    showTask(task) {
      forChat.hidden = task !== 'chat';
      forTranscripts.hidden = task !== 'transcribe';
    },
    chat() {
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
    transcript: () => ({ language: language.control.value.trim(), response_format: format.control.value }),
  };
}
