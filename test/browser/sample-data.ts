import { randomBytes, scryptSync } from 'node:crypto';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { AppUnderTest } from '../helpers/start-app.ts';

const DAY_MS = 86_400_000;

const PROVIDERS = [
  {
    id: 'openrouter',
    name: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    apiKey: 'sk-or-sample-7f31',
  },
  { id: 'groq', name: 'Groq', baseUrl: 'https://api.groq.com/openai/v1', apiKey: 'gsk-sample-key-92ab' },
  { id: 'mistral', name: 'Mistral', baseUrl: 'https://api.mistral.ai/v1', apiKey: 'mistral-sample-40cd' },
  { id: 'gemini', name: 'Google Gemini', baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai' },
  { id: 'ollama', name: 'Ollama at home', baseUrl: 'http://localhost:11434/v1' },
  { id: 'vllm', name: 'vLLM in the cellar', baseUrl: 'http://192.168.1.20:8000/v1', enabled: false },
  { id: 'whisper', name: 'Whisper', type: 'chutes', baseUrl: 'https://chutes-whisper-large-v3.chutes.ai' },
] as const;

const MODELS = [
  { id: 'claude-sonnet-4-5', name: 'Claude Sonnet 4.5', providerId: 'openrouter' },
  { id: 'gpt-4o', name: 'GPT-4o', providerId: 'openrouter', upstreamModel: 'openai/gpt-4o' },
  {
    id: 'llama-3.3-70b',
    name: 'Llama 3.3 70B',
    providerId: 'groq',
    upstreamModel: 'llama-3.3-70b-versatile',
  },
  {
    id: 'mistral-large',
    name: 'Mistral Large',
    providerId: 'mistral',
    upstreamModel: 'mistral-large-latest',
  },
  { id: 'gemini-2.5-flash', name: 'Gemini 2.5 Flash', providerId: 'gemini' },
  { id: 'qwen3:8b', name: 'Qwen 3 8B', providerId: 'ollama' },
  { id: 'meta-llama/Llama-3.2-11B-Vision-Instruct-Turbo-Free', name: 'Llama Vision', providerId: 'vllm' },
  { id: 'whisper-large-v3', name: 'Whisper Large V3', providerId: 'whisper', enabled: false },
] as const;

const USERS = [
  { username: 'maria', name: 'Maria Sklodowska' },
  { username: 'john', name: 'John Appleseed', models: ['gpt-4o', 'mistral-large'] },
  { username: 'amelie' },
  { username: 'kofi', name: 'Kofi Mensah', models: ['llama-*'] },
  { username: 'yuki', name: '雪 Tanaka', enabled: false },
  { username: 'a.very.long.username.of.a.very.thorough.person', name: 'Thorough Person' },
] as const;

const KEYS = [
  { name: 'Maria’s laptop', userId: 'maria' },
  { name: 'John’s phone', userId: 'john', models: ['gpt-4o'] },
  { name: 'Home Assistant', models: ['qwen3:8b', 'whisper-large-v3'] },
  { name: 'Newsletter robot', models: ['mistral-large'], days: 5 },
  { name: 'Workshop, old', days: -30 },
  { name: 'Continuous integration of the very large mobile app', models: ['llama-*'], enabled: false },
  { name: 'No model yet', models: [] },
] as const;

/** The password of every user of the sample. */
export const SAMPLE_PASSWORD = 'a password of theirs';

/** Fills an app with a household's providers, models, users and keys: short and long names, switched off, expired, restricted. */
export async function addSampleData(app: AppUnderTest): Promise<void> {
  for (const provider of PROVIDERS) {
    await app.addProvider(
      provider,
      MODELS.filter((model) => model.providerId === provider.id),
    );
  }
  const time = new Date(Date.now() - 40 * DAY_MS).toISOString();
  const passwordHash = quickHash(SAMPLE_PASSWORD);
  await changeConfig(app.services.store.config, (state) => {
    const users = USERS.map((user) => ({ name: user.username, models: null, enabled: true, ...user }));
    const changed = users.reduce(
      (before, user) =>
        withEntity(before, 'users', {
          ...user,
          id: user.username,
          limits: null,
          passwordHash,
          createdAt: time,
          updatedAt: time,
        }),
      state,
    );
    return { state: changed, result: null };
  });
  for (const { days, ...fields } of KEYS.map((key) => ({ days: null, ...key }))) {
    const expiresAt = days === null ? null : new Date(Date.now() + (days + 0.1) * DAY_MS).toISOString();
    await app.addKey({ ...fields, expiresAt });
  }
}

/** The cheapest hash that the store accepts: see `auth/passwords.ts`. */
export function quickHash(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 });
  return `scrypt$${2 ** 10}$8$1$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}
