/**
 * @typedef {{
 *   id: string, name: string, baseUrl: string, type?: 'openai' | 'chutes', isKeyless?: boolean, hint?: string,
 * }} Preset
 */

const CHUTES_HINT = 'The API key is your Chutes token, it begins with cpk_.';
const LOCAL_HINT =
  'Runs without an API key. From inside Docker, write host.docker.internal in place of localhost.';

/** Providers that people use, by group; the address is all that tells them apart. @type {readonly { label: string, presets: readonly Preset[] }[]} */
export const PRESET_GROUPS = [
  {
    label: 'Hosted',
    presets: [
      { id: 'openai', name: 'OpenAI', baseUrl: 'https://api.openai.com/v1' },
      { id: 'openrouter', name: 'OpenRouter', baseUrl: 'https://openrouter.ai/api/v1' },
      { id: 'anthropic', name: 'Anthropic', baseUrl: 'https://api.anthropic.com/v1' },
      {
        id: 'gemini',
        name: 'Google Gemini',
        baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
      },
      { id: 'groq', name: 'Groq', baseUrl: 'https://api.groq.com/openai/v1' },
      { id: 'mistral', name: 'Mistral', baseUrl: 'https://api.mistral.ai/v1' },
      { id: 'deepseek', name: 'DeepSeek', baseUrl: 'https://api.deepseek.com/v1' },
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
      {
        id: 'chutes',
        name: 'Chutes',
        baseUrl: 'https://llm.chutes.ai/v1',
        hint: CHUTES_HINT,
        type: 'chutes',
      },
      {
        id: 'chutes-qwen-embedding',
        name: 'Chutes Qwen Embedding 8B',
        baseUrl: 'https://chutes-qwen-qwen3-embedding-8b.chutes.ai',
        hint: CHUTES_HINT,
        type: 'chutes',
      },
      {
        id: 'chutes-whisper-large-v3',
        name: 'Chutes Whisper Large V3',
        baseUrl: 'https://chutes-whisper-large-v3.chutes.ai',
        hint: CHUTES_HINT,
        type: 'chutes',
      },
      {
        id: 'chutes-dots-ocr',
        name: 'Chutes RedNote Dots OCR',
        baseUrl: 'https://chutes-rednote-hilab-dots-ocr.chutes.ai',
        hint: CHUTES_HINT,
        type: 'chutes',
      },
    ],
  },
  {
    label: 'On your own machine',
    presets: [
      {
        id: 'ollama',
        name: 'Ollama',
        baseUrl: 'http://localhost:11434/v1',
        isKeyless: true,
        hint: LOCAL_HINT,
      },
      {
        id: 'lm-studio',
        name: 'LM Studio',
        baseUrl: 'http://localhost:1234/v1',
        isKeyless: true,
        hint: LOCAL_HINT,
      },
      { id: 'vllm', name: 'vLLM', baseUrl: 'http://localhost:8000/v1', isKeyless: true, hint: LOCAL_HINT },
    ],
  },
];

/** @param {string} id @returns {Preset | undefined} */
export function findPreset(id) {
  return PRESET_GROUPS.flatMap((group) => group.presets).find((preset) => preset.id === id);
}
