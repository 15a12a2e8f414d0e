import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeUsage, reportedUsage } from '../../src/protocols/usage-dialects.ts';
import { NO_USAGE, type Usage } from '../../src/usage/usage.ts';

interface Row {
  readonly name: string;
  readonly answer: unknown;
  readonly expected: Partial<Usage> | null;
}

const ROWS: readonly Row[] = [
  {
    name: 'OpenAI, chat',
    answer: {
      usage: {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
    },
    expected: { promptTokens: 100, completionTokens: 50, cachedTokens: 64, reasoningTokens: 20 },
  },
  {
    name: 'OpenAI, Responses, in an event',
    answer: {
      type: 'response.completed',
      response: {
        usage: {
          input_tokens: 9,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens: 3,
          output_tokens_details: { reasoning_tokens: 1 },
          total_tokens: 12,
        },
      },
    },
    expected: { promptTokens: 9, completionTokens: 3, cachedTokens: 4, reasoningTokens: 1 },
  },
  {
    name: 'Anthropic, whose cache counts apart',
    answer: {
      usage: {
        input_tokens: 10,
        cache_read_input_tokens: 200,
        cache_creation_input_tokens: 30,
        output_tokens: 5,
      },
    },
    expected: { promptTokens: 240, completionTokens: 5, cachedTokens: 200, cacheWriteTokens: 30 },
  },
  {
    name: 'Anthropic, in its first event',
    answer: { type: 'message_start', message: { usage: { input_tokens: 10, output_tokens: 1 } } },
    expected: { promptTokens: 10, completionTokens: 1 },
  },
  {
    name: 'Anthropic behind a chat API, whose prompt holds the cache',
    answer: { usage: { prompt_tokens: 240, completion_tokens: 5, cache_read_input_tokens: 200 } },
    expected: { promptTokens: 240, completionTokens: 5, cachedTokens: 200 },
  },
  {
    name: 'DeepSeek',
    answer: {
      usage: {
        prompt_tokens: 30,
        completion_tokens: 2,
        prompt_cache_hit_tokens: 20,
        prompt_cache_miss_tokens: 10,
      },
    },
    expected: { promptTokens: 30, completionTokens: 2, cachedTokens: 20 },
  },
  {
    name: 'Groq, in a stream',
    answer: { choices: [], x_groq: { id: 'x', usage: { prompt_tokens: 7, completion_tokens: 8 } } },
    expected: { promptTokens: 7, completionTokens: 8 },
  },
  {
    name: 'embeddings',
    answer: { usage: { prompt_tokens: 6, total_tokens: 6 } },
    expected: { promptTokens: 6 },
  },
  { name: 'a total alone', answer: { usage: { total_tokens: 6 } }, expected: { promptTokens: 6 } },
  {
    name: 'Cohere, rerank',
    answer: { results: [], meta: { tokens: { input_tokens: 44, output_tokens: 0 } } },
    expected: { promptTokens: 44, completionTokens: 0 },
  },
  {
    name: 'a transcript by its length',
    answer: { text: 'a', usage: { type: 'duration', seconds: 12.5 } },
    expected: { audioSeconds: 12.5 },
  },
  {
    name: 'a transcript by tokens',
    answer: { text: 'a', usage: { type: 'tokens', input_tokens: 14, output_tokens: 4, total_tokens: 18 } },
    expected: { promptTokens: 14, completionTokens: 4 },
  },
  {
    name: 'a cost',
    answer: { usage: { prompt_tokens: 1, completion_tokens: 1, cost: 0.000012345 } },
    expected: { promptTokens: 1, completionTokens: 1, costNanoUsd: 12_345 },
  },
  {
    name: 'a cost as text',
    answer: { usage: { prompt_tokens: 1, completion_tokens: 1, cost: '0.5' } },
    expected: { promptTokens: 1, completionTokens: 1, costNanoUsd: 500_000_000 },
  },
  {
    name: 'a cost on the customer’s own key',
    answer: { usage: { cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } } },
    expected: { costNanoUsd: 210_000_000 },
  },
  {
    name: 'what the vendor takes, without a key of the customer’s own',
    answer: { usage: { cost: 0.01, is_byok: false, cost_details: { upstream_inference_cost: 0.2 } } },
    expected: { costNanoUsd: 10_000_000 },
  },
  ...[-1, 1_000_001, '1e3', '-1', 'free', null, [], {}, Number.POSITIVE_INFINITY].map((cost) => ({
    name: `a cost of ${JSON.stringify(cost)}`,
    answer: { usage: { prompt_tokens: 1, completion_tokens: 1, cost } },
    expected: { promptTokens: 1, completionTokens: 1 },
  })),
  {
    name: 'null is not zero',
    answer: { usage: { prompt_tokens: null, completion_tokens: 0 } },
    expected: { completionTokens: 0 },
  },
  {
    name: 'numbers that are none',
    answer: { usage: { prompt_tokens: '5', completion_tokens: -5, total_tokens: 1e300 } },
    expected: null,
  },
  { name: 'no usage', answer: { choices: [] }, expected: null },
  { name: 'usage null', answer: { usage: null }, expected: null },
  { name: 'usage of another kind', answer: { usage: 'much' }, expected: null },
  { name: 'no object', answer: [1], expected: null },
];

describe('the usage that an answer reports', () => {
  for (const { name, answer, expected } of ROWS) {
    it(name, () => {
      assert.deepEqual(reportedUsage(answer), expected === null ? null : { ...NO_USAGE, ...expected });
    });
  }

  it('in a stream: the later report counts, but for what it leaves out', () => {
    const first = { ...NO_USAGE, promptTokens: 10, completionTokens: 1 };
    const later = { ...NO_USAGE, completionTokens: 25 };
    assert.deepEqual(mergeUsage(mergeUsage(null, first), later), {
      ...NO_USAGE,
      promptTokens: 10,
      completionTokens: 25,
    });
  });
});
