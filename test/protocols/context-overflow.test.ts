import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { isContextOverflow } from '../../src/protocols/context-overflow.ts';

const told = (status: number, message: string, members: object = {}): HttpError =>
  HttpError.fromUpstream(status, { message, type: null, param: null, code: null, ...members });

describe('a conversation that is too long for the model', () => {
  for (const [vendor, error] of [
    ['OpenAI', told(400, 'x', { code: 'context_length_exceeded' })],
    ['OpenAI, in a stream', told(502, 'x', { code: 'context_length_exceeded' })],
    [
      'vLLM',
      told(400, "This model's maximum context length is 8192 tokens. However, you requested 9000", {
        code: '400',
      }),
    ],
    ['llama.cpp', told(400, 'the request exceeds', { type: 'exceed_context_size_error' })],
    [
      'Anthropic',
      told(400, 'prompt is too long: 210000 tokens > 200000 maximum', { type: 'invalid_request_error' }),
    ],
    ['SGLang', told(400, 'The input (9000 tokens) is longer than the context length')],
    [
      'Gemini',
      told(400, 'The input token count (9000) exceeds the maximum number of tokens allowed (8192).'),
    ],
    [
      'xAI',
      told(400, "This model's maximum prompt length is 131072 but the request contains 150000 tokens."),
    ],
    [
      'Mistral',
      told(422, 'Prompt contains 9000 tokens, too large for model with 8192 maximum context length'),
    ],
    ['Bedrock', told(413, 'Input is too long for requested model.')],
  ] as const) {
    test(`is recognised: ${vendor}`, () => assert.equal(isContextOverflow(error), true));
  }

  for (const [what, error] of [
    [
      'a rate limit',
      told(429, 'Request too large: too many tokens per minute', { code: 'rate_limit_exceeded' }),
    ],
    ['a busy server', told(503, 'the context length queue is full')],
    ['another mistake', told(400, '`temperature` must be a number')],
    ['an own error that repeats the words', new HttpError('invalid_body', 'may not send `context window`')],
  ] as const) {
    test(`is not ${what}`, () => assert.equal(isContextOverflow(error), false));
  }
});
