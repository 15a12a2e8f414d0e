import { createHash } from 'node:crypto';
import { type DemoAnswer, type DemoCall, json } from './call.ts';
import { invalidValue, missingParameter, oneOf, optionalInteger } from './fields.ts';
import { estimateTokens } from './tokens.ts';

const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4096;
const MAX_INPUTS = 2048;
const MAX_FEATURES = 10_000;

/**
 * POST /v1/embeddings (OpenAI API reference, Embeddings): unit vectors made from the words of each input, so
 * that texts which share words lie close to each other; `base64` is little-endian 32-bit floats.
 */
export function embeddings(call: DemoCall): DemoAnswer {
  const { body } = call;
  const inputs = readInputs(body['input']);
  const format = oneOf(body, 'encoding_format', ['float', 'base64']);
  const dimensions =
    optionalInteger(body, 'dimensions', { min: 1, max: MAX_DIMENSIONS }) ?? DEFAULT_DIMENSIONS;
  const data = inputs.map((input, index) => {
    const vector = embed(input.features, dimensions);
    return { object: 'embedding', index, embedding: format === 'base64' ? toBase64(vector) : [...vector] };
  });
  const promptTokens = inputs.reduce((sum, input) => sum + input.tokens, 0);
  return json({
    object: 'list',
    data,
    model: call.model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  });
}

interface EmbeddingInput {
  readonly features: readonly string[];
  readonly tokens: number;
}

/** Reads the four shapes of `input`: a text, texts, tokens, lists of tokens. Throws 400. */
function readInputs(input: unknown): EmbeddingInput[] {
  if (input === undefined || input === null) throw missingParameter('input');
  const list: unknown[] = Array.isArray(input) && !isTokens(input) ? input : [input];
  if (list.length === 0 || list.length > MAX_INPUTS) throw invalidValue('input', `1 to ${MAX_INPUTS} inputs`);
  return list.map((item) => {
    if (isTokens(item)) return { features: item.map((token) => `#${token}`), tokens: item.length };
    if (typeof item !== 'string' || item === '')
      throw invalidValue('input', 'texts or lists of tokens, none empty');
    return { features: words(item), tokens: estimateTokens(item) };
  });
}

function isTokens(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token) && token >= 0)
  );
}

function words(text: string): string[] {
  const found = text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu);
  return found ?? [text.slice(0, 1000)];
}

/**
 * Adds up a few signed components for each different feature (feature hashing), longer words counting for more, as
 * they say more, and scales the sum to length 1.
 */
function embed(features: readonly string[], dimensions: number): Float32Array {
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
  // Components that cancel out to nothing would have no direction.
  if (length === 0) return Float32Array.from({ length: dimensions }, (_, index) => (index === 0 ? 1 : 0));
  return Float32Array.from(sums, (sum) => sum / length);
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((component, index) => {
    bytes.writeFloatLE(component, index * 4);
  });
  return bytes.toString('base64');
}
