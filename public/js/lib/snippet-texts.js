/** The examples for clients of this server, as text. */
import { baseUrl, pageUrl } from './api.js';

/** Stands for the key in the examples until the reader asks for it. */
const VARIABLE = 'IPIN_KEY';
export const LOOPBACK = /^(localhost|127\.|\[::1\])/;

/**
 * @typedef {{
 *   id: string, label: string, text: (options: { key: string | null, model: string }) => string,
 * }} Snippet key: null: it is read from the environment
 */

/** Each kind of work in Claude Code asks for a model of its own. */
const CLAUDE_MODELS = [
  'ANTHROPIC_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'CLAUDE_CODE_SUBAGENT_MODEL',
];

/** @type {readonly Snippet[]} */
export const SNIPPETS = [
  {
    id: 'curl',
    label: 'curl',
    text: ({ key, model }) => `curl ${baseUrl()}/chat/completions \\
  -H "Authorization: Bearer ${inShell(key)}" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] }).replaceAll("'", "'\\''")}'`,
  },
  {
    id: 'python',
    label: 'Python',
    text: ({ key, model }) => `${key === null ? 'import os\n' : ''}from openai import OpenAI

client = OpenAI(
    base_url="${baseUrl()}",
    api_key=${inPython(key)},
)
answer = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    id: 'node',
    label: 'Node',
    text: ({ key, model }) => `import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: '${baseUrl()}',
  apiKey: ${inNode(key)},
});
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model)},
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    id: 'claude-code',
    label: 'Claude Code',
    // Claude Code adds /v1 itself.
    text: ({ key, model }) => `export ANTHROPIC_BASE_URL="${baseUrl().replace(/\/v1$/, '')}"
export ANTHROPIC_AUTH_TOKEN="${inShell(key)}"
${CLAUDE_MODELS.map((name) => `export ${name}=${shellWord(model)}`).join('\n')}
claude`,
  },
  {
    id: 'codex',
    label: 'Codex',
    text: ({
      key,
      model,
    }) => `${key === null ? '' : `# in the shell: export ${VARIABLE}="${inShell(key)}"\n`}# ~/.codex/config.toml
model = ${JSON.stringify(model)}
model_provider = "ipin"

[model_providers.ipin]
name = "iPin Proxy"
base_url = "${baseUrl()}"
env_key = "${VARIABLE}"
wire_api = "responses"`,
  },
  {
    id: 'cursor',
    label: 'Cursor',
    text: ({ key, model }) => `Cursor Settings > Models > API Keys
  OpenAI API Key:            ${key ?? 'your key'}
  Override OpenAI Base URL:  ${baseUrl()}
  Add Custom Model:          ${model}${isLocal() ? "\n\nCursor's servers must reach this address: use one that is open to the internet." : ''}`,
  },
  {
    id: 'open-webui',
    label: 'Open WebUI',
    text: ({ key }) => `docker run -d --name open-webui -p 8080:8080 \\
${isLocal() ? '  --add-host=host.docker.internal:host-gateway \\\n' : ''}  -e OPENAI_API_BASE_URL="${fromContainer()}" \\
  -e OPENAI_API_KEY="${inShell(key)}" \\
  ghcr.io/open-webui/open-webui:main`,
  },
  {
    id: 'librechat',
    label: 'LibreChat',
    text: ({ key, model }) => `# .env
${VARIABLE}=${key ?? 'your key'}

# librechat.yaml
version: 1.3.17
endpoints:
  custom:
    - name: "iPin Proxy"
      apiKey: "\${${VARIABLE}}"
      baseURL: "${fromContainer()}"
      models:
        default: [${JSON.stringify(model)}]
        fetch: true`,
  },
  {
    id: 'ai-sdk',
    label: 'AI SDK',
    text: ({ key, model }) => `import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText } from 'ai';

const ipin = createOpenAICompatible({
  name: 'ipin',
  baseURL: '${baseUrl()}',
  apiKey: ${inNode(key)},
});
const { text } = await generateText({ model: ipin(${JSON.stringify(model)}), prompt: 'Hello!' });
console.log(text);`,
  },
  {
    id: 'langchain',
    label: 'LangChain',
    text: ({ key, model }) => `${key === null ? 'import os\n' : ''}from langchain_openai import ChatOpenAI

llm = ChatOpenAI(
    model=${JSON.stringify(model)},
    base_url="${baseUrl()}",
    api_key=${inPython(key)},
)
print(llm.invoke("Hello!").content)`,
  },
];

/**
 * A message for the person who gets a key.
 * @param {{ key: string, keyName: string, person: string | null, models: readonly string[] | null, budget: string | null }} options
 *   models: ids; null: all; budget: in words
 */
export function handOver({ key, keyName, person, models, budget }) {
  const shown = (models ?? []).slice(0, 20);
  const rest = (models ?? []).length - shown.length;
  const list = models === null ? `all, listed at ${baseUrl()}/models` : shown.join(', ');
  return [
    `Hello${person === null ? '' : ` ${person}`},`,
    '',
    `here is your API key “${keyName}”. It works with every client for the OpenAI API, and with Claude Code.`,
    '',
    `Base URL: ${baseUrl()}`,
    `API key: ${key}`,
    `Models: ${list}${rest > 0 ? ` and ${rest} more` : ''}`,
    ...(budget === null ? [] : [`Budget: ${budget}`]),
    '',
    'Keep the key to yourself: who has it can use it in your name.',
  ].join('\n');
}

/**
 * A message for a user who was just added.
 * @param {{ username: string, person: string, password: string }} options
 */
export function welcomeMessage({ username, person, password }) {
  return [
    `Hello ${person},`,
    '',
    'here is your access to our AI models. On your page you can make API keys, see what you have used, and chat.',
    '',
    `Sign in at: ${pageUrl('')}`,
    `Username: ${username}`,
    `Password: ${password}`,
    '',
    'Please change the password there after you have signed in.',
  ].join('\n');
}

/** @param {string | null} key */
function inPython(key) {
  return key === null ? `os.environ["${VARIABLE}"]` : JSON.stringify(key);
}

/** @param {string | null} key */
function inNode(key) {
  return key === null ? `process.env.${VARIABLE}` : JSON.stringify(key);
}

/** For a string in double quotes. @param {string | null} key */
function inShell(key) {
  return key === null ? `$${VARIABLE}` : key.replace(/[\\"$`]/g, '\\$&');
}

/** @param {string} text */
function shellWord(text) {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function isLocal() {
  return LOOPBACK.test(location.hostname);
}

/** The address as a container on the same machine sees it. */
function fromContainer() {
  const url = new URL(baseUrl());
  if (isLocal()) url.hostname = 'host.docker.internal';
  return url.href;
}
