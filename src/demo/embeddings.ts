import { createHash } from 'node:crypto';
import { floatsToBase64 } from '../protocols/float32.ts';
import { type DemoAnswer, type DemoCall, json } from './call.ts';
import { invalidValue, missingParameter, oneOf, optionalInteger } from './fields.ts';
import { estimateTokens } from './words.ts';

const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4096;
const MAX_INPUTS = 2048;
const MAX_FEATURES = 10_000;

interface EmbeddingInput {
  /** Words, or the numbers of tokens. */
  readonly features: readonly string[];
  readonly tokens: number;
}

/**
 * POST /v1/embeddings (OpenAI API reference, Embeddings): unit vectors made from the words of each input, so
 * texts that share words lie close to each other. `base64` is little-endian 32-bit floats.
 */
export function embeddings(call: DemoCall): DemoAnswer {
  const { body, model } = call;
  const inputs = readInputs(body['input']);
  const format = oneOf(body, 'encoding_format', ['float', 'base64']);
  const bounds = { min: 1, max: MAX_DIMENSIONS };
  const dimensions = optionalInteger(body, 'dimensions', bounds) ?? DEFAULT_DIMENSIONS;
  const data = inputs.map(({ features }, index) => {
    const vector = embed(features, dimensions);
    return { object: 'embedding', index, embedding: format === 'base64' ? floatsToBase64(vector) : vector };
  });
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0);
  return json({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** Reads the four shapes of `input`: a text, texts, tokens, lists of tokens. Throws 400. */
function readInputs(input: unknown): EmbeddingInput[] {
  if (input === undefined || input === null) throw missingParameter('input');
  const list: unknown[] = Array.isArray(input) && !isTokens(input) ? input : [input];
  if (list.length === 0 || list.length > MAX_INPUTS) throw invalidValue('input', `1 to ${MAX_INPUTS} inputs`);
  return list.map((item) => {
    if (isTokens(item)) return { features: item.map((token) => `#${token}`), tokens: item.length };
    if (typeof item === 'string' && item !== '')
      return { features: wordsOf(item), tokens: estimateTokens(item) };
    throw invalidValue('input', 'texts or lists of tokens, none empty');
  });
}

function isTokens(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token));
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu) ?? [text.slice(0, 1000)];
}

/**
 * Adds up signed components for each different feature (feature hashing) and scales the sum to length 1. Longer words
 * count for more, as they say more.
 */
function embed(features: readonly string[], dimensions: number): number[] {
  const sums = new Float64Array(dimensions);
  for (const feature of new Set(features.slice(0, MAX_FEATURES))) {
    const weight = Math.sqrt(feature.length) / 32_768;
    const digest = createHash('sha256').update(feature).digest();
    for (let at = 0; at < digest.length; at += 4) {
      const place = digest.readUInt16LE(at) % dimensions;
      sums[place] = (sums[place] ?? 0) + weight * digest.readInt16LE(at + 2);
    }
  }
  const length = Math.hypot(...sums);
  // A sum of zero has no direction.
  if (length === 0) return Array.from(sums, (_, index) => (index === 0 ? 1 : 0));
  return Array.from(sums, (sum) => Math.fround(sum / length));
}
