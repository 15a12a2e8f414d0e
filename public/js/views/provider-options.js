import { checkField, selectField, textField } from '../lib/form.js';
import { h } from '../lib/h.js';

const PATH_MODES = [
  { value: '', label: 'Automatic' },
  { value: 'append-v1', label: 'Always add /v1' },
  { value: 'exact', label: 'Exactly as written' },
];
const INCLUDE_USAGE = [
  { value: '', label: 'Automatic' },
  { value: 'always', label: 'Always' },
  { value: 'never', label: 'Never' },
];
const PROTOCOL_MODES = [
  { value: '', label: 'Automatic' },
  { value: 'native', label: 'Native: pass requests on' },
  { value: 'translate', label: 'Translate to chat' },
];
const PROTOCOLS = /** @type {const} */ ([
  ['messages', 'Anthropic Messages'],
  ['responses', 'OpenAI Responses'],
]);
const TIMEOUTS = /** @type {const} */ ([
  ['connectTimeoutMs', 'Connect timeout', 'ms'],
  ['headersTimeoutMs', 'Timeout to first byte', 'ms'],
  ['idleTimeoutMs', 'Idle timeout', 'ms'],
]);

/**
 * The settings that few people need, collapsed under “Advanced”.
 * @param {import('../lib/types.js').ProviderOptions} stored
 */
export function providerOptionFields(stored) {
  const pathMode = selectField({
    label: 'Path mode',
    param: 'options.pathMode',
    choices: PATH_MODES,
    value: stored.pathMode === 'auto' ? '' : (stored.pathMode ?? ''),
  });
  const transcribe = textField({
    label: 'Transcription path (Chutes)',
    param: 'options.transcribePath',
    input: { value: stored.transcribePath ?? '', placeholder: '/transcribe', spellcheck: 'false' },
  });
  const language = checkField({
    label: 'Send the language (Chutes)',
    hint: 'Normally off, because the published Whisper chutes then translate into that language.',
    input: { checked: stored.chutesLanguageHint ?? false },
  });
  const includeUsage = selectField({
    label: 'Request token counts in streams',
    param: 'options.includeUsage',
    choices: INCLUDE_USAGE,
    value: stored.includeUsage === 'auto' ? '' : (stored.includeUsage ?? ''),
    hint: 'Even when the client does not. “Automatic” stops when the provider refuses it.',
  });
  const protocols = PROTOCOLS.map(([name, label]) => ({
    name,
    field: selectField({
      label,
      param: `options.${name}`,
      choices: PROTOCOL_MODES,
      value: stored[name] === 'auto' ? '' : (stored[name] ?? ''),
    }),
  }));
  const timeouts = TIMEOUTS.map(([name, label, unit]) => ({
    name,
    field: textField({
      label: `${label} (${unit})`,
      param: `options.${name}`,
      input: {
        type: 'number',
        min: 1,
        step: 1,
        inputmode: 'numeric',
        value: stored[name] ?? '',
        placeholder: 'Default',
      },
    }),
  }));
  const fields = [
    pathMode,
    transcribe,
    includeUsage,
    ...[...protocols, ...timeouts].map(({ field }) => field),
  ];
  const element = h(
    'details',
    null,
    h('summary', null, 'Advanced'),
    h(
      'div',
      { class: 'stack' },
      h('div', { class: 'columns' }, pathMode.element, transcribe.element),
      h('div', { class: 'columns' }, ...timeouts.map(({ field }) => field.element)),
      h('div', { class: 'columns' }, ...protocols.map(({ field }) => field.element)),
      includeUsage.element,
      language.element,
    ),
  );
  return {
    element,
    fields,
    /** All options; null stands for the default. */
    value() {
      const entries = [
        ['pathMode', pathMode.control.value],
        ['transcribePath', transcribe.control.value.trim()],
        ['includeUsage', includeUsage.control.value],
        ['chutesLanguageHint', language.control.checked],
        ...protocols.map(({ name, field }) => [name, field.control.value]),
        ...timeouts.map(({ name, field }) => [name, field.control.valueAsNumber || '']),
      ];
      return Object.fromEntries(
        entries.map(([name, value]) => [name, value === '' || value === false ? null : value]),
      );
    },
  };
}
