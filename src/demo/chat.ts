import { isRecord } from '../json/value.ts';
import {
  type DemoAnswer,
  type DemoCall,
  DONE_RECORD,
  dataRecord,
  eventStream,
  json,
  shortSha256,
} from './call.ts';
import { readConversation } from './conversation.ts';
import { invalidValue, missingParameter, optionalBoolean, optionalInteger } from './fields.ts';
import { type Generation, generate, readFormat, TOKEN_BOUNDS } from './generation.ts';
import type { ToolCall } from './tools.ts';
import { toPieces } from './words.ts';

/** POST /v1/chat/completions, whole or streamed, with one choice (OpenAI API reference, Chat). */
export function chatCompletion(call: DemoCall): DemoAnswer {
  const { body } = call;
  const { messages } = body;
  if (messages === undefined) throw missingParameter('messages');
  if (!Array.isArray(messages) || messages.length === 0) throw invalidValue('messages', 'a list of messages');
  optionalInteger(body, 'n', { min: 1, max: 1 });
  const isStreamed = optionalBoolean(body, 'stream');
  const generation = generate(call, readConversation(messages), {
    format: readFormat(body['response_format'], 'response_format'),
    maxTokens:
      optionalInteger(body, 'max_completion_tokens', TOKEN_BOUNDS) ??
      optionalInteger(body, 'max_tokens', TOKEN_BOUNDS),
  });
  return isStreamed ? eventStream(chunks(call, generation)) : json(completion(call, generation));
}

function completion(call: DemoCall, generation: Generation): object {
  const { pieces, reasoning, toolCalls } = generation;
  const isCalling = toolCalls.length > 0;
  const message = {
    role: 'assistant',
    content: isCalling ? null : pieces.join(''),
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
    refusal: null,
    annotations: [],
    ...(isCalling
      ? { tool_calls: toolCalls.map((toolCall, index) => toolCallObject(call, toolCall, index)) }
      : {}),
  };
  return {
    ...head(call, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: generation.finishReason }],
    usage: usageOf(generation),
  };
}

function* chunks(call: DemoCall, generation: Generation): Generator<Buffer> {
  const options = call.body['stream_options'];
  const includesUsage = isRecord(options) && options['include_usage'] === true;
  const chunk = (delta: object, finishReason: string | null = null): Buffer =>
    dataRecord({
      ...head(call, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(includesUsage ? { usage: null } : {}),
    });
  const { pieces, reasoning, toolCalls } = generation;
  yield chunk({ role: 'assistant', content: toolCalls.length > 0 ? null : '', refusal: null });
  for (const piece of reasoning) yield chunk({ reasoning_content: piece });
  for (const piece of pieces) yield chunk({ content: piece });
  for (const [index, toolCall] of toolCalls.entries()) {
    const start = toolCallObject(call, { ...toolCall, arguments: '' }, index);
    yield chunk({ tool_calls: [{ index, ...start }] });
    for (const piece of toPieces(toolCall.arguments)) {
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  yield chunk({}, generation.finishReason);
  if (includesUsage) {
    yield dataRecord({ ...head(call, 'chat.completion.chunk'), choices: [], usage: usageOf(generation) });
  }
  yield DONE_RECORD;
}

function head(call: DemoCall, object: string): object {
  return {
    id: `chatcmpl-${call.id}`,
    object,
    created: call.createdSeconds,
    model: call.model,
    system_fingerprint: 'fp_demo',
  };
}

function toolCallObject(call: DemoCall, toolCall: ToolCall, index: number): object {
  return { id: `call_${shortSha256(`${call.id} ${index}`, 24)}`, type: 'function', function: toolCall };
}

function usageOf({ promptTokens, tokens, reasoning }: Generation): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning.length },
  };
}
