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
import { type Conversation, readConversation } from './conversation.ts';
import { invalidValue, missingParameter, optionalBoolean, optionalInteger } from './fields.ts';
import { type Generation, generate, readChatFormat, readStop } from './generation.ts';
import { toPieces } from './tokens.ts';
import type { ToolCall } from './tools.ts';

const MAX_CHOICES = 16;
const MAX_TOKENS = 1_000_000;

/** POST /v1/chat/completions, whole or streamed (OpenAI API reference, Chat). */
export function chatCompletion(call: DemoCall): DemoAnswer {
  const { body } = call;
  const { messages } = body;
  if (messages === undefined) throw missingParameter('messages');
  if (!Array.isArray(messages) || messages.length === 0)
    throw invalidValue('messages', 'a list with a message in it');
  const bounds = { min: 1, max: MAX_TOKENS };
  const maxTokens =
    optionalInteger(body, 'max_completion_tokens', bounds) ?? optionalInteger(body, 'max_tokens', bounds);
  const conversation = readConversation(messages);
  const options = { model: call.model, body, format: readChatFormat(body), stop: readStop(body), maxTokens };
  const length = optionalInteger(body, 'n', { min: 1, max: MAX_CHOICES }) ?? 1;
  const choices = Array.from({ length }, (_, choice) => generate(conversation, { ...options, choice }));
  return optionalBoolean(body, 'stream')
    ? eventStream(chunks(call, conversation, choices))
    : json(completion(call, conversation, choices));
}

function completion(call: DemoCall, conversation: Conversation, choices: readonly Generation[]): object {
  return {
    ...head(call, 'chat.completion'),
    choices: choices.map((choice, index) => ({
      index,
      message: {
        role: 'assistant',
        content: choice.toolCalls.length > 0 ? null : choice.pieces.join(''),
        ...(choice.reasoning.length > 0 ? { reasoning_content: choice.reasoning.join('') } : {}),
        refusal: null,
        annotations: [],
        ...(choice.toolCalls.length > 0 ? { tool_calls: toolCalls(call, choice.toolCalls, index) } : {}),
      },
      logprobs: null,
      finish_reason: choice.finishReason,
    })),
    usage: usageOf(conversation, choices),
  };
}

function* chunks(
  call: DemoCall,
  conversation: Conversation,
  choices: readonly Generation[],
): Generator<string> {
  const streamOptions = call.body['stream_options'];
  const includeUsage = isRecord(streamOptions) && streamOptions['include_usage'] === true;
  const chunk = (index: number, delta: object, finishReason: string | null = null): string =>
    dataRecord({
      ...head(call, 'chat.completion.chunk'),
      choices: [{ index, delta, logprobs: null, finish_reason: finishReason }],
      ...(includeUsage ? { usage: null } : {}),
    });
  for (const [index, choice] of choices.entries()) {
    const isCalling = choice.toolCalls.length > 0;
    yield chunk(index, { role: 'assistant', content: isCalling ? null : '', refusal: null });
    for (const piece of choice.reasoning) yield chunk(index, { reasoning_content: piece });
    for (const piece of choice.pieces) yield chunk(index, { content: piece });
    for (const [position, toolCall] of toolCalls(call, choice.toolCalls, index).entries()) {
      const start = { ...toolCall, function: { name: toolCall.function.name, arguments: '' } };
      yield chunk(index, { tool_calls: [{ index: position, ...start }] });
      for (const piece of toPieces(toolCall.function.arguments)) {
        yield chunk(index, { tool_calls: [{ index: position, function: { arguments: piece } }] });
      }
    }
    yield chunk(index, {}, choice.finishReason);
  }
  if (includeUsage) {
    const usage = usageOf(conversation, choices);
    yield dataRecord({ ...head(call, 'chat.completion.chunk'), choices: [], usage });
  }
  yield DONE_RECORD;
}

function head(call: DemoCall, object: string): object {
  return {
    id: `chatcmpl-${call.id}`,
    object,
    created: call.createdSeconds,
    model: call.model,
    service_tier: 'default',
    system_fingerprint: 'fp_demo',
  };
}

function toolCalls(call: DemoCall, calls: readonly ToolCall[], choice: number) {
  return calls.map((toolCall, position) => ({
    id: `call_${shortSha256(`${call.id} ${choice} ${position}`, 24)}`,
    type: 'function',
    function: { name: toolCall.name, arguments: toolCall.arguments },
  }));
}

function usageOf(conversation: Conversation, choices: readonly Generation[]): object {
  const completionTokens = choices.reduce((sum, choice) => sum + choice.tokens, 0);
  const reasoningTokens = choices.reduce((sum, choice) => sum + choice.reasoning.length, 0);
  return {
    prompt_tokens: conversation.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: conversation.promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
