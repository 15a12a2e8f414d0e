import type { Price, PriceAbove, TokenRates } from '../store/entities.ts';
import { UNKNOWN_PRICE } from '../store/price-amounts.ts';

/** How sure a price is: A: three sources agree; B: two do, or one quotes the vendor; C: a single source. */
export type PriceGrade = 'A' | 'B' | 'C';

/** The price of one model at one host. */
export interface ListedPrice {
  readonly host: string;
  /** The model's id at the host. */
  readonly model: string;
  readonly grade: PriceGrade;
  readonly price: Price;
}

/** When the prices were collected, ISO 8601. */
export const PRICE_LIST_AS_OF = '2026-09-23T00:00:00.000Z';

/**
 * One line for each price: grade, ids separated by commas, then input/cached/output in USD per million tokens; `-` is unknown.
 * After it `write=` is the price of writing to a cache, `minute=` that of audio, and `>N` begins the prices of prompts longer
 * than N tokens.
 * Cache writes are priced for five minutes. What a line cannot say is left out: DeepSeek doubles its prices at peak hours,
 * Perplexity adds a fee for each request, Gemini 3.6 to 3.8 Flash cost twice as much from 2027 on. The input of the transcription
 * models is the price of audio, which is nearly all that they read.
 */
const LISTS: Readonly<Record<string, string>> = {
  'api.openai.com': `
    A gpt-4o,gpt-4o-2024-08-06,gpt-4o-2024-11-20 2.5/1.25/10
    A gpt-4o-mini,gpt-4o-mini-2024-07-18 0.15/0.075/0.6
    A gpt-4.1,gpt-4.1-2025-04-14 2/0.5/8
    A gpt-4.1-mini,gpt-4.1-mini-2025-04-14 0.4/0.1/1.6
    A gpt-4.1-nano,gpt-4.1-nano-2025-04-14 0.1/0.025/0.4
    A gpt-5,gpt-5-2025-08-07,gpt-5.1 1.25/0.125/10
    A gpt-5-mini,gpt-5-mini-2025-08-07 0.25/0.025/2
    A gpt-5-nano,gpt-5-nano-2025-08-07 0.05/0.005/0.4
    A gpt-5-pro 15/-/120
    A gpt-5.2,gpt-5.3-codex 1.75/0.175/14
    A gpt-5.4 2.5/0.25/15 >272000 5/0.5/22.5
    A gpt-5.4-mini 0.75/0.075/4.5
    A gpt-5.4-nano 0.2/0.02/1.25
    A gpt-5.5 5/0.5/30 >272000 10/1/45
    A gpt-5.5-pro 30/-/180
    A gpt-5.6-terra 2/0.2/12 write=2.5 >272000 4/0.4/18 write=5
    A gpt-5.6-luna 0.2/0.02/1.2 write=0.25 >272000 0.4/0.04/1.8 write=0.5
    C gpt-5.6-sol 5/0.5/30 write=6.25 >272000 10/1/45 write=12.5
    B gpt-6-astra 10/1/50 >272000 20/2/75
    B gpt-6-sol 2/0.2/10 >272000 4/0.4/15
    B gpt-6-luna 0.1/-/0.5 >272000 0.2/-/0.75
    A o1,o1-2024-12-17 15/7.5/60
    A o3,o3-2025-04-16 2/0.5/8
    A o3-mini,o3-mini-2025-01-31 1.1/0.55/4.4
    A o4-mini,o4-mini-2025-04-16 1.1/0.275/4.4
    A gpt-3.5-turbo 0.5/-/1.5
    A text-embedding-3-small 0.02/-/-
    A text-embedding-3-large 0.13/-/-
    A text-embedding-ada-002 0.1/-/-
    B gpt-4o-transcribe 6/-/10
    B gpt-4o-mini-transcribe 3/-/5
    B gpt-image-1 5/1.25/40
    B gpt-image-2 5/1.25/30
    C whisper-1 -/-/- minute=0.006`,
  'api.anthropic.com': `
    A claude-haiku-4-5,claude-haiku-4-5-20251001 1/0.1/5 write=1.25
    A claude-sonnet-4-5,claude-sonnet-4-5-20250929,claude-sonnet-4-6 3/0.3/15 write=3.75
    A claude-opus-4-5,claude-opus-4-5-20251101,claude-opus-4-6,claude-opus-4-7,claude-opus-4-8,claude-opus-5 5/0.5/25 write=6.25
    A claude-opus-4-1,claude-opus-4-1-20250805 15/1.5/75 write=18.75
    A claude-fable-5 10/1/50 write=12.5
    A claude-3-5-haiku-20241022,claude-3-5-haiku-latest 0.8/0.08/4 write=1
    B claude-sonnet-5 2/0.2/10 write=2.5
    B claude-opus-5-5 4/0.2/20 write=5
    B claude-fable-5-1 10/0.25/50 write=12.5`,
  'generativelanguage.googleapis.com': `
    A gemini-2.5-pro,models/gemini-2.5-pro 1.25/0.125/10 >200000 2.5/0.25/15
    A gemini-2.5-flash,models/gemini-2.5-flash 0.3/0.03/2.5
    A gemini-2.5-flash-lite,models/gemini-2.5-flash-lite 0.1/0.01/0.4
    A gemini-3-flash-preview,models/gemini-3-flash-preview 0.5/0.05/3
    A gemini-3.1-pro-preview,models/gemini-3.1-pro-preview 2/0.2/12 >200000 4/0.4/18
    A gemini-3.1-flash-lite,models/gemini-3.1-flash-lite 0.25/0.025/1.5
    A gemini-3.5-flash,models/gemini-3.5-flash 1.5/0.15/9
    A gemini-3.5-flash-lite,models/gemini-3.5-flash-lite 0.3/0.03/2.5
    A gemini-embedding-001,models/gemini-embedding-001 0.15/-/-
    B gemini-3.6-flash,models/gemini-3.6-flash 0.75/0.075/3.75
    B gemini-3.7-flash,models/gemini-3.7-flash 0.75/0.075/3.75
    B gemini-3.8-flash,models/gemini-3.8-flash 0.75/0.075/3.75
    C gemini-embedding-2,models/gemini-embedding-2 0.2/-/-`,
  'api.x.ai': `
    A grok-4.3 1.25/0.2/2.5 >200000 2.5/0.4/5
    B grok-4.20-0309-reasoning,grok-4.20-0309-non-reasoning 1.25/0.2/2.5 >200000 2.5/0.4/5
    B grok-4.5 2/0.3/6 >200000 4/0.6/12
    B grok-4.6,grok-4.7 2/0.5/6 >200000 4/1/12
    B grok-build-0.1,grok-code-fast-1 1/0.2/2 >200000 2/0.4/4
    B grok-4-1-fast-reasoning 1.25/0.2/2.5 >200000 2.5/0.4/5`,
  'api.deepseek.com': `
    B deepseek-flash,deepseek-v4-flash 0.15/0.003/0.6`,
  'api.mistral.ai': `
    A mistral-large-2512 0.5/-/1.5
    A codestral-2508 0.3/-/0.9
    A devstral-2512 0.4/-/2
    A mistral-embed 0.1/-/-
    B mistral-medium-3.5,mistral-medium-3-5 1.5/-/7.5
    B mistral-small-2603 0.15/-/0.6
    B ministral-8b-2512 0.15/-/0.15
    B ministral-3b-2512 0.1/-/0.1`,
  'api.groq.com': `
    A llama-3.3-70b-versatile 0.59/-/0.79
    A llama-3.1-8b-instant 0.05/-/0.08
    A openai/gpt-oss-120b 0.15/0.075/0.6
    A openai/gpt-oss-20b 0.075/0.0375/0.3
    A qwen/qwen3-32b 0.29/-/0.59
    A meta-llama/llama-4-scout-17b-16e-instruct 0.11/-/0.34`,
  'api.cerebras.ai': `
    A gpt-oss-120b 0.35/-/0.75`,
  'api.moonshot.ai': `
    A kimi-k2.5 0.6/0.1/3
    A kimi-k2.6 0.95/0.16/4
    A kimi-k2.7-code 0.95/0.19/4
    B kimi-k3 3/0.3/15`,
  'api.z.ai': `
    A glm-5 1/0.2/3.2
    A glm-5.1,glm-5.2 1.4/0.26/4.4
    B glm-4.6,glm-4.7 0.6/0.11/2.2
    B glm-5.3 1.4/0.26/4.4
    B glm-5.3-flash 0.15/0.03/0.5`,
  'api.minimax.io': `
    B MiniMax-M3 0.3/0.06/1.2 >512000 0.6/0.12/2.4`,
  'dashscope-intl.aliyuncs.com': `
    B qwen3.8-flash 0.15/0.016/0.47
    B qwen3-coder-plus 1/-/5`,
  'api.cohere.com': `
    B command-a-03-2025 2.5/-/10
    B command-r-08-2024 0.15/-/0.6
    C embed-v4.0 0.12/-/-`,
  'api.perplexity.ai': `
    A sonar 1/-/1
    A sonar-pro 3/-/15`,
  'llm.chutes.ai': `
    B moonshotai/Kimi-K2.6-TEE 0.66/-/3.5
    B zai-org/GLM-5.1-TEE 0.98/-/3.08
    B Qwen/Qwen3.5-397B-A17B-TEE 0.45/-/3`,
  'api.voyageai.com': `
    C voyage-4 0.06/-/-
    C voyage-4-large 0.12/-/-`,
};

/** Other hosts of the same vendor with the same prices. */
const ALIASES: Readonly<Record<string, string>> = { 'api.cohere.ai': 'api.cohere.com' };

const BY_HOST: ReadonlyMap<string, ReadonlyMap<string, ListedPrice>> = readLists();

/** The shipped prices of a host, by the models' ids; undefined: the list does not have the host. A port is part of a host. */
export function pricesOfHost(host: string): ReadonlyMap<string, ListedPrice> | undefined {
  return BY_HOST.get(host);
}

/** All shipped prices. */
export function listPrices(): readonly ListedPrice[] {
  return [...BY_HOST.values()].flatMap((prices) => [...prices.values()]);
}

function readLists(): Map<string, ReadonlyMap<string, ListedPrice>> {
  const lists = new Map<string, ReadonlyMap<string, ListedPrice>>();
  for (const [host, lines] of Object.entries(LISTS)) lists.set(host, readHost(host, lines));
  for (const [alias, host] of Object.entries(ALIASES)) lists.set(alias, readHost(alias, LISTS[host] ?? ''));
  return lists;
}

function readHost(host: string, lines: string): ReadonlyMap<string, ListedPrice> {
  const prices = new Map<string, ListedPrice>();
  for (const line of lines.trim().split('\n')) {
    const [grade = '', ids = '', ...rest] = line.trim().split(' ');
    const price = readPrice(rest);
    for (const model of ids.split(',')) prices.set(model, { host, model, grade: grade as PriceGrade, price });
  }
  return prices;
}

/** @param words what follows the ids in a line */
function readPrice(words: readonly string[]): Price {
  const start = words.findIndex((word) => word.startsWith('>'));
  const base = start < 0 ? words : words.slice(0, start);
  const above = start < 0 ? null : readAbove(words.slice(start));
  return { ...UNKNOWN_PRICE, ...readRates(base), perAudioMinute: readNamed(base, 'minute'), above };
}

function readAbove([limit = '', ...words]: readonly string[]): PriceAbove {
  return { inputTokens: Number(limit.slice(1)), ...readRates(words) };
}

function readRates(words: readonly string[]): TokenRates {
  const [input = '-', cached = '-', output = '-'] = (words[0] ?? '').split('/');
  return {
    inputPerMTok: readAmount(input),
    outputPerMTok: readAmount(output),
    cachedInputPerMTok: readAmount(cached),
    cacheWritePerMTok: readNamed(words, 'write'),
  };
}

function readNamed(words: readonly string[], name: string): number | null {
  const found = words.find((word) => word.startsWith(`${name}=`));
  return found === undefined ? null : readAmount(found.slice(name.length + 1));
}

function readAmount(text: string): number | null {
  return text === '-' ? null : Number(text);
}
