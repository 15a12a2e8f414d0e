/** What goes along with each request: system prompt, temperature, length, streaming; language and format of transcripts. */
import { checkField, selectField, textAreaField, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { TRANSCRIPT_FORMATS } from './chat-tasks.js';

/**
 * @returns {{ element: HTMLElement, showTask: (task: import('./chat-tasks.js').Task) => void,
 *   chat: () => import('./chat-request.js').ChatSettings | null, transcript: () => Record<string, string> }}
 *   `chat` answers null, with the fault shown at its field and the focus there, where a number is not one
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
   * @param {string} complaint
   * @returns {number | null | undefined} null: left empty; undefined: no good
   */
  function readNumber({ control, setError }, complaint) {
    if (control.validity.valid) return control.value === '' ? null : control.valueAsNumber;
    control.dispatchEvent(new CustomEvent('chat-show-settings', { bubbles: true }));
    setError(complaint);
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
      const heat = readNumber(temperature, 'A number from 0 to 2.');
      if (heat === undefined) return null;
      const length = readNumber(maxTokens, 'A whole number from 1.');
      if (length === undefined) return null;
      return {
        system: system.control.value,
        temperature: heat,
        maxTokens: length,
        isStreaming: stream.control.checked,
      };
    },
    transcript: () => ({ language: language.control.value.trim(), response_format: format.control.value }),
  };
}
