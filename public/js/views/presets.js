/**
 * @typedef {{
 *   id: string, name: string, baseUrl: string, type?: 'openai' | 'chutes', isKeyless?: boolean, hint?: string, keyPage?: string,
 * }} Preset keyPage: where its users make API keys, without the scheme
 */

const CHUTES = /** @type {const} */ ({
  type: 'chutes',
  hint: 'The API key is your Chutes token. It begins with cpk_.',
});
const LOCAL = {
  isKeyless: true,
  hint: 'Needs no API key. If this server runs in Docker, write host.docker.internal instead of localhost.',
};

/** Well-known providers, by group. @type {readonly { label: string, presets: readonly Preset[] }[]} */
export const PRESET_GROUPS = [
  {
    label: 'Hosted',
    presets: [
      {
        id: 'openai',
        name: 'OpenAI',
        baseUrl: 'https://api.openai.com/v1',
        keyPage: 'platform.openai.com/api-keys',
      },
      {
        id: 'openrouter',
        name: 'OpenRouter',
        baseUrl: 'https://openrouter.ai/api/v1',
        keyPage: 'openrouter.ai/settings/keys',
      },
      {
        id: 'anthropic',
        name: 'Anthropic',
        baseUrl: 'https://api.anthropic.com/v1',
        keyPage: 'console.anthropic.com/settings/keys',
      },
      {
        id: 'gemini',
        name: 'Google Gemini',
        baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
        keyPage: 'aistudio.google.com/apikey',
      },
      {
        id: 'groq',
        name: 'Groq',
        baseUrl: 'https://api.groq.com/openai/v1',
        keyPage: 'console.groq.com/keys',
      },
      {
        id: 'mistral',
        name: 'Mistral',
        baseUrl: 'https://api.mistral.ai/v1',
        keyPage: 'console.mistral.ai/api-keys',
      },
      {
        id: 'deepseek',
        name: 'DeepSeek',
        baseUrl: 'https://api.deepseek.com/v1',
        keyPage: 'platform.deepseek.com/api_keys',
      },
      { id: 'together', name: 'Together AI', baseUrl: 'https://api.together.xyz/v1' },
      { id: 'fireworks', name: 'Fireworks AI', baseUrl: 'https://api.fireworks.ai/inference/v1' },
      { id: 'xai', name: 'xAI', baseUrl: 'https://api.x.ai/v1' },
      { id: 'cerebras', name: 'Cerebras', baseUrl: 'https://api.cerebras.ai/v1' },
      { id: 'sambanova', name: 'SambaNova', baseUrl: 'https://api.sambanova.ai/v1' },
      {
        id: 'dashscope',
        name: 'Alibaba Qwen',
        baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
      },
      { id: 'moonshot', name: 'Moonshot', baseUrl: 'https://api.moonshot.ai/v1' },
      { id: 'deepinfra', name: 'DeepInfra', baseUrl: 'https://api.deepinfra.com/v1/openai' },
      { id: 'perplexity', name: 'Perplexity', baseUrl: 'https://api.perplexity.ai' },
      { id: 'voyage', name: 'Voyage AI', baseUrl: 'https://api.voyageai.com/v1' },
    ],
  },
  {
    label: 'Chutes',
    presets: [
      { id: 'chutes', name: 'Chutes', baseUrl: 'https://llm.chutes.ai/v1', ...CHUTES },
      {
        id: 'chutes-qwen-embedding',
        name: 'Chutes Qwen Embedding 8B',
        baseUrl: 'https://chutes-qwen-qwen3-embedding-8b.chutes.ai',
        ...CHUTES,
      },
      {
        id: 'chutes-whisper-large-v3',
        name: 'Chutes Whisper Large V3',
        baseUrl: 'https://chutes-whisper-large-v3.chutes.ai',
        ...CHUTES,
      },
      {
        id: 'chutes-dots-ocr',
        name: 'Chutes RedNote Dots OCR',
        baseUrl: 'https://chutes-rednote-hilab-dots-ocr.chutes.ai',
        ...CHUTES,
      },
    ],
  },
  {
    label: 'On your own computer',
    presets: [
      { id: 'ollama', name: 'Ollama', baseUrl: 'http://localhost:11434/v1', ...LOCAL },
      { id: 'lm-studio', name: 'LM Studio', baseUrl: 'http://localhost:1234/v1', ...LOCAL },
      { id: 'vllm', name: 'vLLM', baseUrl: 'http://localhost:8000/v1', ...LOCAL },
    ],
  },
];

/** @param {string} id @returns {Preset | undefined} */
export function findPreset(id) {
  return PRESET_GROUPS.flatMap((group) => group.presets).find((preset) => preset.id === id);
}
