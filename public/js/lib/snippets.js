import { codeBlock } from './copy.js';
import { h } from './h.js';
import { LOOPBACK, SNIPPETS } from './snippet-texts.js';
import { createTabs } from './tabs.js';

const NOT_CHAT = /embed|whisper|transcri|tts|speech|ocr|rerank|moderation|image|dall-e|voyage/i;

/**
 * The model for the examples: the first whose name looks like a chat model, and is a name and not a pattern.
 * @param {readonly { id: string }[]} models
 * @returns {string | undefined}
 */
export function exampleModel(models) {
  const ids = models.map((model) => model.id).filter((id) => !id.includes('*'));
  return ids.find((id) => !NOT_CHAT.test(id)) ?? ids[0];
}

/**
 * Examples for common clients, in tabs. The key stands in them only when the reader asks for it.
 * @param {{ key?: string, model?: string }} [options] key: of a key that was just made
 */
export function snippets({ key, model = 'model-id' } = {}) {
  const panel = h('div');
  let shown = SNIPPETS[0];
  const withKey = h('input', { type: 'checkbox', onchange: render });
  const choice = h('label', { class: 'check small' }, withKey, 'Put the key in');
  function render() {
    const text = shown.text({ key: withKey.checked && key !== undefined ? key : null, model });
    panel.replaceChildren(codeBlock(text, 'Copy this example'));
  }
  const tabs = createTabs({
    label: 'Examples',
    tabs: SNIPPETS,
    selected: shown.id,
    panel,
    onSelect: (id) => {
      shown = SNIPPETS.find((one) => one.id === id) ?? SNIPPETS[0];
      render();
    },
  });
  return h(
    'div',
    { class: 'stack tight' },
    h('div', { class: 'row wrap between' }, tabs.element, key !== undefined && choice),
    panel,
    LOOPBACK.test(location.hostname) &&
      h(
        'p',
        { class: 'muted small' },
        'This address works on this computer only. For other computers, open this page under the name or IP address of this computer.',
      ),
  );
}
