import { isRecord } from '../json/value.ts';
import { toNanoUsd } from '../usage/money.ts';
import type { Usage } from '../usage/usage.ts';

/** Larger numbers are mistakes of the provider. */
const COUNT_LIMIT = 1e12;
const COST_LIMIT_USD = 1_000_000;

/**
 * Reads the usage that an answer, an event or a part of one reports, in the dialects of OpenAI (chat, Responses, images,
 * transcriptions), Anthropic, DeepSeek, Groq and Cohere. null: it reports none.
 */
export function reportedUsage(answer: unknown): Usage | null {
  if (!isRecord(answer)) return null;
  const { usage, x_groq: groq, response, message, meta } = answer;
  for (const one of [
    usage,
    memberOf(groq, 'usage'),
    memberOf(response, 'usage'),
    memberOf(message, 'usage'),
    meta,
  ]) {
    const read = readUsage(one);
    if (read !== null) return read;
  }
  return null;
}

/** Reads an object `usage`. null if it is no object, or holds no number that is known. */
export function readUsage(usage: unknown): Usage | null {
  if (!isRecord(usage)) return null;
  const billed = isRecord(usage['tokens']) ? usage['tokens'] : usage;
  const completionTokens = countOf(usage['completion_tokens']) ?? countOf(billed['output_tokens']);
  const { cachedTokens, cacheWriteTokens } = cacheOf(usage);
  const read: Usage = {
    promptTokens: promptOf(usage, billed, completionTokens),
    cachedTokens,
    cacheWriteTokens,
    completionTokens,
    reasoningTokens:
      countOf(memberOf(usage['completion_tokens_details'], 'reasoning_tokens')) ??
      countOf(memberOf(usage['output_tokens_details'], 'reasoning_tokens')) ??
      countOf(usage['reasoning_tokens']),
    audioSeconds: usage['type'] === 'duration' ? numberOf(usage['seconds']) : null,
    images: null,
    costNanoUsd: costOf(usage),
    isEstimated: false,
  };
  return isEmpty(read) ? null : read;
}

/** The later of two reports in one stream; what it leaves out stays as it was. */
export function mergeUsage(before: Usage | null, after: Usage): Usage {
  if (before === null) return after;
  return {
    promptTokens: after.promptTokens ?? before.promptTokens,
    cachedTokens: after.cachedTokens ?? before.cachedTokens,
    cacheWriteTokens: after.cacheWriteTokens ?? before.cacheWriteTokens,
    completionTokens: after.completionTokens ?? before.completionTokens,
    reasoningTokens: after.reasoningTokens ?? before.reasoningTokens,
    audioSeconds: after.audioSeconds ?? before.audioSeconds,
    images: after.images ?? before.images,
    costNanoUsd: after.costNanoUsd ?? before.costNanoUsd,
    isEstimated: after.isEstimated,
  };
}

/** Anthropic counts what is read from and written to its cache beside `input_tokens`; all others count it within. */
function promptOf(
  usage: Record<string, unknown>,
  billed: Record<string, unknown>,
  completionTokens: number | null,
): number | null {
  const prompt = countOf(usage['prompt_tokens']);
  if (prompt !== null) return prompt;
  const input = countOf(billed['input_tokens']);
  if (input !== null) {
    const read = countOf(usage['cache_read_input_tokens']) ?? 0;
    return input + read + (countOf(usage['cache_creation_input_tokens']) ?? 0);
  }
  const total = countOf(usage['total_tokens']);
  return total === null ? null : Math.max(0, total - (completionTokens ?? 0));
}

function cacheOf(usage: Record<string, unknown>): Pick<Usage, 'cachedTokens' | 'cacheWriteTokens'> {
  const details = usage['prompt_tokens_details'] ?? usage['input_tokens_details'];
  return {
    cachedTokens:
      countOf(memberOf(details, 'cached_tokens')) ??
      countOf(usage['cache_read_input_tokens']) ??
      countOf(usage['prompt_cache_hit_tokens']) ??
      countOf(usage['cached_tokens']),
    cacheWriteTokens:
      countOf(usage['cache_creation_input_tokens']) ?? countOf(memberOf(details, 'cache_write_tokens')),
  };
}

/** OpenRouter's `cost` in USD; for a request with the customer's own key at the vendor, what the vendor takes comes on top. */
function costOf(usage: Record<string, unknown>): number | null {
  const cost = usdOf(usage['cost']);
  if (cost === null) return null;
  const upstream =
    usage['is_byok'] === true ? usdOf(memberOf(usage['cost_details'], 'upstream_inference_cost')) : null;
  return toNanoUsd(cost + (upstream ?? 0));
}

function usdOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,8}(\.\d{1,20})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 0 && number <= COST_LIMIT_USD ? number : null;
}

function countOf(value: unknown): number | null {
  const number = numberOf(value);
  return number === null ? null : Math.round(number);
}

/** A number that an answer may tell; null for one that makes no sense. */
export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= COUNT_LIMIT ? value : null;
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isEmpty(usage: Usage): boolean {
  let name: keyof Usage;
  for (name in usage) {
    if (usage[name] !== null && usage[name] !== false) return false;
  }
  return true;
}
