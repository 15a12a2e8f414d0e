import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { traitsOf } from '../../src/dialects/model-traits.ts';

describe('what a model takes, as guessed from its name', () => {
  const rows: readonly (readonly [name: string, effort: boolean, field: string | null, pdf: boolean])[] = [
    ['gpt-4o', false, null, true],
    ['gpt-5.5', true, null, true],
    ['openai/gpt-5-mini', true, null, true],
    ['gpt-5-chat-latest', false, null, true],
    ['openai/gpt-oss-120b', true, null, false],
    ['o3', true, null, true],
    ['openai/o4-mini', true, null, true],
    ['o1-mini', false, null, true],
    ['gemini-2.5-pro', true, null, true],
    ['claude-sonnet-4-5', true, null, true],
    ['claude-3-haiku', false, null, true],
    ['deepseek-reasoner', false, 'reasoning_content', false],
    ['deepseek-ai/DeepSeek-V3.2', false, 'reasoning_content', false],
    ['deepseek-chat', false, null, false],
    ['moonshotai/Kimi-K2-Thinking', false, 'reasoning_content', false],
    ['qwen3', false, null, false],
    ['llama-3.3-70b', false, null, false],
  ];
  for (const [name, reasoningEffort, reasoningField, pdf] of rows) {
    test(name, () => assert.deepEqual(traitsOf({}, name), { reasoningEffort, reasoningField, pdf }));
  }

  test('options stand above the guess', () => {
    assert.deepEqual(traitsOf({ reasoningEffort: false, reasoningContent: false, pdf: false }, 'o3'), {
      reasoningEffort: false,
      reasoningField: null,
      pdf: false,
    });
    assert.deepEqual(traitsOf({ reasoningEffort: true, reasoningContent: 'reasoning', pdf: true }, 'x'), {
      reasoningEffort: true,
      reasoningField: 'reasoning',
      pdf: true,
    });
    assert.equal(traitsOf({ reasoningContent: true }, 'x').reasoningField, 'reasoning_content');
  });
});
