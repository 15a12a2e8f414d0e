import { baseUrl } from './api.js';
import { codeBlock, copyButton } from './copy.js';
import { h } from './h.js';
import { createTabs } from './tabs.js';

/** In the examples, where the real key is unknown. */
const KEY_PLACEHOLDER = 'sk-your-api-key';
const LOOPBACK = /^(localhost|127\.|\[::1\])/;

/** @type {readonly { id: string, label: string, code: (key: string, model: string) => string }[]} */
const SNIPPETS = [
  {
    id: 'curl',
    label: 'curl',
    code: (key, model) => `curl ${baseUrl()}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] }).replaceAll("'", "'\\''")}'`,
  },
  {
    id: 'python',
    label: 'Python',
    code: (key, model) => `from openai import OpenAI

client = OpenAI(base_url="${baseUrl()}", api_key="${key}")
answer = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    id: 'node',
    label: 'Node',
    code: (key, model) => `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${baseUrl()}', apiKey: '${key}' });
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model)},
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    id: 'env',
    label: 'Environment',
    code: (key) => `export OPENAI_BASE_URL="${baseUrl()}"
export OPENAI_API_KEY="${key}"`,
  },
];

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
 * The card that shows how to connect a client: the base URL and examples.
 * @param {HTMLElement} examples
 */
export function connectCard(examples) {
  const address = h('code', null, baseUrl());
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Connect'),
    h(
      'p',
      { class: 'muted' },
      'Every client for the OpenAI API works. Enter this base URL and one of your keys.',
    ),
    h('div', { class: 'copy-line' }, address, copyButton(baseUrl, address, { label: 'Copy the base URL' })),
    examples,
  );
}

/**
 * Examples for common clients, in tabs.
 * @param {{ key?: string, model?: string }} [options]
 */
export function snippets({ key = KEY_PLACEHOLDER, model = 'model-id' } = {}) {
  const quoted = key.replace(/[\\"$`']/g, '\\$&');
  const panel = h('div');
  return h(
    'div',
    { class: 'stack tight' },
    createTabs({
      label: 'Examples',
      tabs: SNIPPETS,
      selected: 'curl',
      panel,
      onSelect: (id) => {
        const snippet = SNIPPETS.find((one) => one.id === id) ?? SNIPPETS[0];
        panel.replaceChildren(codeBlock(snippet.code(quoted, model), 'Copy this example'));
      },
    }).element,
    panel,
    LOOPBACK.test(location.hostname) &&
      h(
        'p',
        { class: 'muted small' },
        'This address works on this computer only. For other computers, open this page under the name or IP address of this computer.',
      ),
  );
}
